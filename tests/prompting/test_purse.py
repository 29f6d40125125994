"""A purse holds what calls may cost before they are made, so that no number of them at once overspends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from parti import System
from parti.agents.purse import Purse
from parti.design.llm import Llm
from parti.errors import LlmError
from parti.ports.llm import Again, Answer, Request, Said

REQUEST = Request((Said("user", "hello"),))
DESK = System("desk")
LLM = DESK.llm("local").part


class Priced:
    """Models whose calls may cost a dollar, and cost what `costs` says."""

    def __init__(self, costs: Callable[[Again | None], Awaitable[float]], price: float | None = 1.0) -> None:
        self.asked = 0
        self.price = price
        self._costs = costs

    async def answer(
        self, llm: Llm, request: Request, *, key: Any, tell: Any = None, again: Any = None, waited: Any = None
    ) -> Answer:
        self.asked += 1
        return Answer("hello", usd=await self._costs(again))

    def reserve_for(self, llm: Llm, request: Request) -> tuple[float | None, int]:
        return self.price, 100

    async def close(self) -> None:
        """Nothing is held."""


async def cheap(again: Again | None) -> float:
    return 0.25


def test_only_what_may_be_afforded_is_asked(tmp_path: Path) -> None:
    models = Priced(cheap)
    purse = Purse(models, tmp_path / "spent", 2.0)

    async def ask() -> None:
        while True:
            await purse.answer(LLM, REQUEST, key="a")

    with pytest.raises(LlmError) as wrong:
        asyncio.run(ask())
    assert (wrong.value.code, wrong.value.paid) == ("P722", False)
    assert (models.asked, purse.spent, purse.refused) == (5, 1.25, True)
    assert "$2.0000 may be spent, $1.2500 are" in wrong.value.what


def test_calls_at_once_never_hold_more_than_there_is(tmp_path: Path) -> None:
    most = 0.0

    async def slow(again: Again | None) -> float:
        nonlocal most
        most = max(most, purse.spent + purse.held)
        await asyncio.to_thread(int)
        return 1.0

    models = Priced(slow)
    purse = Purse(models, tmp_path / "spent", 3.5)

    async def ask() -> list[object]:
        return await asyncio.gather(*(purse.answer(LLM, REQUEST, key=n) for n in range(10)), return_exceptions=True)

    found = asyncio.run(ask())
    assert sum(isinstance(one, Answer) for one in found) == 3
    assert (models.asked, purse.spent, most) == (3, 3.0, 3.0)


def test_a_call_waits_while_only_money_that_is_set_aside_is_in_the_way(tmp_path: Path) -> None:
    """Calls that may cost a dollar and cost a quarter: of ten at once all are made, though two at a time may be."""

    async def slow(again: Again | None) -> float:
        await asyncio.to_thread(int)
        return 0.25

    models = Priced(slow)
    purse = Purse(models, tmp_path / "spent", 3.3)

    async def ask() -> list[Answer]:
        return await asyncio.gather(*(purse.answer(LLM, REQUEST, key=n) for n in range(10)))

    assert len(asyncio.run(asyncio.wait_for(ask(), 20))) == 10
    assert (models.asked, purse.spent, purse.held, purse.refused) == (10, 2.5, 0.0, False)


def test_a_call_that_waits_is_refused_once_what_was_set_aside_is_spent(tmp_path: Path) -> None:
    async def ask() -> str:
        async def dear(again: Again | None) -> float:
            await paid.wait()
            return 1.0

        paid, purse = asyncio.Event(), Purse(Priced(dear), tmp_path / "spent", 1.5)
        first = asyncio.ensure_future(purse.answer(LLM, REQUEST, key="a"))
        second = asyncio.ensure_future(purse.answer(LLM, REQUEST, key="b"))
        await asyncio.wait([second], timeout=0.01)
        assert not second.done()
        paid.set()
        await first
        with pytest.raises(LlmError) as wrong:
            await second
        assert purse.refused
        return wrong.value.what

    assert "$1.5000 may be spent, $1.0000 are, and a call of `local` may take $1.0000" in asyncio.run(ask())


def test_a_refusal_names_what_is_set_aside(tmp_path: Path) -> None:
    async def ask() -> str:
        async def dear(again: Again | None) -> float:
            purse.spent = 1.0
            with pytest.raises(LlmError) as wrong:
                await purse.answer(LLM, REQUEST, key="b")
            return told.append(wrong.value.what) or 1.0

        told: list[str] = []
        purse = Purse(Priced(dear), tmp_path / "spent", 1.5)
        await purse.answer(LLM, REQUEST, key="a")
        return told[0]

    assert "$1.0000 are, $1.0000 are set aside for calls under way, and a call" in asyncio.run(ask())


def test_what_was_spent_and_what_was_under_way_at_a_crash_counts_in_the_next_process(tmp_path: Path) -> None:
    async def crash(again: Again | None) -> float:
        left.append((tmp_path / "spent").read_text(encoding="utf-8"))
        return 0.25

    left: list[str] = []
    purse = Purse(Priced(crash), tmp_path / "spent", 9.0)
    asyncio.run(purse.answer(LLM, REQUEST, key="a"))
    asyncio.run(purse.answer(LLM, REQUEST, key="a"))
    assert left == ["1.0", "1.25"], "the call under way counts as much as it may cost"
    assert Purse(Priced(cheap), tmp_path / "spent").spent == 0.5


def test_requests_that_may_have_been_paid_count_in_full(tmp_path: Path) -> None:
    async def repeated(again: Again | None) -> float:
        assert again is not None
        await again()
        await again()
        return 0.25

    purse = Purse(Priced(repeated), tmp_path / "spent", 9.0)
    asyncio.run(purse.answer(LLM, REQUEST, key="a"))
    assert (purse.spent, purse.held) == (2.25, 0.0)
    purse.allow(3.5)
    with pytest.raises(LlmError):
        asyncio.run(purse.answer(LLM, REQUEST, key="a"))
    assert (purse.spent, purse.held) == (3.25, 0.0), "the second request was not made, the first may have been paid"


@pytest.mark.parametrize(("paid", "spent"), [(True, 1.0), (False, 0.0)])
def test_a_failed_call_costs_what_its_failure_says(tmp_path: Path, paid: bool, spent: float) -> None:
    async def fail(again: Again | None) -> float:
        error = LlmError("P701", "down")
        error.paid = paid
        raise error

    purse = Purse(Priced(fail), tmp_path / "spent", 9.0)
    with pytest.raises(LlmError):
        asyncio.run(purse.answer(LLM, REQUEST, key="a"))
    assert (purse.spent, purse.held) == (spent, 0.0)


def test_a_ledger_that_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "spent").write_text("much", encoding="utf-8")
    assert Purse(Priced(cheap), tmp_path / "spent").spent == 0.0


def test_a_limit_refuses_a_model_whose_price_nobody_knows(tmp_path: Path) -> None:
    models = Priced(cheap, price=None)
    purse = Purse(models, tmp_path / "spent", 2.0)
    with pytest.raises(LlmError, match="P710 nobody knows what `local`"):
        asyncio.run(purse.answer(LLM, REQUEST, key="a"))
    assert (models.asked, purse.refused) == (0, True), "a program that catches it says nothing of its case"
    assert asyncio.run(Purse(models, tmp_path / "spent").answer(LLM, REQUEST, key="a")).text == "hello"
