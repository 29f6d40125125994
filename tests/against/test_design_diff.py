"""A diff names what was added, removed, renamed and changed, with where it stands and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from against_kit import BASE, Version, version
from edits import edited

from parti.design.diff import diff
from parti.design.sketch import Sketch


def changes(base: Version, text: str, folder: Path) -> list[str]:
    return [str(change) for change in diff(base.sketch, version(text, folder).sketch).changes]


def test_a_version_does_not_differ_from_itself(base: Version, tmp_path: Path) -> None:
    assert changes(base, BASE, tmp_path) == []


def test_a_sketch_survives_being_handed_over_as_json(base: Version) -> None:
    assert Sketch.of_json(json.loads(json.dumps(base.sketch.as_json()))) == base.sketch


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("rename a step", "step `rate` is called `grade` now"),
        ("remove a handler with open runs", "handler `advise` was removed"),
        ("change a topic's key", "key of `orders` changed from customer to id"),
        ("change an effect", "effect of `charge` changed from write to read"),
        ("add a field without a default", "payload of `orders`: note is new and has no default"),
        ("change a timeout only", "timeout of `settle` changed from 600.0 to 1200.0"),
        (
            "change an agent's instructions",
            "instructions of `advisor` changed from Say what to do. to Say briefly what to do.",
        ),
        ("remove an agent's tool", "tools of `advisor` changed"),
        ("rename a topic", "topic `orders` is called `requests` now"),
    ],
)
def test_a_change_is_told_in_words(edit: str, said: str, base: Version, tmp_path: Path) -> None:
    assert said in changes(base, edited(edit), tmp_path)


def test_labels_are_compared_though_no_run_is_decided_by_them(base: Version, tmp_path: Path) -> None:
    text = BASE.replace('effect="read", approval="clerk"', 'effect="read", approval="clerk", control=["id"]')
    assert changes(base, text, tmp_path) == ["control of `dig` changed"]
