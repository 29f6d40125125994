"""Plans on disk: `plan.json`, which `parti build` reads and `parti plan --fixed` predicts; and the JSON that is printed."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parti.errors import UsageError
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed, Deployment
from parti.planning.planned import Planned
from parti.units import HOURS_A_MONTH

VERSION: Final = 1
"""The version of the form. A later one is refused (P834); older ones will be read for ever."""


class _Part(BaseModel):
    """One part in a plan file."""

    model_config = ConfigDict(extra="ignore")

    part: str
    replicas: int = Field(default=1, ge=1)
    batch: int = Field(default=1, ge=1)
    machine: str = ""
    variant: str = ""
    site: str = ""
    cpus: float = Field(default=1.0, gt=0)


class _File(BaseModel):
    """A plan file, as far as it is read again."""

    model_config = ConfigDict(extra="ignore")

    version: int
    system: str
    parts: list[_Part]


def plan_json(asked: Asked, planned: Planned) -> dict[str, Any]:
    """The plan as JSON: what runs where first, then all that is known of it. What is infinite or nothing is null."""
    facts: dict[str, Any] = {
        "version": VERSION,
        "system": asked.design.name,
        "design": asked.design.digest,
        "load": [stream.text for stream in asked.workload.streams],
        "promised": {
            "p99": asked.slo.p99, "availability": asked.slo.availability, "quality": asked.slo.quality,
            "usd_per_month": asked.slo.usd_per_month, "of": list(asked.of),
        },
        "parts": [
            {**part.deployment._asdict(), "usd_per_hour": part.usd_per_hour, "reason": part.reason}
            for part in planned.parts
        ],
        "usd_per_hour": planned.usd_per_hour,
        "usd_per_month": planned.usd_per_hour * HOURS_A_MONTH,
        "quality": planned.quality,
        "prediction": asdict(planned.prediction),
        "proof": _proof(planned),
        "verification": asdict(planned.verification),
        "bottleneck": planned.bottleneck,
        "next_step": asdict(planned.next_step) if planned.next_step else None,
        "relaxing": [asdict(change) for change in planned.relaxing],
        "sensitivity": [asdict(change) for change in planned.sensitivity],
        "front": [
            {
                "usd_per_hour": point.usd_per_hour, "p99": point.p99, "quality": point.quality,
                "parts": [one._asdict() for one in point.deployed.parts],
            }
            for point in planned.front
        ],
        "notes": list(planned.notes),
        "kept": planned.kept,
    }  # fmt: skip
    found: dict[str, Any] = _finite(facts)
    return found


def _proof(planned: Planned) -> dict[str, Any]:
    return {
        "plans": planned.plans, "optimal": planned.proof.optimal, "gap": planned.proof.gap,
        "relaxed_optimal": planned.relaxed.optimal, "relaxed_gap": planned.relaxed.gap,
    }  # fmt: skip


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def refuse_unwritable(path: Path) -> None:
    """Raise P834 for a path at which nothing can be written, before anybody waits for what is to be written there."""
    if path.is_dir() or not path.parent.is_dir():
        why = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise UsageError("P834", f"{path} cannot be written: {why}", fix="name a file in a folder that exists")


def write_plan(path: Path, facts: dict[str, Any]) -> None:
    """Write a plan file. Raises P834 where it cannot be written."""
    try:
        path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as wrong:
        raise UsageError("P834", f"{path} cannot be written: {wrong.strerror}", fix="give --out FILE") from wrong


def read_plan(path: Path, asked: Asked) -> Deployed:
    """The deployments in a plan file. Raises P834 for a file that is no plan, is of another system, or names what is not there."""
    design = asked.design
    try:
        read = _File.model_validate_json(path.read_bytes())
    except OSError as wrong:
        raise UsageError(
            "P834", f"{path} cannot be read: {wrong.strerror}", fix="make one with `parti plan`"
        ) from wrong
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(map(str, first["loc"]))
        said = f"{path} is no plan: {f'{where}: ' if where else ''}{first['msg']}"
        raise UsageError("P834", said, fix="make one with `parti plan`") from wrong
    if read.version > VERSION:
        raise UsageError("P834", f"{path} was written by a newer Parti", fix="pip install --upgrade parti")
    if read.system != design.name:
        raise UsageError(
            "P834", f"{path} is a plan of {read.system}, not of {design.name}", fix="name another, or plan anew"
        )
    deployed = Deployed(tuple(Deployment(**one.model_dump()) for one in read.parts))
    for one in deployed.parts:
        if strange := _not_there(asked, one):
            raise UsageError("P834", f"{path} has {strange}", fix="plan anew")
    return deployed


def _not_there(asked: Asked, one: Deployment) -> str:
    """What of a deployment nobody has, in words; "" where all of it is there."""
    if one.part not in asked.design.by_name:
        return f"`{one.part}`, which {asked.design.name} has not"
    if one.machine and asked.prices.machine(one.machine) is None:
        return f"`{one.part}` on {one.machine}, which {asked.prices.name} has not"
    known = asked.profile.part(one.part)
    variants = {*known.variants, *(tokens.variant for tokens in known.tokens)} if known else set()
    if one.variant and one.variant not in variants:
        return f"the variant {one.variant!r} of `{one.part}`, which was not measured"
    sites = {site.name for choices in asked.design.choices if choices.part == one.part for site in choices.sites}
    if one.site and one.site not in sites:
        return f"`{one.part}` at {one.site}, which is no site of it"
    if one.batch > 1 and getattr(asked.design.by_name[one.part], "batch", None) is None:
        return f"batches of `{one.part}`, which takes calls one by one"
    return ""
