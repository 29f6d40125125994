"""Who was shown what is masked is journaled before it is shown, by the store itself, and proved like all else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_kit import Order, Play, World, code_of, orders

from parti import System


def a_desk() -> System:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        pass

    return desk


async def reveals(world: World) -> list[dict[str, Any]]:
    own = [json.loads(row.body)[0] for row in await world.store.journal("")]
    return [facts for kind, facts in own if kind == "reveal"]


def test_who_asked_for_what_and_when_outlives_a_crash(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(), crash=True) as live:
            await live.publish("orders", orders("a"))
            asked = world.clock.now()
            await live.engine.note_reveal("event/orders/0/0#/amount", by="ann")
        [told] = await reveals(world)
        assert (told["place"], told["by"]) == ("event/orders/0/0#/amount", "ann")
        assert asked <= told["at"] <= world.clock.now()
        async with world.running(a_desk()) as live:
            await live.idle()
        assert len(await reveals(world)) == 1, "a restart repeats nothing"
        assert await world.store.verify() == []

    in_world(main)


@pytest.mark.parametrize(("place", "by"), [("", "ann"), ("run/r#/0", ""), ("x" * 5000, "ann"), ("run/r#/0", "n" * 300)])
def test_nobody_is_shown_anything_under_no_name(in_world: Play, place: str, by: str) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            assert await code_of(live.engine.note_reveal(place, by=by)) == "P504"
        assert await reveals(world) == []

    in_world(main)
