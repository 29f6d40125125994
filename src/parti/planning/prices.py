"""Prices: what machines cost by the hour and language models by the token, each with its date and source."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.llm import Price


@dataclass(frozen=True, slots=True)
class MachineType:
    """A machine that can be rented. `name` is ``aws/m7i.large``: the cloud (or "own") and its own name for it.

    `memory` is GiB; `accelerator` names one of `accelerators` GPUs ("" and 0: none), with `accelerator_memory` GiB each.
    `usd_per_hour` is the price on demand in `region`. `speed` is how fast one core is, relative to the machine that was
    measured on (a service of s seconds takes s / speed there); None: not known, and `measured` tells how it came to be known.
    `date` (ISO) and `source` (URL) say where the price comes from.
    """

    name: str
    region: str
    kind: str
    vcpu: float
    memory: float
    usd_per_hour: float
    date: str
    source: str
    accelerator: str = ""
    accelerators: int = 0
    accelerator_memory: float = 0.0
    speed: float | None = None
    measured: str = ""

    @property
    def cloud(self) -> str:
        """Whose it is: "aws", "gcp", "azure", "own" or another word of the list's."""
        return self.name.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a language model costs, in US dollars for a million tokens. `llm` is a target as in `desk.llm`, or its model's name."""

    llm: str
    price: Price
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """Machines and language models with prices. `name` is the file that it was read from."""

    name: str
    machines: tuple[MachineType, ...]
    llms: tuple[TokenPrice, ...] = ()

    def machine(self, name: str) -> MachineType | None:
        """The machine of that name, if it is listed; the first of several regions."""
        return next((one for one in self.machines if one.name == name), None)
