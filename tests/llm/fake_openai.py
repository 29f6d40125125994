"""A server on loopback that speaks OpenAI's chat completions, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}

Reply = Callable[["FakeOpenAI", asyncio.StreamWriter], Awaitable[bool]]
"""Writes one reply; returns whether the connection stays open."""


class FakeOpenAI:
    """Answers each request by the next reply of its script, and keeps what was asked: `asked` bodies, `heads` headers.

    `arrived` is set when a request is there; `gone` when a client hung up while it waited.
    """

    def __init__(self, *script: Reply) -> None:
        self.script = list(script)
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> FakeOpenAI:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._reader = reader
        try:
            while await self._serve(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has hung up, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.split(":", maxsplit=1) for line in head.split("\r\n")[1:] if ":" in line]
        headers = {name.lower(): value.strip() for name, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.heads.append(headers)
        self.asked.append(json.loads(body))
        self.arrived.set()
        kept = await self.script.pop(0)(self, writer)
        await writer.drain()
        return kept

    async def wait_gone(self) -> None:
        """Until the client of the latest connection hangs up."""
        await self._reader.read()
        self.gone.set()


def said(text: str | None = "Hello.", *, finish: str = "stop", **message: Any) -> Reply:
    """A whole answer with status 200; further fields go into its message."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    return status(200, completion(choice))


def completion(*choices: dict[str, Any], model: str = "tiny-2026-01") -> dict[str, Any]:
    """The body of an answer."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": list(choices),
        "usage": USAGE,
    }


def call(name: str, arguments: str, ident: str = "call_1") -> dict[str, Any]:
    """A call of a tool, for `said(None, tool_calls=[...], finish="tool_calls")`."""
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


def failed(number: int, message: str, *, headers: dict[str, str] | None = None, **error: Any) -> Reply:
    """An error as OpenAI words it."""
    return status(number, {"error": {"message": message, "type": "error", **error}}, headers=headers)


def status(code: int, body: object, *, headers: dict[str, str] | None = None) -> Reply:
    """Any status and body; bytes are sent as they are, all else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def reply(_: FakeOpenAI, writer: asyncio.StreamWriter) -> bool:
        fields = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        writer.write(_head(code, fields) + data)
        return True

    return reply


def streamed(*pieces: dict[str, Any], finish: str | None = "stop", cut: bool = False) -> Reply:
    """An answer in pieces (deltas of its message). `cut` drops the connection after them, without an end."""

    async def reply(_: FakeOpenAI, writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
        for piece in pieces:
            writer.write(_chunk(_event({"index": 0, "delta": piece, "finish_reason": None})))
        if cut:
            await writer.drain()
            writer.transport.abort()
            return False
        if finish:
            writer.write(_chunk(_event({"index": 0, "delta": {}, "finish_reason": finish})))
        writer.write(_chunk(_event(usage=USAGE)) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        return True

    return reply


def texts(words: Iterable[str]) -> list[dict[str, Any]]:
    """Pieces of text for `streamed`."""
    return [{"role": "assistant", "content": word} for word in words]


async def one_word_and_silence(server: FakeOpenAI, writer: asyncio.StreamWriter) -> bool:
    """Begins a stream, and waits until the client hangs up."""
    writer.write(_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
    writer.write(_chunk(_event({"index": 0, "delta": texts(["One"])[0], "finish_reason": None})))
    return await silence(server, writer)


async def silence(server: FakeOpenAI, writer: asyncio.StreamWriter) -> bool:
    """Never answers; waits until the client hangs up."""
    await server.wait_gone()
    return False


async def hang_up(_: FakeOpenAI, writer: asyncio.StreamWriter) -> bool:
    """Drops the connection without a word."""
    writer.transport.abort()
    return False


def _event(choice: dict[str, Any] | None = None, **fields: Any) -> bytes:
    chunk = {**completion(*([choice] if choice else [])), "object": "chat.completion.chunk", "usage": None, **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _head(code: int, headers: dict[str, str]) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {code} Said\r\n{fields}\r\n".encode()
