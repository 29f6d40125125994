"""The picture says what parts and arrows did in a window: now, and just as well of a moment that has passed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from board_desk import Claim, Outside, a_desk
from engine_kit import World, play

from parti.board.queries.as_json import as_json
from parti.board.queries.offsets import Stream, offset_at
from parti.board.queries.picture import ArrowFigures, PartFigures, Picture, picture
from parti.testing.live import Live


def claim(number: int, **facts: Any) -> bytes:
    return Claim(id=f"c{number}", **facts).model_dump_json(by_alias=True).encode()


async def steadily(live: Live, count: int, apart: float, **facts: Any) -> None:
    for number in range(count):
        await live.publish("claims", [claim(number, **facts)])
        await asyncio.sleep(apart)


def part(shown: Picture, name: str) -> PartFigures:
    return next(one for one in shown.parts if one.name == name)


def arrow(shown: Picture, source: str, kind: str, target: str) -> ArrowFigures:
    return next(one for one in shown.arrows if (one.source, one.kind, one.target) == (source, kind, target))


def test_rates_and_latencies_are_those_of_the_last_seconds() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await steadily(live, 40, 0.5)  # 2 a second
            now = world.clock.now()
            shown = await picture(live.store, system.design, at=now)
        assert part(shown, "claims").rate_per_second == pytest.approx(2, rel=0.1)
        decide = part(shown, "decide")
        assert decide.rate_per_second == pytest.approx(2, rel=0.15)
        assert decide.p50_seconds == pytest.approx(0.1, abs=0.03)
        assert decide.over_slo is False
        assert decide.failed_just_now is False
        look = part(shown, "look")
        assert look.p50_seconds == pytest.approx(0.1, abs=0.01)
        assert arrow(shown, "decide", "calls", "look").rate_per_second == pytest.approx(2, rel=0.15)
        assert arrow(shown, "decide", "consumes", "claims").p50_seconds == decide.p50_seconds
        assert arrow(shown, "decide", "writes", "book").rate_per_second == pytest.approx(2, rel=0.15)
        assert arrow(shown, "decide", "publishes", "letters").rate_per_second == pytest.approx(2, rel=0.15)
        assert arrow(shown, "send", "calls", "post").p50_seconds == pytest.approx(0.2, abs=0.02)

    play(main)


def test_the_past_is_shown_as_it_was() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await steadily(live, 60, 0.25)  # 4 a second
            then = world.clock.now()
            live_then = await picture(live.store, system.design, at=then)
            await live.idle()
            await asyncio.sleep(600)
            await steadily(live, 10, 2.0)
            now = world.clock.now()
            later = await picture(live.store, system.design, at=then, now=now)
            shown = await picture(live.store, system.design, at=now, now=now)
        for name in ("claims", "decide", "look", "post"):
            before, after = part(live_then, name), part(later, name)
            assert after.rate_per_second == pytest.approx(before.rate_per_second, rel=0.15)
            assert (after.p50_seconds or 0) == pytest.approx(before.p50_seconds or 0, rel=0.15)
        assert part(later, "claims").rate_per_second == pytest.approx(4, rel=0.1)
        assert part(shown, "claims").rate_per_second == pytest.approx(0.5, rel=0.25)

    play(main)


def test_a_queue_is_counted_now_and_estimated_later() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await live.publish("claims", [claim(number, seconds=5.0) for number in range(800)])
            await asyncio.sleep(31)
            then = world.clock.now()
            shown = await picture(live.store, system.design, at=then)
            await asyncio.sleep(1000)
            later = await picture(live.store, system.design, at=then, now=world.clock.now())
            over = await picture(live.store, system.design, at=world.clock.now())
        left = part(shown, "decide").queue
        assert left is not None
        assert 100 < left < 800
        assert part(shown, "decide").queue_exact
        assert part(later, "decide").queue is not None
        assert not part(later, "decide").queue_exact
        assert part(over, "decide").queue == 0

    play(main)


def test_what_failed_just_now_pulses_and_says_why_without_names() -> None:
    async def main(world: World) -> None:
        system = a_desk(Outside(fails=2))
        async with world.running(system) as live:
            await live.publish("claims", [claim(1)])
            await asyncio.sleep(8)
            shown = await picture(live.store, system.design, at=world.clock.now())
            await asyncio.sleep(100)
            calm = await picture(live.store, system.design, at=world.clock.now())
        send = part(shown, "send")
        assert send.failed_just_now
        assert send.last_error is not None
        assert "no street for •••" in send.last_error
        assert "Ardent" not in str(as_json(shown))
        assert send.error_share == 1.0
        assert arrow(shown, "send", "calls", "post").failed == 2
        assert not part(calm, "send").failed_just_now
        assert part(calm, "send").rate_per_second == 0.0

    play(main)


def test_what_is_read_is_bounded_and_the_picture_says_so() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            for _ in range(20):
                await live.publish("claims", [claim(number, seconds=0.0) for number in range(100)])
                await asyncio.sleep(0.5)
            shown = await picture(live.store, system.design, at=world.clock.now())
        assert shown.sampled_runs < 600
        assert not shown.complete
        assert part(shown, "claims").rate_per_second == pytest.approx(200, rel=0.1)

    play(main)


def test_people_are_waited_for_on_the_picture() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await live.publish("claims", [claim(number, plan="ask") for number in range(3)])
            await asyncio.sleep(60)
            shown = await picture(live.store, system.design, at=world.clock.now())
        assert shown.open_questions == 3
        assert part(shown, "clerk").queue == 3
        assert part(shown, "decide").waiting == 3
        assert as_json(shown)["parts"][0]["name"] == shown.parts[0].name

    play(main)


def test_an_offset_is_found_in_few_reads_however_events_came() -> None:
    class Counting:
        def __init__(self, times: list[float]) -> None:
            self.times, self.reads = times, 0

        async def events(self, topic: str, partition: int, *, start: int, limit: int) -> list[Any]:
            self.reads += 1
            return [type("E", (), {"at": at}) for at in self.times[start : start + limit]]

    async def main() -> None:
        for times in ([n * 0.001 for n in range(100_000)], [0.0] * 50_000 + [n * 0.01 for n in range(1000)], [5.0]):
            for moment in (-1.0, 0.0, times[-1] - 3, times[-1], times[-1] + 1):
                store = Counting(times)
                found = await offset_at(store, Stream("t", 0, 0, len(times)), moment)  # type: ignore[arg-type]
                truth = sum(at <= moment for at in times)
                assert abs(found - truth) <= max(1, 0.1 * (len(times) - truth))
                assert store.reads <= 14

    asyncio.run(main())
