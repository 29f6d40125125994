"""Each rule finds what is wrong in its bad cases, as accepted, and nothing in its good ones.

A case that is about a change has the version before it, under the same name, in the folder `before`.

Run pytest with ACCEPT=1 to accept what it finds now, and look at the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rules_kit import judged, loaded, shown

from parti.rules.base import Rule
from parti.rules.listing import RULES

CASES = Path(__file__).parent.parent / "golden" / "rules"
BY_FOLDER = {rule.look.__module__.rpartition(".")[2]: rule for rule in RULES}
FILES = sorted(CASES.glob("*/*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_rule_finds_what_was_accepted_and_nothing_else(file: Path) -> None:
    rule = BY_FOLDER[file.parent.name]
    rules = [rule] if rule.code != "R001" else [BY_FOLDER["unbounded_state"], rule]
    older = file.parent / "before" / file.name
    before = loaded(older) if older.exists() else None
    found = [finding for finding in judged(loaded(file), rules, before=before).findings if finding.code == rule.code]
    golden = file.with_suffix(".txt")
    if file.stem.startswith("good_"):
        assert found == []
        assert not golden.exists()
        return
    assert found, "a bad case in which nothing is found"
    if os.environ.get("ACCEPT"):
        golden.write_text(shown(found), encoding="utf-8")
    assert shown(found) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "file",
    [f for f in FILES if f.stem.startswith(("good_gate_", "good_gated"))],
    ids=lambda f: f"{f.parent.name}/{f.stem}",
)
def test_what_a_gate_keeps_away_is_told_with_the_gate(file: Path) -> None:
    rule = BY_FOLDER[file.parent.name]
    guarded = judged(loaded(file), [rule]).guarded
    assert [one.code for one in guarded] == [rule.code]
    assert "gate" in guarded[0].guarded_by


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_a_bad_case_and_a_good_one(rule: Rule) -> None:
    kinds = {file.stem.partition("_")[0] for file in FILES if BY_FOLDER[file.parent.name] is rule}
    assert kinds == {"bad", "good"}


def test_no_golden_file_is_left_without_its_case() -> None:
    assert [file.name for file in CASES.glob("*/*.txt") if not file.with_suffix(".py").exists()] == []
