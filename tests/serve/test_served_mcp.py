"""Agents and endpoints as MCP tools, called by the official client over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from served_desk import a_desk, asked, in_desk

from parti.ports.llm import LlmFailure
from parti.serve import serve
from parti.testing import Script, calls, running
from parti.testing.live import Live

ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])
"""The protocol with sessions, and the one without."""


@asynccontextmanager
async def client_of(live: Live, mode: Any = "auto", **options: Any) -> AsyncIterator[Client]:
    async with Client(f"{live.url}/mcp", mode=mode, **options) as client:
        yield client


@ERAS
def test_tools_say_what_they_take_and_give(mode: str) -> None:
    async def test(live: Live) -> None:
        async with client_of(live, mode) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["poet", "writer", "poster", "place", "total", "wait"]
        assert tools["poet"].input_schema["required"] == ["task"]
        assert tools["writer"].output_schema["properties"].keys() == {"to", "text"}  # type: ignore[index]
        assert tools["place"].input_schema["required"] == ["order"]
        assert tools["place"].description == "Place an order."
        hints = {name: tool.annotations for name, tool in tools.items()}
        assert hints["total"].read_only_hint and hints["total"].idempotent_hint  # type: ignore[union-attr]
        assert not hints["poet"].read_only_hint and not hints["poet"].destructive_hint  # type: ignore[union-attr]
        assert hints["poster"].destructive_hint  # type: ignore[union-attr]

    in_desk(test)


@ERAS
def test_a_call_is_a_run_with_a_result(mode: str) -> None:
    letter = {"to": "ann", "text": "hello"}

    async def test(live: Live) -> None:
        async with client_of(live, mode) as client:
            poem = await client.call_tool("poet", {"task": "a poem"})
            wrote = await client.call_tool("writer", {"task": "a letter"})
            order = await client.call_tool("place", {"order": {"id": "a", "cents": 1}})
            total = await client.call_tool("total", {"id": "abc"})
        assert (poem.content[0].text, poem.structured_content) == ("red", {"result": "red"})  # type: ignore[union-attr]
        assert wrote.structured_content == letter
        assert order.structured_content == {"id": "a", "cents": 2}
        assert total.structured_content == {"result": 3}
        run = await live.store.run(poem.meta["parti/run"])  # type: ignore[index]
        assert run is not None and (run.part, run.state.value) == ("poet.served", "done")

    in_desk(test, ["red", letter])


def test_a_key_makes_two_calls_one_run() -> None:
    script = Script(["first", "second"])

    async def test(live: Live) -> None:
        meta: Any = {"parti/idempotency-key": "k"}
        async with client_of(live) as client:
            first = await client.call_tool("poet", {"task": "a"}, meta=meta)
            again = await client.call_tool("poet", {"task": "a"}, meta=meta)
            other = await client.call_tool("poet", {"task": "b"}, meta=meta)
            with pytest.raises(MCPError, match="idempotency-key"):
                await client.call_tool("poet", {"task": "a"}, meta={"parti/idempotency-key": "ü"})  # type: ignore[typeddict-unknown-key]
        assert first.structured_content == again.structured_content == {"result": "first"}
        assert other.is_error and "P310" in other.content[0].text  # type: ignore[union-attr]
        assert len(script.asked) == 1

    in_desk(test, script)


@ERAS
def test_what_a_run_tells_is_progress(mode: str) -> None:
    heard: list[str | None] = []

    async def progress(_: float, __: float | None, message: str | None) -> None:
        heard.append(message)

    async def test(live: Live) -> None:
        async with client_of(live, mode) as client:
            await client.call_tool("poet", {"task": "a poem"}, progress_callback=progress)
            await client.call_tool("place", {"order": {"id": "a"}}, progress_callback=progress)
        assert heard == ["roses", " are", " red", "placing"]

    in_desk(test, ["roses are red"])


@ERAS
def test_an_unknown_tool_is_an_error_of_the_protocol(mode: str) -> None:
    async def test(live: Live) -> None:
        async with client_of(live, mode) as client:
            with pytest.raises(MCPError, match="there are: poet") as caught:
                await client.call_tool("hidden", {"task": "x"})
        assert caught.value.code == -32602

    in_desk(test)


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("poet", {}, "takes a task"),
        ("poet", {"task": ""}, "takes a task"),
        ("place", {}, "order is missing"),
        ("place", {"order": {"id": "a", "cents": "many"}}, "order: "),
        ("place", {"order": {"id": "a"}, "more": 1}, "more is not known"),
    ],
)
def test_arguments_that_do_not_fit_are_named_for_the_model(tool: str, arguments: Any, said: str) -> None:
    async def test(live: Live) -> None:
        async with client_of(live) as client:
            result = await client.call_tool(tool, arguments)
        assert result.is_error and said in result.content[0].text  # type: ignore[union-attr]

    in_desk(test)


def test_a_failure_is_told_without_its_inside() -> None:
    async def test(live: Live) -> None:
        async with client_of(live) as client:
            failed = await client.call_tool("place", {"order": {"id": "a", "cents": -1}})
            unanswered = await client.call_tool("poet", {"task": "x"})
        for result, code in ((failed, "P307"), (unanswered, "P701")):
            text = result.content[0].text  # type: ignore[union-attr]
            assert result.is_error and code in text and "secret" not in text
            assert result.meta["parti/run"]  # type: ignore[index]

    in_desk(test, [LlmFailure("P701", "secret", lasting=True)])


@ERAS
def test_a_call_that_is_cancelled_cancels_its_run(mode: str) -> None:
    async def test(live: Live) -> None:
        meta: Any = {"parti/idempotency-key": "k"}
        async with client_of(live, mode) as client:
            call = asyncio.ensure_future(client.call_tool("wait", {}, meta=meta))
            await asked(live)
            call.cancel()
            await asyncio.wait([call])
            while (run := await live.store.run("wait:k")) is None or not run.state.ended:
                await live.engine.clock.wait(0.01)
            assert run.state.value == "cancelled"

    in_desk(test)


def test_too_many_calls_are_refused_by_the_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parti.declare.exposing.CONCURRENCY", 1)

    async def test(live: Live) -> None:
        async with client_of(live) as client:
            first = asyncio.ensure_future(client.call_tool("poster", {"task": "x"}))
            await asked(live)
            with pytest.raises(MCPError, match="P503") as caught:
                await client.call_tool("poster", {"task": "y"})
            assert caught.value.data["retry_after"] == 1
            await live.answer_all(b"true")
            assert (await first).structured_content == {"result": "done"}

    in_desk(test, [calls(("post", {"to": "ann"})), "done"])


def test_strangers_are_refused_and_nonsense_is_no_request() -> None:
    async def test(live: Live) -> None:
        async with httpx.AsyncClient(base_url=live.url) as client:
            evil = await client.post("/mcp", json={}, headers={"Origin": "https://evil.example"})
            assert evil.status_code == 403
            headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
            wrong = await client.post("/mcp", content=b"{", headers=headers)
            assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, -32700)
            assert (await client.put("/mcp")).status_code == 405

    in_desk(test)


def test_a_client_that_only_listens_does_not_hold_up_the_end() -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(headers=accept) as client:
            async with running(a_desk(), http=True, script=Script([])) as live:
                asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
                begun = await client.post(f"{live.url}/mcp", json=asked)
                session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
                listening = await client.send(
                    client.build_request("GET", f"{live.url}/mcp", headers=session), stream=True
                )
                assert listening.status_code == 200
                ended = loop.time()
            await listening.aclose()
        assert loop.time() - ended < 5, "it takes no time to drain"

    asyncio.run(asyncio.wait_for(main(), 30))


@ERAS
def test_a_server_that_ends_cancels_no_run(mode: str) -> None:
    async def main() -> None:
        async with running(a_desk(), script=Script([])) as live:
            async with serve(live.engine, port=0, token="t", design_json=dict, drain=0.1) as url:
                client = Client(f"{url}/mcp", mode=mode)  # type: ignore[arg-type]
                await client.__aenter__()
                meta: Any = {"parti/idempotency-key": "k"}
                call = asyncio.ensure_future(client.call_tool("wait", {}, meta=meta))
                await asked(live)
            with pytest.raises(MCPError):
                await call
            await client.__aexit__(None, None, None)
            run = await live.store.run("wait:k")
            assert run is not None and run.state.value == "waiting"

    asyncio.run(asyncio.wait_for(main(), 30))
