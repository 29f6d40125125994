"""Findings for the board: judged once, apart from the engine, and told to everybody who waits for them."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

import pytest
from pydantic import BaseModel

import parti.rules.checking
from parti import Label, System
from parti.adapters.clock import SystemClock
from parti.design.dataflow import Dataflow
from parti.design.graph import Design
from parti.judging import Found, findings_of
from parti.rules.checking import Report


class Claim(BaseModel):
    """What is kept."""

    id: str
    name: Annotated[str, Label.PII]


def a_design(*, accepts: bool = False) -> Design:
    """Personal data is kept without end, which somebody may live with."""
    desk = System("desk")
    desk.topic("claims", Claim, key="id")
    if accepts:
        desk.accept("R203", on="claims", reason="a test", until="2999-01-01")
    return desk.design


def found(design: Design) -> Found:
    async def ask() -> Found:
        return await findings_of(design, SystemClock())()

    return asyncio.run(ask())


def test_findings_come_with_their_part_sentence_and_way() -> None:
    [one] = [one for one in found(a_design()) if one["code"] == "R203"]
    assert one["on"] == "claims" and "kept without end" in one["what"] and one["accepted"] is None
    assert [stage["what"] for stage in one["path"]] == ["`claims.name` is pii"]


def test_accepted_findings_come_last_with_who_lives_with_them_and_until_when() -> None:
    last = found(a_design(accepts=True))[-1]
    assert (last["code"], last["accepted"]) == ("R203", {"reason": "a test", "until": "2999-01-01"})


def test_a_design_is_judged_once_however_many_ask_and_whoever_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    check = parti.rules.checking.check

    def counting(design: Design, dataflow: Dataflow, today: date) -> Report:
        judged.append(today)
        return check(design, dataflow, today)

    monkeypatch.setattr(parti.rules.checking, "check", counting)

    async def ask() -> None:
        findings = findings_of(a_design(), SystemClock())
        impatient = asyncio.ensure_future(findings())
        await asyncio.sleep(0)
        impatient.cancel()
        one, other = await asyncio.gather(findings(), findings())
        assert one == other == await findings()

    asyncio.run(ask())
    assert len(judged) == 1
