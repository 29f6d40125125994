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


MAIL = """
from typing import Annotated

from pydantic import BaseModel

from parti import Label, System

desk = System("desk", responsible="me", retain="30d")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    sender: Annotated[str, Label.UNTRUSTED]


@desk.tool(effect="write", key="id", idempotent=True, control=["to"])
async def pay(id: str, to: str) -> None: ...


@desk.post("/mail", key="mail.id")
async def receive(mail: Mail) -> str:
    await pay(mail.id, mail.sender)
    return mail.id
"""

HOOK = """

@desk.post("/hook", labels=Label.UNTRUSTED)
async def hook(to: str) -> str:
    await pay("x", to)
    return ""
"""


def paid(tmp_path: Path, source: str, begins: str) -> list[str]:
    """Where the ways begin that are found."""
    file = tmp_path / "mails.py"
    accept = f'\ndesk.accept("R102", on=pay, reason="A person opens every letter.", until="2027-03-31"{begins})\n'
    file.write_text(source + accept, encoding="utf-8")
    found = [one for one in judged(loaded(file)).findings if one.code == "R102"]
    return sorted(begin for one in found for begin in one.begins)


@pytest.mark.parametrize(
    "begins", ["", ', begins="receive"', ', begins="receive.mail.sender"', ', begins=["receive.mail"]']
)
def test_another_way_to_what_is_accepted_counts(tmp_path: Path, begins: str) -> None:
    """One rule shows one way to an argument, so the other way is looked for as if the accepted one were not there."""
    assert paid(tmp_path, MAIL, begins) == []
    assert len(paid(tmp_path, MAIL + HOOK, begins)) == 1
    if begins:
        assert paid(tmp_path, MAIL + HOOK, begins) == ["hook"]


def test_an_acceptance_of_another_way_accepts_nothing(tmp_path: Path) -> None:
    assert paid(tmp_path, MAIL, ', begins="hook"') == ["receive.mail.sender"]


def test_each_of_two_ways_can_be_accepted(tmp_path: Path) -> None:
    assert paid(tmp_path, MAIL + HOOK, ', begins=["hook", "receive"]') == []


def test_a_new_half_of_a_trifecta_counts(tmp_path: Path) -> None:
    """A finding with two ways is found anew where only one of them begins elsewhere."""
    file = tmp_path / "three.py"
    base = """
from typing import Annotated
from parti import Budget, Label, System

desk = System("desk", responsible="me")


@desk.tool(effect="read", labels=Label.UNTRUSTED)
async def web(q: str) -> str: ...


@desk.tool(effect="read", labels=Label.UNTRUSTED)
async def forum(q: str) -> str: ...


@desk.tool(effect="read", labels=[Label.TRUSTED, Label.PII])
async def people(q: str) -> str: ...


@desk.tool(effect="write", key="to", control=["to"])
async def send(to: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[{tools}], budget=Budget(usd=1))
desk.accept("R101", on=clerk, reason="It is small.", until="2027-03-31", begins=["web", "people"])
"""
    found = {}
    for tools in ("web, people, send", "web, forum, people, send"):
        file.write_text(base.replace("{tools}", tools), encoding="utf-8")
        found[tools] = [one.begins for one in judged(loaded(file)).findings if one.code == "R101"]
    assert found["web, people, send"] == []
    assert {"forum", "people"} in found["web, forum, people, send"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"code": "P101"}, "no code of a rule"),
        ({"code": 7}, "is not what it takes"),
        ({"reason": " "}, "for no reason"),
        ({"begins": [7]}, "is not what it takes"),
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
