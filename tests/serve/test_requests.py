"""Reading bodies and keys, where a whole request would say too little."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from serve_fakes import run
from starlette.requests import ClientDisconnect, Request

from parti.serve.refusals import Refusal
from parti.serve.requests import header, idempotency_key, read_body


def request(*messages: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None) -> Request:
    """A request whose body comes in these messages, and then nothing more for ever."""
    waiting = list(messages)

    async def receive() -> Any:
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    return Request({"type": "http", "method": "POST", "headers": headers or []}, receive)


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_is_joined() -> None:
    assert run(read_body(request(part(b"a"), part(b""), part(b"b", more=False)), within=5)) == b"ab"


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert run(read_body(request(part(b"abc"), part(b"d", more=False)), within=5, limit=4)) == b"abcd"
    with pytest.raises(Refusal):
        run(read_body(request(part(b"abc"), part(b"de", more=False)), within=5, limit=4))


def test_a_body_that_stops_coming_is_given_up() -> None:
    with pytest.raises(Refusal) as refused:
        run(read_body(request(part(b"a")), within=0.01))
    assert refused.value.answer.status_code == 408


def test_nobody_is_answered_when_the_client_is_gone() -> None:
    with pytest.raises(ClientDisconnect):
        run(read_body(request(part(b"a"), {"type": "http.disconnect"}), within=5))


def test_a_key_with_escapes_is_read_as_a_structured_field_says() -> None:
    assert idempotency_key(request(headers=[(b"idempotency-key", rb'"a\"b\\c"')])) == r'a"b\c'


def test_a_header_that_is_repeated_is_one_value() -> None:
    twice = request(headers=[(b"x", b"1"), (b"y", b"2"), (b"x", b"3")])
    assert (header(twice, "x"), header(twice, "y"), header(twice, "z")) == ("1, 3", "2", None)
