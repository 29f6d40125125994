"""Reading a request: its body within a bound, its query, and its idempotency key."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qsl

from pydantic_core import from_json
from starlette.requests import Request

from parti.serve.refusals import Refusal, not_json, problem
from parti.units import Bytes, Seconds, size_text

BODY_BYTES: Final[Bytes] = 16 * 1024 * 1024
"""The largest body of a request."""

QUERY_FIELDS: Final = 1000
KEY_LENGTH: Final = 255
Query = dict[str, list[str]]


def header(request: Request, name: str) -> str | None:
    """The header of that lower-case name; None when it is missing, joined by ", " when it is repeated (RFC 9110)."""
    values = request.headers.getlist(name)
    return ", ".join(values) if values else None


async def read_body(request: Request, *, within: Seconds, limit: Bytes = BODY_BYTES) -> bytes:
    """The body, read as it comes and never beyond `limit` bytes, whatever the headers say about its length.

    Raises Refusal 413 (P404), 408 (P504) when it takes longer than `within`, and ClientDisconnect.
    """
    declared = header(request, "content-length") or ""
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(within):
            return await _collect(request, limit)
    except TimeoutError:
        fix = "send it faster, or in smaller parts"
        raise Refusal(problem(408, "P504", "the body did not arrive in time", fix=fix)) from None


async def _collect(request: Request, limit: Bytes) -> bytes:
    parts: list[bytes] = []
    room = limit
    async with aclosing(request.stream()) as stream:
        async for part in stream:
            parts.append(part)
            room -= len(part)
            if room < 0:
                raise _too_large(limit)
    return b"".join(parts)


def _too_large(limit: Bytes) -> Refusal:
    # The rest of the body is not wanted, so the connection cannot be used again.
    what = f"the body is larger than {size_text(limit)}"
    return Refusal(problem(413, "P404", what, fix="send it in smaller parts", headers={"connection": "close"}))


def idempotency_key(request: Request) -> str:
    """The `Idempotency-Key` of the request, quoted (a structured field) or bare; "" when it has none.

    Source: draft-ietf-httpapi-idempotency-key-header. Raises Refusal 400 (P504) for a key that cannot be one.
    """
    text = header(request, "idempotency-key")
    if text is None:
        return ""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not is_key(text):
        fix = f"send 1 to {KEY_LENGTH} printable ASCII characters, a UUID for instance"
        raise Refusal(problem(400, "P504", "the Idempotency-Key cannot be used", fix=fix))
    return text


def is_key(text: object) -> bool:
    """Whether it can be an idempotency key."""
    return isinstance(text, str) and 0 < len(text) <= KEY_LENGTH and text.isascii() and text.isprintable()


def strict_json(body: bytes) -> bytes:
    """The body; NaN and Infinity, which Python's readers let pass, are not JSON (RFC 8259) and raise Refusal 400."""
    if b"NaN" in body or b"Infinity" in body:
        try:
            from_json(body, allow_inf_nan=False)
        except ValueError as wrong:
            raise not_json(str(wrong)) from None
    return body


def query_of(request: Request) -> Query:
    """Every value of each field of the query. Raises Refusal 400 (P504) where Starlette's `query_params` lets pass."""
    text: bytes = request.scope["query_string"]
    found: Query = {}
    try:
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_FIELDS, errors="strict")
    except ValueError:
        fix = f"percent-encode it as UTF-8, with {QUERY_FIELDS} fields at most"
        raise Refusal(problem(400, "P504", "the query cannot be read", fix=fix)) from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
