"""Findings that are accepted: until when, on what, and what becomes of those that match nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from rules_kit import judged, loaded

from parti import System
from parti.errors import DeclarationError
from parti.rules.checking import Report

APP = """
from pydantic import BaseModel

from parti import System

desk = System("desk")


class Order(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")
returns = desk.topic("returns", Order, key="id")
"""


def report(tmp_path: Path, accepts: str, day: date = date(2026, 12, 1)) -> Report:
    file = tmp_path / "app.py"
    file.write_text(APP + accepts, encoding="utf-8")
    return judged(loaded(file), day=day)


def codes(found: Report) -> list[tuple[str, str]]:
    return [(finding.code, finding.on) for finding in found.findings if finding.code in ("R404", "R001")]


def test_an_accepted_finding_does_not_count_and_keeps_its_reason(tmp_path: Path) -> None:
    found = report(tmp_path, 'desk.accept("R404", on=orders, reason="It is small.", until="2026-12-31")')
    assert codes(found) == [("R404", "returns")]
    (accepted,) = found.accepted
    assert (accepted.finding.on, accepted.acceptance.reason) == ("orders", "It is small.")


def test_without_a_part_it_holds_wherever_it_is(tmp_path: Path) -> None:
    assert codes(report(tmp_path, 'desk.accept("R404", reason="They are small.", until="2026-12-31")')) == []


def test_it_holds_to_the_end_of_its_day_and_counts_again_from_the_next(tmp_path: Path) -> None:
    accept = 'desk.accept("R404", reason="They are small.", until="2026-12-31")'
    assert codes(report(tmp_path, accept, date(2026, 12, 31))) == []
    late = report(tmp_path, accept, date(2027, 1, 1))
    assert codes(late) == [("R404", "orders"), ("R404", "returns")]
    assert "(accepted until 2026-12-31, which is over)" in late.findings[-1].what


def test_one_that_matches_nothing_is_a_finding(tmp_path: Path) -> None:
    found = report(tmp_path, 'desk.accept("R101", on=orders, reason="No agent.", until="2026-12-31")')
    assert ("R001", "orders") in codes(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"code": "P101"}, "no code of a rule"),
        ({"code": 7}, "is not what it takes"),
        ({"reason": " "}, "for no reason"),
        ({"until": "soon"}, "is no day"),
    ],
)
def test_a_wrong_acceptance_is_refused(options: dict[str, object], said: str) -> None:
    desk = System("desk")
    given = {"code": "R404", "reason": "It is small.", "until": "2026-12-31", **options}
    with pytest.raises(DeclarationError, match=said) as wrong:
        desk.accept(given.pop("code"), **given)  # type: ignore[arg-type]
    assert wrong.value.code == "P105"
    assert "test_accepting.py" in str(wrong.value.place)
