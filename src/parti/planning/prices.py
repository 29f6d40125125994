"""Prices: what machines cost by the hour and language models by the token, each with its date and source."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from parti.design.llm import LOCAL, Llm, Price
from parti.errors import UsageError
from parti.planning.price_fields import LLM, MACHINE, SOURCE, Fields, place_of
from parti.units import HOURS_A_MONTH, Seconds

OWN: Final = "prices.toml"
"""The list that comes with Parti."""

PROBE: Final = 1_000_000
"""Tokens that are asked the price of, to learn the price for a million."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where prices come from: a URL (or words, such as "our contract"), the ISO date that they are of, and what to know of them."""

    url: str
    date: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class MachineType:
    """A machine that can be rented. `name` is ``aws/m7i.large``: the cloud (or "own") and its own name for it.

    `kind` is "general", "compute", "memory", "gpu" or "burstable". `memory` is GiB; `accelerator` names one of `accelerators` GPUs ("" and 0:
    none), with `accelerator_memory` GiB each. `usd_per_hour` is the price on demand in `region`. `speed` is how fast one core is
    relative to the machine that was measured on (a service of s seconds takes s / speed there); None: not known, and
    `speed_source` tells how it came to be known. It fails once in `mtbf` seconds in the mean (0: not known), and it takes `repair` seconds
    until another one serves in its place. `source` says where the price comes from, and of which day it is.
    """

    name: str
    region: str
    kind: str
    vcpu: float
    memory: float
    usd_per_hour: float
    source: Source
    accelerator: str = ""
    accelerators: int = 0
    accelerator_memory: float = 0.0
    speed: float | None = None
    speed_source: str = ""
    mtbf: Seconds = 0.0
    repair: Seconds = 0.0

    @property
    def cloud(self) -> str:
        """Whose it is: "aws", "gcp", "azure", "own" or another word of the list's."""
        return self.name.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a language model costs, in US dollars for a million tokens. `llm` is a target as in `desk.llm`: ``openai:gpt-4o-mini``."""

    llm: str
    price: Price
    source: Source


Listed = Callable[[Llm, int, int], float | None]
"""What so many tokens in and out cost by the provider's list: ports.llm.PriceList."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """Machines and language models with prices. `name` is the file that it was read from."""

    name: str
    machines: tuple[MachineType, ...]
    llms: tuple[TokenPrice, ...] = ()

    def machine(self, name: str, region: str = "") -> MachineType | None:
        """The machine of that name, in that region or the first that is listed; None for one that is not."""
        return next((one for one in self.machines if one.name == name and region in ("", one.region)), None)

    def llm_price(self, llm: Llm, listed: Listed | None = None) -> Price | None:
        """What a language model costs: as this list says, else as declared, else by the provider's list; None: nobody knows.

        The model that runs inside the process costs nothing besides its machine.
        """
        own = next((one.price for one in self.llms if one.llm == llm.target), None)
        if own or llm.price or llm.target == LOCAL:
            return own or llm.price or Price(0.0, 0.0)
        reading, writing = (listed(llm, *tokens) for tokens in ((PROBE, 0), (0, PROBE))) if listed else (None, None)
        return None if reading is None or writing is None else Price(reading, writing)


def with_speeds(prices: PriceList, speeds: Mapping[str, float], how: str) -> PriceList:
    """The list with measured speeds by the name of the machine; `how` says how they were measured."""
    machines = (
        replace(one, speed=speeds[one.name], speed_source=how) if one.name in speeds else one for one in prices.machines
    )
    return replace(prices, machines=tuple(machines))


def read_prices(path: Path | None = None) -> PriceList:
    """The price list in a file, in place of the one that comes with Parti.

    Raises P821 for a file that is none, P822 for what is not a number from 0 on, P823 for a missing field, P824 for an
    unknown field or unit; each with the file and line.
    """
    if path is None:
        return prices_of(files("parti.planning").joinpath(OWN).read_text(encoding="utf-8"), OWN)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        said = wrong.strerror if isinstance(wrong, OSError) else "it is no text in UTF-8"
        raise UsageError("P821", f"{path} cannot be read: {said}", fix="name a TOML file") from wrong
    return prices_of(text, path.name)


def prices_of(text: str, name: str) -> PriceList:
    """The price list in a text. Raises as `read_prices`."""
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        line = re.search(r"line (\d+)", str(wrong))
        raise UsageError(
            "P821", f"this is not TOML: {wrong}", place=f"{name}:{line[1]}" if line else name, fix="mend it"
        ) from wrong
    unknown = next((key for key in facts if key not in ("sources", "machine", "llm")), None)
    if unknown:
        raise UsageError(
            "P824",
            f"`{unknown}` is not known",
            place=place_of(text, name, unknown),
            fix="one of: sources, machine, llm",
        )
    sources = _sources(facts, text, name)
    machines = tuple(_machine(fields, sources) for fields in _tables(facts, "machine", MACHINE, text, name))
    llms = tuple(_llm(fields, sources) for fields in _tables(facts, "llm", LLM, text, name))
    _refuse_twice(text, name, "machine", [(one.name, one.region) for one in machines])
    _refuse_twice(text, name, "llm", [(one.llm, "") for one in llms])
    if not machines and not llms:
        raise UsageError("P821", "it lists neither a machine nor an llm", place=f"{name}:1", fix="write a [[machine]]")
    return PriceList(name, machines, llms)


def _sources(facts: Mapping[str, Any], text: str, name: str) -> dict[str, Source]:
    found: dict[str, Source] = {}
    listed = facts.get("sources", {})
    if not isinstance(listed, dict):
        raise UsageError(
            "P821", "`sources` is no table", place=place_of(text, name, "sources"), fix="write [sources.ours]"
        )
    for key, table in listed.items():
        fields = Fields(table, SOURCE, f"the source `{key}`", text, name, f"[sources.{key}]", 0)
        day = fields.text("date")
        try:
            date.fromisoformat(day)
        except ValueError:
            raise fields.wrong("P821", "date", f"{day!r} is no date", "write it as 2026-01-19") from None
        found[key] = Source(fields.text("url"), day, fields.text("note", ""))
    return found


def _tables(facts: Mapping[str, Any], kind: str, known: Mapping[str, bool], text: str, name: str) -> Iterator[Fields]:
    tables = facts.get(kind, [])
    if not isinstance(tables, list):
        raise UsageError(
            "P821", f"`{kind}` is no list of tables", place=place_of(text, name, kind), fix=f"write [[{kind}]]"
        )
    for at, table in enumerate(tables):
        label = table.get("name") or table.get("target") if isinstance(table, dict) else None
        who = f"the {kind} `{label}`" if label else f"the {kind} number {at + 1}"
        yield Fields(table, known, who, text, name, f"[[{kind}]]", at)


def _machine(fields: Fields, sources: Mapping[str, Source]) -> MachineType:
    hours = 1.0 if "usd_per_hour" in fields.table else HOURS_A_MONTH
    price = fields.number("usd_per_hour" if hours == 1.0 else "usd_per_month")
    return MachineType(
        name=fields.text("name"), region=fields.text("region"), kind=fields.text("kind"),
        vcpu=fields.number("vcpu", above=0), memory=fields.number("memory_gib", above=0), usd_per_hour=price / hours,
        source=_source(fields, sources), accelerator=fields.text("accelerator", ""),
        accelerators=int(fields.number("accelerators", default=1.0 if "accelerator" in fields.table else 0.0)),
        accelerator_memory=fields.number("accelerator_memory_gib", default=0.0),
        speed=fields.number("speed", above=0) if "speed" in fields.table else None,
        speed_source="declared" if "speed" in fields.table else "", mtbf=3600.0 * _failing(fields, "mtbf_hours"),
        repair=_failing(fields, "repair_seconds"),
    )  # fmt: skip


def _failing(fields: Fields, key: str) -> float:
    """One of the two numbers that say how often a machine fails and for how long; 0 where neither is there. Raises P823 for one alone."""
    pair = ("mtbf_hours", "repair_seconds")
    missing = [one for one in pair if one not in fields.table]
    if len(missing) == 1:
        raise fields.wrong(
            "P823", missing[0], f"it has no `{missing[0]}`", f"write both of {' and '.join(pair)}, or none"
        )
    return 0.0 if missing else fields.number(key, above=0)


def _llm(fields: Fields, sources: Mapping[str, Source]) -> TokenPrice:
    price = Price(fields.number("usd_per_million_in"), fields.number("usd_per_million_out"))
    return TokenPrice(fields.text("target"), price, _source(fields, sources))


def _source(fields: Fields, sources: Mapping[str, Source]) -> Source:
    name = fields.text("source")
    if name not in sources:
        raise fields.wrong(
            "P821", "source", f"there is no source {name!r}", f"write [sources.{name}] with its url and date"
        )
    return sources[name]


def _refuse_twice(text: str, name: str, kind: str, keys: list[tuple[str, str]]) -> None:
    for at, key in enumerate(keys):
        if key in keys[:at]:
            where = f" for `{key[1]}`" if key[1] else ""
            raise UsageError(
                "P821", f"the {kind} `{key[0]}` is listed twice{where}", place=place_of(text, name, f"[[{kind}]]", at),
                fix="leave one of them out",
            )  # fmt: skip
