"""Choices: what a plan may decide is declared beside the part, and what cannot be decided is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from parti import PartiError, Site, Slo, System, Variant


def a_desk() -> tuple[System, Any]:
    """One step."""
    desk = System("desk")

    @desk.step
    def read(text: str) -> int:
        return len(text)

    return desk, read


def test_choices_are_kept_by_the_design_and_change_nothing_of_what_runs() -> None:
    desk, read = a_desk()
    before = desk.design.digest
    desk.choices(
        read, replicas=(1, 8), batch=[32, 1, 8, 8], machines=["aws:c7g.large"], cpus=0.5,
        variants=[Variant("small", 0.9), Variant("large", "approved")], sites=[Site("edge", round_trip="5ms")],
    )  # fmt: skip
    (choices,) = desk.design.choices
    assert (choices.part, choices.replicas, choices.batches, choices.cpus) == ("read", (1, 8), (1, 8, 32), 0.5)
    assert [variant.quality for variant in choices.variants] == [0.9, "approved"]
    assert choices.sites[0].round_trip == 0.005
    assert desk.design.digest == before


@pytest.mark.parametrize(
    ("declare", "said_of_it"),
    [
        (lambda desk, read: desk.choices(read, replicas=(3, 1)), "P105 replicas=(3, 1) is no range"),
        (lambda desk, read: desk.choices(read, replicas=0), "P105 replicas=0 is no range"),
        (lambda desk, read: desk.choices(read, batch=[0]), "P105 batch= holds 0"),
        (lambda desk, read: desk.choices(read, batch=8), "P105 batch=8 is not a list"),
        (lambda desk, read: desk.choices(read, cpus=0), "P105 cpus=0"),
        (lambda desk, read: desk.choices(read, variants=["small"]), "P105 variants= holds 'small'"),
        (lambda desk, read: desk.choices(read, machines=["a", "a"]), "P105 machines= names ['a', 'a'] more than once"),
        (lambda desk, read: [desk.choices(read), desk.choices(read)], "P104 the choices of `read` are declared"),
        (lambda desk, read: desk.choices(desk.memory("m")), "P106 'm' is nothing that takes machines"),
        (lambda desk, read: desk.choices("read"), "P106 'read' is nothing that takes machines"),
    ],
)
def test_what_cannot_be_chosen_is_refused(declare: Callable[..., Any], said_of_it: str) -> None:
    desk, read = a_desk()
    with pytest.raises(PartiError, match=r"test_choices.py:\d+") as wrong:
        declare(desk, read)
    assert said_of_it in str(wrong.value)


@pytest.mark.parametrize("promise", [{"quality": 1.2}, {"combine": "sum"}, {"usd_per_month": -3}])
def test_a_promise_that_is_none_is_refused(promise: dict[str, Any]) -> None:
    with pytest.raises(PartiError, match="P105"):
        Slo(p99="2s", **promise)


def test_a_variant_whose_quality_is_no_share_is_refused() -> None:
    with pytest.raises(PartiError, match=r"P105 quality=1\.5 of 'a'"):
        Variant("a", 1.5)
