"""The real server on loopback: free ports, parallel calls, oversized bodies, overload, and a drained end."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from serve_desk import GATES
from serve_fakes import TOKEN, FakeOperations, run

from parti.errors import PartiError
from parti.serve import serve


def served(operations: FakeOperations, **more: Any) -> AbstractAsyncContextManager[str]:
    options = {"port": 0, "token": TOKEN, "design_json": dict, **more}
    return serve(operations, **options)


def gate(id: str) -> tuple[asyncio.Event, asyncio.Event]:
    GATES[id] = (asyncio.Event(), asyncio.Event())
    return GATES[id]


async def raw(url: str, *parts: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Send bytes as they are; the status, headers and JSON of the answer."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        pass  # The server answered before it had everything, and hung up.
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return int(head[0].split()[1]), headers, json.loads(body)


def test_a_request_is_answered_on_a_free_port_while_the_block_runs(operations: FakeOperations) -> None:
    async def main() -> None:
        async with served(operations) as url, httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/applications/a1")
            assert answer.json() == {"application_id": "a1", "approved": True}
            assert "server" not in answer.headers
            head = await client.head("/applications/a1")
            assert (head.status_code, head.content) == (200, b"")
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)

    run(main())


def test_parallel_calls_with_one_key_get_one_answer(operations: FakeOperations) -> None:
    async def main() -> None:
        started, go = gate("one")
        async with served(operations) as url, httpx.AsyncClient(base_url=url) as client:
            calls = [asyncio.create_task(client.post("/slow/one", headers={"Idempotency-Key": "k"})) for _ in range(2)]
            await started.wait()
            while len(operations.calls) < 2:
                await asyncio.sleep(0)
            go.set()
            answers = await asyncio.gather(*calls)
        assert [answer.json() for answer in answers] == ["one", "one"]
        assert len({answer.headers["parti-run"] for answer in answers}) == 1
        assert sorted(answer.headers.get("idempotency-replayed", "no") for answer in answers) == ["no", "true"]

    run(main())


def test_more_calls_than_an_endpoint_takes_are_told_to_come_back(operations: FakeOperations) -> None:
    async def main() -> None:
        gates = [gate(id) for id in ("one", "two")]
        async with served(operations) as url, httpx.AsyncClient(base_url=url) as client:
            calls = [asyncio.create_task(client.post(f"/slow/{id}")) for id in ("one", "two")]
            for started, _ in gates:
                await started.wait()
            refused = await client.post("/slow/three")
            assert (refused.status_code, refused.json()["code"]) == (503, "P503")
            assert refused.headers["retry-after"] == "1"
            for _, go in gates:
                go.set()
            assert [(await call).status_code for call in calls] == [200, 200]
            # The places are free again.
            gate("four")[1].set()
            assert (await client.post("/slow/four")).status_code == 200

    run(main())


def test_an_oversized_chunked_body_is_refused_while_it_comes(operations: FakeOperations) -> None:
    async def main() -> None:
        head = b"POST /applications HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        async with served(operations) as url:
            status, headers, body = await raw(url, head, *[chunk] * 16, b"1\r\n \r\n")
            assert (status, body["code"], headers["connection"]) == (413, "P404", "close")
            status, _, body = await raw(url, head, b"2\r\n{}\r\n0\r\n\r\n")
            assert (status, body["code"]) == (422, "P402")

    run(main())


def test_a_client_that_hangs_up_halfway_gives_its_place_back(operations: FakeOperations) -> None:
    async def main() -> None:
        async with served(operations) as url:
            address = httpx.URL(url)
            _, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"POST /applications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            async with httpx.AsyncClient(base_url=url) as client:
                assert (await client.get("/-/health")).status_code == 200
        assert operations.calls == []

    run(main())


def test_a_request_under_way_is_finished_before_the_server_ends(operations: FakeOperations) -> None:
    async def main() -> None:
        started, go = gate("one")
        async with httpx.AsyncClient() as client:
            async with served(operations) as url:
                call = asyncio.create_task(client.post(f"{url}/slow/one"))
                await started.wait()
                # Later than uvicorn looks for the first time, so that it has to wait.
                asyncio.get_running_loop().call_later(0.35, go.set)
            assert call.done() or (await call).status_code == 200
            assert call.result().json() == "one"

    run(main())


def test_a_request_that_does_not_end_in_time_is_told_to_come_back(operations: FakeOperations) -> None:
    async def main() -> None:
        started, _ = gate("one")
        async with httpx.AsyncClient() as client:
            async with served(operations, drain=0.05) as url:
                call = asyncio.create_task(client.post(f"{url}/slow/one"))
                await started.wait()
            answer = await call
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "P503", "1")

    run(main())


def test_an_address_in_use_is_a_coded_error(operations: FakeOperations) -> None:
    async def main() -> None:
        async with served(operations) as url:
            with pytest.raises(PartiError, match="P505"):
                async with served(operations, port=httpx.URL(url).port):
                    pass

    run(main())


def test_an_address_that_is_not_of_this_machine_is_a_coded_error(operations: FakeOperations) -> None:
    async def main() -> None:
        with pytest.raises(PartiError, match="P505"):
            async with served(operations, host="192.0.2.1", token_given=True):
                pass

    run(main())


def test_an_address_that_others_reach_needs_a_token_of_the_operators_own(operations: FakeOperations) -> None:
    async def main() -> None:
        with pytest.raises(PartiError, match="P501"):
            async with served(operations, host="0.0.0.0"):
                pass

    run(main())


def test_a_server_on_loopback_knows_its_names(operations: FakeOperations) -> None:
    async def main() -> None:
        async with served(operations, hosts=["desk.lan"]) as url, httpx.AsyncClient(base_url=url) as client:
            told = [
                (await client.get("/-/health", headers={"Host": host})).status_code for host in ("desk.lan", "evil")
            ]
            assert told == [200, 403]

    run(main())


def test_signals_are_left_to_the_program(operations: FakeOperations) -> None:
    async def main() -> None:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        async with served(operations) as url, httpx.AsyncClient(base_url=url) as client:
            await client.get("/-/health")
            assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    run(main())
