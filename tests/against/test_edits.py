"""A thousand recorded journals over two dozen kinds of edit: what is said of each run is held against what a replay does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from against_kit import RUNS, Version, recorded, version
from edits import EDITS, edited

from parti.design.step import Step
from parti.engine.joining import Join
from parti.engine.verdicts import Standing, Verdict
from parti.ports.store import State
from parti.verbs.against import Stored, compare, with_replay
from parti.wiring import Apart

R, U, M, P = Verdict.RESUMES, Verdict.UNKNOWN, Verdict.MIGRATE, Verdict.PIN

Expected = dict[str, set[tuple[Verdict, Verdict]]]
"""By part: the verdicts that its runs get without a replay and with one, as pairs. Parts that are not named all resume."""

SETTLE_PINNED: Final[Expected] = {"settle": {(P, P)}}

EXPECTED: Final[dict[str, Expected]] = {
    "nothing but a comment": {},
    "rename a step": SETTLE_PINNED,
    "add a step before": {"settle": {(U, P)}},
    "add a step after": {"settle": {(U, P), (U, R)}},
    "remove a step": SETTLE_PINNED,
    "change a step's argument": {"settle": {(U, P)}},
    "reorder": {"settle": {(U, R)}},
    "gather to sequence": {"settle": {(U, P)}},
    "add a field with a default": {"settle": {(P, P)}, "advise": {(U, R)}},
    "add a field without a default": {"settle": {(P, P)}, "advise": {(M, M)}, "refund": {(R, R), (M, M)}},
    "remove a field": {"settle": {(P, P)}, "advise": {(U, R)}},
    "change a type": {"settle": {(M, M)}, "advise": {(R, R), (M, M)}, "refund": {(R, R), (M, M)}},
    "change a topic's key": {"settle": {(P, P)}, "advise": {(P, P)}},
    "remove a handler with open runs": {"advise": {(P, P)}},
    "change a tool's key": {"settle": {(P, P), (R, R)}},
    "change an effect": {"settle": {(P, P), (R, R)}},
    "remove a tool with a write in doubt": {"settle": {(P, P), (U, R)}},
    "change a question's text": {"settle": {(U, P), (U, R)}},
    "change an agent's instructions": {"advise": {(P, P), (R, R)}},
    "remove an agent's tool": {"advise": {(P, P), (R, R)}},
    "change a model's inputs": SETTLE_PINNED,
    "change a timeout only": {},
    "rename a topic": {"settle": {(P, P)}, "advise": {(P, P)}},
    "change a helper class": {"settle": {(U, R)}},
}

STRICTER: Final = {"change a topic's key", "add a field without a default", "change a type"}
"""Edits where the design says more than the replay of one run can: of order between runs, and of starting at all."""


def test_the_journals_are_of_runs_in_every_state_that_matters(journals: Stored) -> None:
    states = Counter((work.record.part, work.record.state) for work in journals.works)
    assert sum(states.values()) == RUNS
    assert {state for _, state in states} == {State.DONE, State.DEAD, State.WAITING, State.PARKED}
    assert min(states.values()) > 20


def test_every_kind_of_edit_has_what_is_expected_of_it() -> None:
    assert EXPECTED.keys() == EDITS.keys()
    assert len(EDITS) >= 20


@pytest.mark.parametrize("name", EDITS)
def test_what_is_said_of_a_run_is_what_a_replay_finds(
    name: str, base: Version, journals: Stored, tmp_path: Path
) -> None:
    new = version(edited(name), tmp_path)
    join = Join(base.sketch, new.sketch, new.design, journals.schemas, journals.versions)
    told = [join.of(work) for work in journals.works]
    replays = Apart(new.design, journals.notes).replay(journals.works)
    final = [with_replay(join, *each) for each in zip(journals.works, told, replays, strict=True)]
    assert len(told) == RUNS

    for before, after, replayed in zip(told, final, replays, strict=True):
        if before.verdict is R:
            assert replayed.verdict is R, f"{before.run} was said to resume, but: {replayed.why}"
        if replayed.verdict is not R:
            assert after.verdict is not R, f"{before.run} is stranded without a word"
            assert explained(after)
        if before.verdict is U:
            assert after.verdict in (R, P)
        if before.verdict in (P, M) and name not in STRICTER:
            assert replayed.verdict is not R, f"{before.run} was said not to resume: {before.concerns[0].why}"

    parts = {"settle", "advise", "refund"}
    found = {
        part: {(a.verdict, b.verdict) for a, b in zip(told, final, strict=True) if a.part == part} for part in parts
    }
    assert found == {part: EXPECTED[name].get(part, {(R, R)}) for part in parts}


def explained(standing: Standing) -> bool:
    """Whether a verdict says why, where and what helps."""
    worst = standing.concerns[0]
    return bool(worst.why and worst.fix and worst.place.file == "app.py" and worst.place.line)


def test_a_journal_of_a_third_version_is_never_said_to_resume_without_a_replay(
    base: Version, journals: Stored, tmp_path: Path
) -> None:
    new = version(edited("add a step before"), tmp_path)
    newer = version(edited("reorder"), tmp_path / "newer")
    told = compare(newer.design, new.sketch, newer.sketch, journals, replay=False).standings
    assert {one.verdict for one in told if one.part == "refund"} == {U}


def test_the_same_seed_records_the_same_journals(tmp_path: Path) -> None:
    one, other = (recorded(tmp_path / name, count=40, seed=5) for name in ("one", "other"))
    assert [(w.record.id, w.record.state, len(w.entries)) for w in one.works] == [
        (w.record.id, w.record.state, len(w.entries)) for w in other.works
    ]


def test_a_replay_calls_nothing(journals: Stored, tmp_path: Path) -> None:
    """Every step and tool notes that it is called, in a version where little of what was journaled fits any more."""
    future = "from __future__ import annotations\n"
    text = edited("add a field with a default").replace(future, future + "CALLED: list[str] = []\n")
    for body in ("order.amount % 7", "len(id)", "amount + len(id)", 'f"about', 'f"more', 'f"paid'):
        assert f"    return {body}" in text
        text = text.replace(f"    return {body}", f"    CALLED.append(__name__)\n    return {body}")
    new = version(text, tmp_path)
    replays = Apart(new.design, journals.notes).replay(journals.works)
    rate = new.design.get(Step, "rate")
    assert Counter(one.verdict for one in replays)[P] > RUNS / 4
    assert rate.function.call.__globals__["CALLED"] == []
