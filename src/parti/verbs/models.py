"""Versions of models: how good they are, what they learned from, and by which code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from parti.design.graph import Design
from parti.design.model import Model
from parti.ports.store import ModelVersion, Store
from parti.units import Bytes, Seconds
from parti.verbs.target import Target


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `current` says whether today's code would train it again the same way; None when that is unknown."""

    model: str
    version: int
    metrics: dict[str, float]
    rows: int
    period: tuple[str, str]
    size: Bytes
    code: str
    current: bool | None
    created: Seconds
    about: dict[str, Any]


async def models(target: Target, model: str = "") -> list[Version]:
    """The versions of one model or of all, oldest first. Raises P308 for a model that is neither declared nor stored."""
    design = target.known_design
    async with target.reading() as store:
        found = await store.models(model)
        if model and not found and design is not None:
            design.get(Model, model)
        return [await described(version, store, design) for version in found]


async def described(version: ModelVersion, store: Store, design: Design | None) -> Version:
    """What is known of a stored version."""
    about = json.loads(version.about)
    first, last = about.get("period") or ("", "")
    part = design.by_name.get(version.model) if design else None
    return Version(
        model=version.model,
        version=version.version,
        metrics=json.loads(version.metrics),
        rows=about.get("rows", 0),
        period=(str(first), str(last)),
        size=len(await store.blob(version.blob) or b""),
        code=version.code,
        current=part.digest == version.code if isinstance(part, Model) else None,
        created=version.created,
        about=about,
    )
