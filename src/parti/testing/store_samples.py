"""Records with plausible values, for tests of stores."""

from __future__ import annotations

from typing import Any

from parti.ports.store import NewEvent, QuestionRecord, RunRecord, State

NOW = 1767225600.25


def a_run(
    id: str, *, part: str = "decide", state: State = State.QUEUED, created: float = NOW, **changes: Any
) -> RunRecord:
    """A run record with plausible values."""
    record = RunRecord(
        id=id, part=part, tenant="main", key="k", state=state, attempt=1, topic="orders", partition=0, offset=7,
        arguments=b"", result=b"", error=b"", created=created, started=0.0, ended=0.0, wake=0.0, busy=0.125, code="c0de",
    )  # fmt: skip
    return record._replace(**changes)


def an_event(
    topic: str = "orders", partition: int = 0, *, key: str = "k", body: bytes = b"{}", at: float = NOW
) -> NewEvent:
    """An event with plausible values."""
    return NewEvent(topic, partition, "main", key, body, "5c4e", at, "some-run")


def a_question(id: str, *, who: str = "underwriter", asked: float = NOW, state: str = "open") -> QuestionRecord:
    """A question with plausible values."""
    return QuestionRecord(id, "some-run", who, "Approve?", b"{}", asked, 0, state, b"", "", 0)
