"""An MCP server over streamable HTTP, with a bound on the size of its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from parti.adapters.environment import expanded
from parti.design.tool_server import ToolServer
from parti.units import size_text


@asynccontextmanager
async def over_http(server: ToolServer, longest: int) -> AsyncIterator[tuple[Any, Any]]:
    """The streams of a session with the server at `server.url`. A step's own timeout bounds how long is waited for it."""

    async def bound(response: httpx2.Response) -> None:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):  # bounded event by event
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _Bounded(response.stream, longest)

    async with (
        httpx2.AsyncClient(
            headers=expanded(server.headers),
            timeout=httpx2.Timeout(server.timeout, read=None),
            event_hooks={"response": [bound]},
        ) as client,
        streamable_http_client(server.url, http_client=client, max_sse_event_size=longest) as streams,
    ):
        yield streams


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error when it is longer than it may be."""

    def __init__(self, stream: httpx2.AsyncByteStream, longest: int) -> None:
        self._stream = stream
        self._left = longest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx2.ReadError(f"the answer is longer than {size_text(self._left + len(chunk))}")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
