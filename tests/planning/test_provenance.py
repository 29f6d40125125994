"""Provenance: what one must know of a profile before one relies on a plan made from it."""

from __future__ import annotations

from plan_kit import a_desk, asked, its_profile, measured
from profile_kit import graph_of, profile

from parti.planning.provenance import about_profile

GUESSED = "taken to be computing"


def test_a_step_whose_cpu_time_nobody_measured_is_told_to_be_taken_to_compute() -> None:
    """Of a tool the same is taken to be waiting, so nothing is said of `look_up`."""
    found = profile(
        measured("asking", "endpoint", [0.001] * 60, cpu=22.0),
        measured("read", "step", [0.02] * 60),
        measured("look_up", "tool", [0.05] * 60),
        graphs=(graph_of("asking", [[("read",), ("look_up",)]] * 20),),
    )
    (note,) = [note for note in about_profile(asked(a_desk()[0], found)) if GUESSED in note]
    assert "`read`" in note and "look_up" not in note and "asking" not in note


def test_nothing_is_guessed_where_cpu_time_was_measured() -> None:
    assert not any(GUESSED in note for note in about_profile(asked(a_desk()[0], its_profile())))
