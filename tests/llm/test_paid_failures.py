"""Which failures of a provider may have been paid all the same: those after the request was sent and not refused."""

from __future__ import annotations

import pytest
from fake_openai import Reply, completion, failed, hang_up, silence, status, streamed
from llm_kit import failing, failing_without_a_server

PAID: dict[str, Reply] = {
    "hung up": hang_up,
    "a timeout of a gateway": status(504, b"<html>"),
    "not JSON": status(200, b'{"id": '),
    "no choices": status(200, completion()),
}

FREE: dict[str, Reply] = {
    "busy": failed(429, "Too many requests"),
    "broken": failed(500, "Boom"),
    "down": failed(503, "Down"),
    "a wrong key": failed(401, "Incorrect API key"),
    "a bad request": failed(400, "temperature must be below 2"),
    "too large": failed(413, "Limit 6000, requested 7000"),
}


@pytest.mark.parametrize("case", PAID)
def test_what_was_sent_and_not_refused_may_have_been_paid(case: str) -> None:
    assert failing(PAID[case]).paid


@pytest.mark.parametrize("case", FREE)
def test_what_was_refused_costs_nothing(case: str) -> None:
    assert not failing(FREE[case]).paid


def test_an_answer_that_does_not_come_in_time_may_have_been_paid() -> None:
    assert failing(silence, timeout=0.05).paid


def test_a_stream_that_breaks_off_may_have_been_paid() -> None:
    assert failing(streamed({"role": "assistant", "content": "One"}, cut=True), tell=print).paid


def test_a_server_that_is_not_there_costs_nothing() -> None:
    assert not failing_without_a_server().paid
