"""A running system spoken to over HTTP answers and refuses as it does in its own process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from parti import System, ask
from parti.adapters.remote import Remote
from parti.errors import PartiError
from parti.ports.store import State
from parti.testing import running
from parti.testing.live import Live


class Order(BaseModel):
    id: str


def desk() -> System:
    system = System("desk")
    orders = system.topic("orders", Order, key="id")

    @system.on(orders, retry=1)
    async def decide(order: Order) -> None:
        if order.id == "bad":
            raise ValueError("bad")
        await ask("boss", order.id)

    return system


def told(story: Callable[[Live, Remote], Awaitable[None]], tmp_path: Path) -> None:
    async def main() -> None:
        async with running(desk(), tmp_path / "desk.parti", http=True) as live:
            await story(live, Remote(live.url, live.token))

    asyncio.run(main())


async def refused(attempt: Awaitable[object]) -> str:
    with pytest.raises(PartiError) as caught:
        await attempt
    return caught.value.code


def test_publishing_gives_the_positions_and_a_key_publishes_once(tmp_path: Path) -> None:
    async def story(live: Live, remote: Remote) -> None:
        first = await remote.publish("orders", [b'{"id":"a"}', b'{"id":"b"}'], idempotency_key="k")
        await live.idle()
        again = await remote.publish("orders", [b'{"id":"a"}', b'{"id":"b"}'], idempotency_key="k")
        assert len(first.positions) == 2
        assert first == again
        assert len(await live.events("orders")) == 2

    told(story, tmp_path)


def test_runs_and_questions_come_back_as_records(tmp_path: Path) -> None:
    async def story(live: Live, remote: Remote) -> None:
        await remote.publish("orders", [b'{"id":"bad"}', b'{"id":"a"}', b'{"id":"b"}'])
        await live.idle()
        [dead] = await live.store.runs(state=State.DEAD)
        retried = await remote.retry(dead.id)
        assert (retried.id, retried.attempt) == (dead.id, 2)
        first, second = await live.store.questions()
        answered = await remote.answer(first.id, b"true", by="ann")
        await live.idle()
        assert answered == await live.store.question(first.id)
        cancelled = await remote.cancel(second.run)
        assert cancelled == await live.store.run(second.run)
        assert cancelled.state is State.CANCELLED

    told(story, tmp_path)


def test_refusals_are_the_same_errors(tmp_path: Path) -> None:
    async def story(live: Live, remote: Remote) -> None:
        assert await refused(remote.publish("nothing", [b"{}"])) == "P308"
        assert await refused(remote.publish("orders", [b'{"x":1}'])) == "P402"
        assert await refused(remote.retry("decide:orders:0:0")) == "P308"
        assert await refused(remote.answer("what?", b"true", by="ann")) == "P308"
        assert await refused(Remote(live.url, "guess").cancel("x")) == "P502"
        assert await refused(Remote(f"{live.url}/docs", live.token).cancel("x")) == "P507"

    told(story, tmp_path)


def test_silence_is_p506() -> None:
    assert asyncio.run(refused(Remote("http://127.0.0.1:9", "token", timeout=1.0).cancel("x"))) == "P506"


def test_what_is_not_parti_is_p506() -> None:
    async def strange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        await writer.drain()
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(strange, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            assert await refused(Remote(f"http://127.0.0.1:{port}", "token").cancel("x")) == "P506"

    asyncio.run(main())
