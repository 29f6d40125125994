"""The pulse: one picture a second for all pages, resumed after a lost connection, bounded, and over at the end."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from parti.adapters.virtual import run_virtual
from parti.board.pulse import EVERY, KEPT, LINGERS, LISTENERS, Pulse
from parti.errors import Overloaded, StoreError
from parti.ports.clock import Clock


class Camera:
    """Counts the pictures that are taken; `wrong` is raised instead."""

    def __init__(self) -> None:
        self.taken = 0
        self.wrong: Exception | None = None

    async def take(self) -> bytes:
        self.taken += 1
        if self.wrong:
            raise self.wrong
        return b'{"picture":%d}' % self.taken


def played(play: Callable[[Pulse, Camera, Clock], Awaitable[None]]) -> None:
    async def main(clock: Clock) -> None:
        camera = Camera()
        await play(Pulse(camera.take, clock, "e"), camera, clock)

    run_virtual(main)


async def heard(stream: AsyncIterator[bytes], count: int) -> list[str]:
    """The next `count` events, without the line that begins a stream."""
    events = []
    while len(events) < count:
        text = (await anext(stream)).decode()
        events += [text] if text.startswith("id:") else []
    return events


def ids(events: list[str]) -> list[str]:
    return [event.split("\n")[0].removeprefix("id: ") for event in events]


def test_one_picture_a_second_is_taken_however_many_pages_look() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        began = clock.now()
        streams = [pulse.listen("") for _ in range(5)]
        told = await asyncio.gather(*(heard(stream, 4) for stream in streams))
        assert all(events == told[0] for events in told) and ids(told[0]) == ["e-1", "e-2", "e-3", "e-4"]
        assert camera.taken == 4 and clock.now() - began == pytest.approx(3 * EVERY)

    played(play)


def test_no_picture_is_taken_while_nobody_looks() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        await clock.wait(60)
        assert camera.taken == 0
        stream = pulse.listen("")
        await heard(stream, 2)
        await stream.aclose()  # type: ignore[attr-defined]
        await clock.wait(60)
        assert camera.taken <= 2 + LINGERS + 1 and (pulse.listeners, pulse.kept) == (0, 0)

    played(play)


def test_a_page_that_comes_back_gets_what_it_missed() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        stream = pulse.listen("")
        assert ids(await heard(stream, 2)) == ["e-1", "e-2"]
        await stream.aclose()  # type: ignore[attr-defined]
        await clock.wait(5 * EVERY)
        assert ids(await heard(pulse.listen("e-2"), 5)) == ["e-3", "e-4", "e-5", "e-6", "e-7"]

    played(play)


def test_a_page_that_comes_long_after_everybody_left_begins_with_the_next_picture() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        stream = pulse.listen("")
        await heard(stream, 3)
        await stream.aclose()  # type: ignore[attr-defined]
        await clock.wait(100 * EVERY)
        taken = camera.taken
        assert ids(await heard(pulse.listen(""), 1)) == [f"e-{taken + 1}"]

    played(play)


@pytest.mark.parametrize("last", ["", "other-7", "e-99999999", "e-x", "nonsense", "e--1"])
def test_a_page_that_never_was_here_begins_with_the_latest_picture(last: str) -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        first = pulse.listen("")
        await heard(first, 5)
        assert ids(await heard(pulse.listen(last), 2))[-1] == "e-6" or last == "e-99999999"

    played(play)


def test_a_slow_reader_loses_old_pictures_and_holds_nothing() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        slow = pulse.listen("")
        await heard(slow, 1)
        await clock.wait(200 * EVERY)
        assert pulse.kept == KEPT
        numbers = [int(one.split("-")[1]) for one in ids(await heard(slow, KEPT))]
        assert numbers == list(range(camera.taken - KEPT + 1, camera.taken + 1))

    played(play)


def test_a_page_left_open_overnight_does_not_grow() -> None:
    """Three hours of a page that reads, and one that does not: what is held after ten minutes is held after all."""

    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        reading, stuck = pulse.listen(""), pulse.listen("")
        await heard(stuck, 1)
        await heard(reading, 600)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        await heard(reading, 3 * 3600)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert camera.taken == 600 + 3 * 3600 and pulse.kept == KEPT
        assert grown < 300_000  # were one kept of each picture, it would be over 800,000

    played(play)


def test_a_picture_that_cannot_be_taken_is_told_with_its_code_and_the_next_is_tried() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        camera.wrong = StoreError("P205", "a record is damaged", fix="see parti verify")
        stream = pulse.listen("")
        [event] = await heard(stream, 1)
        assert "event: trouble" in event and '"code": "P205"' in event
        camera.wrong = RuntimeError("a bug of ours, with secrets")
        [event] = await heard(stream, 1)
        assert '"code": "P307"' in event and "secrets" not in event
        camera.wrong = None
        assert "event: picture" in (await heard(stream, 1))[0]

    played(play)


def test_streams_end_at_the_end_and_none_begins_after_it() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        streams = [pulse.listen("") for _ in range(3)]
        for stream in streams:
            await heard(stream, 1)
        pulse.stop()
        for stream in streams:
            assert [event async for event in stream] == []
        with pytest.raises(Overloaded):
            pulse.check_room()

    played(play)


def test_so_many_pages_may_look_and_no_more() -> None:
    async def play(pulse: Pulse, camera: Camera, clock: Clock) -> None:
        streams = [pulse.listen("") for _ in range(LISTENERS)]
        await asyncio.gather(*(anext(stream) for stream in streams))
        with pytest.raises(Overloaded):
            pulse.check_room()
        await streams[0].aclose()  # type: ignore[attr-defined]
        pulse.check_room()

    played(play)
