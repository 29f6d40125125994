"""Calls of an HTTP service as its OpenAPI document describes them.

Implements ports.tool_server.Connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
from pydantic_core import to_json

from parti.adapters.environment import expanded
from parti.adapters.openapi.requests import Misfit, Sent, request_of
from parti.design.tool_server import ToolServer
from parti.ports.tool_server import Reply, ServerFailure

UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Failures before anything of the request was sent."""

UNSURE: Final = frozenset({408, 500, 502, 503, 504})
"""Answers that leave it open whether the call took effect."""


class OpenApiConnection:
    """One HTTP client. Redirects are not followed: they may lead anywhere, with the headers that hold secrets."""

    def __init__(self, server: ToolServer) -> None:
        self.stale = False
        self._server = server
        self._client: httpx.AsyncClient | None = None

    async def list(self) -> Sequence[Mapping[str, Any]]:
        """See ports.tool_server.Connection: the document is part of the program, and nobody needs to be asked."""
        self.stale = False
        return [
            {"name": one.name, "description": one.about, "inputSchema": one.schema, "reach": one.reach}
            for one in self._server.operations.values()
        ]

    async def call(self, tool: str, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """See ports.tool_server.Connection. The key goes along as `Idempotency-Key`."""
        try:
            sent = request_of(self._server.operations[tool], arguments)
        except Misfit as wrong:
            return Reply(str(wrong), failed=True)
        request = self._request(sent, key)
        try:
            return await self._ask(request, bool(key))
        except httpx.LocalProtocolError as wrong:
            raise ServerFailure(self._said(wrong), sent=False, fix="look at the document, and at headers=") from wrong
        except UNSENT as wrong:
            raise ServerFailure(self._said(wrong), sent=False, passing=True, fix="look whether it runs") from wrong
        except httpx.HTTPError as wrong:
            raise ServerFailure(self._said(wrong), passing=True, fix="look whether it runs") from wrong

    async def close(self) -> None:
        """See ports.tool_server.Connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _request(self, sent: Sent, key: str) -> httpx.Request:
        """The whole request. What `headers=` says wins, whatever its case. Raises ServerFailure where none can be made."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=httpx.Timeout(self._server.timeout))
        configured = expanded(self._server.headers)
        try:
            headers = httpx.Headers(sent.headers)
            headers.update(configured)
            if key:
                headers["Idempotency-Key"] = key
            return self._client.build_request(
                sent.method,
                self._server.url + sent.path,
                params=httpx.QueryParams(tuple(sent.query)),
                content=None if sent.body is None else to_json(sent.body),
                headers=headers,
            )
        except (ValueError, httpx.InvalidURL) as wrong:
            said = f"no request to `{self._server.name}` can be made: {type(wrong).__name__}"
            raise ServerFailure(said, sent=False, fix="look at the document, and at headers=") from wrong

    async def _ask(self, request: httpx.Request, writes: bool) -> Reply:
        assert self._client is not None, "it made the request"
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            text = await _text(response, self._server.result_max)
            status = response.status_code
        finally:
            await response.aclose()
        if status == 429:
            raise ServerFailure(f"`{self._server.name}` is asked too often (429)", sent=False, passing=True)
        if status in UNSURE:
            raise ServerFailure(f"`{self._server.name}` answered {status}: {text[:500]}", sent=writes, passing=True)
        if not 200 <= status < 300:
            return Reply(f"{status} {response.reason_phrase}: {text}", failed=True)
        if text is _TOO_LONG:
            return Reply(f"P707 the result has more than {self._server.result_max:,} bytes", failed=True)
        return Reply(text or f"{status} {response.reason_phrase}")

    def _said(self, wrong: Exception) -> str:
        return f"`{self._server.name}` cannot be reached: {type(wrong).__name__}: {wrong}"[:1000]


_TOO_LONG: Final = "[too long to be read]"


async def _text(response: httpx.Response, most: int) -> str:
    """The answer's text, up to a bound."""
    kind = response.headers.get("content-type", "")
    if kind and not any(word in kind for word in ("json", "text", "xml", "yaml", "csv", "javascript", "form")):
        return f"[{kind} left out]"
    parts, size = [], 0
    async for chunk in response.aiter_bytes():
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            return _TOO_LONG
    return b"".join(parts).decode(response.charset_encoding or "utf-8", "replace")
