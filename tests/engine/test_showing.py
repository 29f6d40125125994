"""What a person is shown before they agree: no argument is hidden by another, and what was left out is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_kit import Play, World, wait_for_state

from parti import System
from parti.engine.showing import SHOWN_MAX, fair_shares, shown
from parti.ports.store import State


def question_of(in_world: Play, **arguments: Any) -> str:
    """What the treasurer is asked before money is paid."""
    desk = System("desk")

    @desk.tool(effect="write", key="id", idempotent=True, approval="treasurer")
    async def pay(id: str, memo: str, more: dict[str, Any], cents: int) -> None:
        return None

    @desk.post("/pay", timeout="1h")
    async def paying() -> None:
        given = {"id": "b", "memo": "", "more": {}, "cents": 500, **arguments}
        await pay(given["id"], given["memo"], given["more"], given["cents"])

    async def main(world: World) -> str:
        async with world.running(desk) as live:
            asked = asyncio.ensure_future(live.call("paying", (), idempotency_key="k"))
            await wait_for_state(live, State.WAITING)
            (question,) = await live.store.questions()
            asked.cancel()
            return question.text

    return in_world(main)


def test_a_long_argument_is_cut_by_itself_and_hides_none_after_it(in_world: Play) -> None:
    text = question_of(in_world, memo="lunch " * 600, cents=99_999_999)
    assert text.startswith('May `pay` be called with id="b", memo="lunch lunch')
    assert text.endswith("more characters of memo], more={}, cents=99999999?")
    assert len(text) < SHOWN_MAX + 200


def test_a_long_member_of_an_object_hides_none_of_its_others(in_world: Play) -> None:
    text = question_of(in_world, more={"note": "x" * 9_000, "to": {"why": "y" * 9_000, "account": "DE1"}})
    assert "more characters of more.note]" in text
    assert "more characters of more.to.why]" in text
    assert '"account":"DE1"' in text
    assert text.endswith("cents=500?")


def test_what_was_left_out_is_counted() -> None:
    assert shown("memo", "x" * 100, 70) == f'"{"x" * 70}" [30 more characters of memo]'
    assert shown("ids", list(range(1_000)), 100).endswith("more characters of ids]")
    assert shown("all", ["x" * 500, 7], 200) == f'["{"x" * 199}" [301 more characters of all[0]],7]'


def test_short_values_are_whole_however_many_there_are() -> None:
    many = {f"n{index}": "v" * 60 for index in range(100)}
    assert shown("many", many, 100).count("v" * 60) == 100


@pytest.mark.parametrize(
    ("sizes", "room", "shares"),
    [([], 9, []), ([2, 3], 9, [2, 3]), ([100, 2, 100], 10, [4, 2, 4]), ([100, 0], 10, [10, 0])],
)
def test_the_short_get_what_they_need_and_the_long_share_the_rest(
    sizes: list[int], room: int, shares: list[int]
) -> None:
    assert fair_shares(sizes, room) == shares
