"""Qualities: those that a plan is asked for by the name of what measured them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from parti import PartiError, Variant
from parti.design.choices import Choices
from parti.design.places import Place
from parti.verbs.plan import _qualities


class Registry:
    """A target without evaluations, whose store knows two versions of the model `spam`."""

    design: Any = SimpleNamespace(evaluations=())

    @asynccontextmanager
    async def reading(self) -> Any:
        yield self

    async def models(self) -> Any:
        return [
            SimpleNamespace(model="spam", version=number, metrics=metrics)
            for number, metrics in ((1, b'{"accuracy": 0.78}'), (2, b'{"accuracy": 0.69}'))
        ]


def qualities(*variants: Variant) -> Any:
    design: Any = SimpleNamespace(choices=(Choices(part="spam", place=Place("app.py", 3), variants=variants),))
    target: Any = Registry()
    return asyncio.run(_qualities(target, design))


def test_a_version_has_the_metric_that_the_registry_keeps_of_it_under_the_name_that_the_profile_gives_it() -> None:
    assert qualities(Variant("v1", "accuracy"), Variant("v2", "accuracy")) == {"spam": {"v1": 0.78, "v2": 0.69}}


def test_a_metric_that_nobody_measured_is_refused() -> None:
    with pytest.raises(PartiError, match="P832"):
        qualities(Variant("v1", "recall"))
