"""Spans: journals read as trees of calls, where lines, batches and large answers are told."""

from __future__ import annotations

from typing import Any

import pytest
from engine_kit import Order

from parti import System
from parti.journal.entries import Entry, Kind
from parti.planning.gathering import Gathering
from parti.planning.reading_tokens import fitted
from parti.planning.spans import Run, Span, covered, run_of, stages
from parti.ports.store import RunRecord, State


def a_desk() -> System:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.step
    async def embed(id: str) -> str:
        return id

    @desk.on(topic)
    async def decide(order: Order) -> None:
        await embed(order.id)

    return desk


def a_run(*entries: Any, busy: float = 1.0, id: str = "r", ended: float = 101.0) -> Run:
    record = RunRecord(
        id, "decide", "main", "a", State.DONE, 1, "orders", 0, 0, b"", b"", b"", 99.0, 100.0, ended, 0.0, busy, "code"
    )  # fmt: skip
    return run_of(a_desk().design, record, list(entries))


def a_step(at: float, took: float, *more: Any, branch: str = "", part: str = "embed", kind: str = Kind.STEP) -> Entry:
    return Entry(kind, branch, part, "d", 1, at, took, [], "x", *more)


def test_a_call_that_stood_in_line_began_before_its_service() -> None:
    run = a_run(a_step(100.5, 0.2, {"waited": 0.3, "batch": 4}))
    (span,) = run.calls
    assert (span.at, span.served_from, span.until) == pytest.approx((100.2, 100.5, 100.7))
    assert (span.waited, span.batch) == (0.3, 4)
    assert span.own == pytest.approx(0.2)
    assert run.own == pytest.approx(0.5), "neither its line nor its service is the run's own"


def test_a_batch_is_timed_once_however_many_runs_it_served() -> None:
    gathering = Gathering(a_desk().design)
    for number in range(4):
        gathering.add(a_run(a_step(100.5, 0.2, {"waited": 0.1 * number, "batch": 4}), id=str(number)))
    gathering.add(a_run(a_step(100.8, 0.1), id="alone"))
    part = gathering.parts["embed"].profile()
    assert [(one.batch, one.seconds.count) for one in part.services] == [(1, 1), (4, 1)]
    assert part.services[1].waited is not None
    assert part.services[1].waited.count == 4
    assert part.outcomes.calls == 5


def test_a_run_whose_process_ended_in_between_is_seen_by_its_missing_time() -> None:
    assert a_run(busy=1.0).why == ""
    assert a_run(a_step(100.1, 0.1), busy=0.85).why == "interrupted", "it was at work before what it tells"
    assert a_run(a_step(100.1, 0.5), busy=0.4).why == "interrupted"
    late = a_run(a_step(100.7, 0.1), busy=0.4)
    assert (late.why, late.own) == ("", pytest.approx(0.3)), "the event loop was busy when it began"


def test_what_no_part_is_and_what_was_refused_are_no_calls() -> None:
    refused = Entry(Kind.FAIL, "", "embed", "d", 1, 100.0, 0.0, [], {"code": "P312"})
    run = a_run(refused, a_step(100.1, 0.1, part="gone"), a_step(100.1, 0.1, kind=Kind.NOW, part="now"))
    assert run.calls == []


def spans(*times: tuple[float, float, str | None]) -> list[Span]:
    return [Span(f"p{number}", "step", branch, at, until, "done") for number, (at, until, branch) in enumerate(times)]


def test_time_is_covered_once_however_many_calls_overlap() -> None:
    assert covered(spans((1, 3, ""), (2, 4, ""), (6, 9, "")), 0, 8) == 5.0
    assert covered([], 0, 8) == 0.0


def test_calls_of_one_branch_follow_each_other_and_those_of_others_are_beside_them() -> None:
    found = stages(spans((0, 1, "0"), (0, 2, "1"), (1, 3, "0"), (3, 4, ""), (4, 5, "")))
    assert [[span.part for span in stage] for stage in found] == [["p0", "p1"], ["p2"], ["p3"], ["p4"]]


def test_a_write_is_placed_by_its_times_since_its_branch_is_not_known() -> None:
    found = stages(spans((0, 2, "0"), (0, 3, "1"), (2, 3, None)))
    assert [[span.part for span in stage] for stage in found] == [["p0", "p1"], ["p2"]]


def test_a_line_through_the_times_of_a_model_finds_what_they_were_made_of() -> None:
    tokens = [(100.0, 10.0), (1000.0, 10.0), (100.0, 200.0), (3000.0, 50.0), (500.0, 400.0)]
    seconds = [0.2 + 0.0004 * prompt + 0.03 * output for prompt, output in tokens]
    line, fit = fitted(tokens, seconds)
    assert line == pytest.approx((0.2, 0.0004, 0.03))
    assert fit == pytest.approx(1.0)


def test_a_line_through_times_never_falls_with_more_tokens() -> None:
    line, fit = fitted([(100.0, 10.0), (200.0, 10.0), (300.0, 10.0)], [3.0, 2.0, 1.0])
    assert line == (2.0, 0.0, 0.0)
    assert fit == 0.0
    assert fitted([(5.0, 5.0)], [2.0])[0] == (2.0, 0.0, 0.0)
