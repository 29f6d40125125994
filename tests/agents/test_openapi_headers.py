"""Headers of HTTP services: a model says those that are arguments, as HTTP allows, and never those of the program."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from engine_kit import run

from parti import System
from parti.adapters.openapi.connection import OpenApiConnection
from parti.design.tool_server import ToolServer
from parti.ports.tool_server import Reply, ServerFailure


def a_server(*names: str, url: str = "http://127.0.0.1:9", **options: Any) -> ToolServer:
    """A service with one write, `note`, whose parameters are headers of these names."""
    parameters = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in names]
    document = {
        "openapi": "3.0.3",
        "paths": {"/notes": {"post": {"operationId": "note", "parameters": parameters}}},
    }
    return System("desk").openapi("crm", document=document, base_url=url, **options).part  # type: ignore[no-any-return]


def arguments_of(server: ToolServer) -> list[str]:
    return list(server.operations["note"].schema["properties"])


def sent(arguments: dict[str, str], *names: str, **options: Any) -> tuple[Reply, list[tuple[str, str]]]:
    """What a call gave, and the headers by name that came with it."""
    seen: list[tuple[str, str]] = []
    ended = asyncio.Event()
    ended.set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.clear()
        with suppress(asyncio.IncompleteReadError):  # it connected, and said nothing
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:-1]
            seen.extend((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        ended.set()

    async def main() -> Reply:
        listening = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        connection = OpenApiConnection(a_server(*names, url=url, **options))
        try:
            return await connection.call("note", arguments, key="k")
        finally:
            await connection.close()
            await ended.wait()
            listening.close()
            await listening.wait_closed()

    return run(main()), seen


@pytest.mark.parametrize("value", ["Zoë", "漢", "a\nb", "a\r\nX-Admin: yes", "a\x00b", " a", "a "])
def test_a_value_that_no_header_can_carry_is_told_to_the_model_and_not_sent(value: str) -> None:
    reply, seen = sent({"X-Who": value}, "X-Who")
    assert reply.failed
    assert reply.text.startswith("X-Who may only be one line of ASCII characters")
    assert seen == []


@pytest.mark.parametrize("value", ["", "a", "a b\t~", "Bearer x;q=0.5"])
def test_every_other_value_is_sent_as_it_is(value: str) -> None:
    reply, seen = sent({"X-Who": value}, "X-Who")
    assert reply == Reply("ok")
    assert dict(seen)["x-who"] == value


@pytest.mark.parametrize(
    ("names", "configured"), [(["X-Who"], {"X-Token": "é"}), (["X Who"], {}), ([], {"X-Token": "a\nb"})]
)
def test_a_request_that_cannot_be_made_was_certainly_not_sent(names: list[str], configured: dict[str, str]) -> None:
    with pytest.raises(ServerFailure) as failure:
        sent(dict.fromkeys(names, "ok"), *names, headers=configured)
    assert (failure.value.sent, failure.value.passing) == (False, False)


def test_headers_of_the_program_and_of_http_are_no_arguments() -> None:
    names = ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "Cookie", "X-Forwarded-For", "x-tenant"]
    assert arguments_of(a_server("X-Who", *names, headers={"X-Tenant": "acme"})) == ["X-Who"]
    assert arguments_of(a_server("X-Who", "x-tenant")) == ["X-Who", "x-tenant"]


def test_what_the_program_says_is_said_once_and_wins() -> None:
    headers = {"x-tenant": "acme", "USER-AGENT": "desk", "idempotency-key": "mine"}
    _, seen = sent({"X-Who": "me"}, "X-Who", headers=headers)
    assert [value for name, value in seen if name == "x-tenant"] == ["acme"]
    assert [value for name, value in seen if name == "user-agent"] == ["desk"]
    assert [value for name, value in seen if name == "idempotency-key"] == ["k"], "but for the key of the write"


def test_a_header_that_is_named_in_a_query_is_an_argument_of_the_query() -> None:
    parameters = [{"name": "host", "in": "query", "schema": {"type": "string"}}]
    document = {"openapi": "3.0.3", "paths": {"/look": {"get": {"operationId": "look", "parameters": parameters}}}}
    server: Any = System("desk").openapi("crm", document=document, base_url="http://host").part
    assert server.operations["look"].places == {"host": "query"}
