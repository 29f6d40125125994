"""A run's bars add up to its wall time, whatever happened to it; and each says what it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from board_desk import Claim, Outside, a_desk
from engine_kit import World, play, wait_for_state
from hypothesis import given
from hypothesis import strategies as st

from parti.board.queries.as_json import as_json
from parti.board.queries.calls import Placed
from parti.board.queries.masking import Known
from parti.board.queries.run import Read, RunShown, run, shown_run
from parti.errors import PartiError
from parti.journal.entries import Entry, Kind
from parti.ports.store import QuestionRecord, RunRecord, State
from parti.testing.live import Live
from parti.testing.script import Script, calls
from parti.testing.store_samples import NOW, a_run

DESIGN = a_desk().design


def adds_up(shown: RunShown) -> None:
    """The segments are the wall time, each moment once; and bars lie where they say."""
    assert shown.shares.total == pytest.approx(shown.wall_seconds, rel=1e-6, abs=1e-5)
    at = shown.begin
    for segment in shown.segments:
        assert segment.at == pytest.approx(at, abs=1e-9)
        assert segment.until > segment.at
        at = segment.until
    if shown.segments:
        assert at == pytest.approx(shown.end, abs=1e-9)
    for bar in shown.bars:
        assert bar.at <= bar.until
        busy = bar.in_line_seconds + bar.working_seconds + bar.waiting_seconds
        assert busy <= bar.until - bar.at + 1e-4
        assert bar.parent is None or shown.bars[bar.parent].at <= bar.at
    assert min(as_json(shown.shares).values()) >= 0


async def finished(
    world: World, system: Any, plan: str, *, hours: float = 1.0, script: Script | None = None
) -> RunShown:
    async with world.running(system, script=script) as live:
        await publish(live, plan)
        await asyncio.sleep(hours * 3600)
        return await shown_of(world, live, system)


async def publish(live: Live, plan: str) -> None:
    await live.publish(
        "claims", [Claim(id="c1", plan=plan, note="for Ann Ardent").model_dump_json(by_alias=True).encode()]
    )


async def shown_of(world: World, live: Live, system: Any, part: str = "decide") -> RunShown:
    [record] = await live.store.runs(part=part)
    return await run(live.store, system.design, record.id, at=world.clock.now())


def test_a_plain_run_is_its_steps() -> None:
    async def main(world: World) -> None:
        shown = await finished(world, a_desk(), "plain")
        adds_up(shown)
        assert shown.line.state == "done"
        assert shown.shares.parts_seconds == pytest.approx(0.1, abs=0.001)
        assert shown.shares.unexplained_seconds < 0.01 * shown.wall_seconds + 0.005
        assert [bar.part for bar in shown.bars][:1] == ["look"]

    play(main)


def test_steps_at_once_have_their_time_once_and_a_line_is_told_from_work() -> None:
    async def main(world: World) -> None:
        shown = await finished(world, a_desk(), "gather")
        adds_up(shown)
        assert shown.wall_seconds == pytest.approx(1.0, abs=0.03)
        assert shown.shares.parts_seconds == pytest.approx(1.0, abs=0.01)
        lines = sorted(bar.in_line_seconds for bar in shown.bars if bar.part == "alone")
        assert lines == pytest.approx([0.0, 0.5], abs=0.01)

    play(main)


def test_waiting_for_a_person_for_days_is_waiting_also_across_a_restart() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system, crash=True) as live:
            await publish(live, "ask")
            await wait_for_state(live, State.WAITING)
            await asyncio.sleep(86_400)
        await asyncio.sleep(86_400)
        async with world.running(system) as live:
            await asyncio.sleep(86_400)
            await live.answer_all(b"true", by="cleo")
            await live.idle()
            shown = await shown_of(world, live, system)
        adds_up(shown)
        assert shown.shares.waiting_seconds == pytest.approx(3 * 86_400, rel=0.001)
        [question] = [bar for bar in shown.bars if bar.kind == "person"]
        assert question.state == "done"
        assert [(one.by, one.state) for one in shown.questions] == [("cleo", "answered")]
        assert "Ardent" not in str(as_json(shown)), "what a masked field holds is masked in texts, too"
        assert "4711" not in str(as_json(shown))

    play(main)


def test_tries_that_failed_stand_apart_with_the_wait_between_them() -> None:
    async def main(world: World) -> None:
        shown = await finished(world, a_desk(), "broken")
        adds_up(shown)
        assert [one.number for one in shown.attempts] == [1, 2, 3]
        assert shown.shares.backoff_seconds == pytest.approx(shown.wall_seconds, rel=0.02)
        assert shown.error is not None
        assert shown.error.code == "P307"
        assert "•••" in str(shown.error.message.value)

    play(main)


def test_a_dead_run_that_was_started_again_was_dead_meanwhile() -> None:
    async def main(world: World) -> None:
        outside = Outside(fails=2)
        system = a_desk(outside)
        async with world.running(system) as live:
            await publish(live, "plain")
            dead = await wait_for_state(live, State.DEAD)
            await asyncio.sleep(600)
            await live.engine.retry(dead.id)
            await live.idle()
            shown = await shown_of(world, live, system, "send")
        adds_up(shown)
        assert outside.posted == ["c1"]
        assert shown.shares.dead_seconds == pytest.approx(600, rel=0.01)
        assert 0.5 < shown.shares.backoff_seconds < 10, "the wait before a try is drawn by chance"
        assert [bar.state for bar in shown.bars if bar.part == "post"] == ["failed", "failed", "done"]

    play(main)


def test_an_agent_is_a_bar_around_its_turns_and_tools() -> None:
    async def slow(request: Any) -> Any:
        await asyncio.sleep(2.0)
        return next(lines)

    lines = iter([calls(("weather", {"place": "Ghent"})), {"text": "It rains, Ann Ardent."}])

    async def main(world: World) -> None:
        shown = await finished(world, a_desk(), "agent", script=Script(slow))
        adds_up(shown)
        agent = next(bar for bar in shown.bars if bar.kind == "agent")
        inside = [bar.part for bar in shown.bars if bar.parent == agent.index]
        assert inside == ["llm", "weather", "llm"]
        assert shown.shares.parts_seconds == pytest.approx(4.4, abs=0.05)
        assert shown.tokens > 0
        assert sum(bar.tokens for bar in shown.bars if bar.kind == "llm") == shown.tokens
        assert agent.output is not None
        assert "Ardent" not in str(as_json(shown))

    play(main)


def test_time_in_which_no_process_ran_is_unexplained() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system, crash=True) as live:
            await live.publish(
                "claims", [Claim(id="c1", seconds=30.0, plan="plain").model_dump_json(by_alias=True).encode()]
            )
            await asyncio.sleep(5)
        await asyncio.sleep(100)
        async with world.running(system) as live:
            await live.idle(within=60)
            shown = await shown_of(world, live, system)
        adds_up(shown)
        assert shown.wall_seconds == pytest.approx(135, rel=0.01)
        assert shown.shares.parts_seconds == pytest.approx(30, rel=0.01)
        assert shown.shares.in_line_seconds + shown.shares.unexplained_seconds == pytest.approx(105, rel=0.01)

    play(main)


def test_a_run_that_nobody_knows_is_refused() -> None:
    async def main(world: World) -> None:
        with pytest.raises(PartiError, match="there is no run"):
            await run(world.store, DESIGN, "decide:claims:0:99", at=0.0)

    play(main)


KINDS = [
    Kind.STEP, Kind.FAIL, Kind.READ, Kind.INTENT, Kind.DONE, Kind.UNDONE, Kind.NOW, Kind.ASK, Kind.ANSWER, Kind.SLEEP,
    Kind.PUT, Kind.PUBLISH, Kind.ATTEMPT, Kind.RETRY, Kind.SPEND, Kind.TAINT, Kind.GATE, Kind.ARROW, Kind.PIN, "later",
]  # fmt: skip
SECONDS = st.floats(0, 1e6)
ANSWERS = {
    Kind.FAIL: {"code": "P302", "error": "no"}, Kind.ATTEMPT: {"code": "P307", "error": "no"}, Kind.SPEND: [5, 3, 1],
    Kind.ANSWER: {"value": True}, Kind.TAINT: ["pii"], Kind.GATE: {"then": "allow", "why": "so"},
}  # fmt: skip


@st.composite
def an_entry(draw: st.DrawFn) -> Entry:
    """An entry of any kind, with times that need not make sense together."""
    kind, at = draw(st.sampled_from(KINDS)), NOW + draw(SECONDS)
    part = draw(st.sampled_from(["look", "alone", "post", "writer", "llm", "book", "letters", "clerk", "gone"]))
    branch = draw(st.sampled_from(["", "0", "1", "/1", "/1/2", "0/3", "0/3.1", "key"]))
    answer: Any = ANSWERS.get(kind)
    if kind in (Kind.SLEEP, Kind.ASK):
        answer = at + draw(SECONDS)
    more = draw(st.sampled_from([{}, {"waited": 3.5}, {"waited": 100.0, "batch": 4}]))
    digest = draw(st.sampled_from(["d1", "d2"]))
    return Entry(kind, branch, part, digest, draw(st.integers(0, 4)), at, draw(SECONDS), None, answer, more)


@st.composite
def a_record(draw: st.DrawFn) -> RunRecord:
    state = draw(st.sampled_from(State))
    started = draw(st.sampled_from([0.0, NOW + 1, NOW + 500.0]))
    ended = NOW + draw(st.floats(500, 2e6)) if state.ended else 0.0
    attempt, busy = draw(st.integers(1, 5)), draw(SECONDS)
    return a_run("r", state=state, started=started, ended=ended, attempt=attempt, busy=busy)


@given(a_record(), st.lists(an_entry(), max_size=25), st.floats(0, 3e6))
def test_bars_add_up_whatever_a_journal_says(record: RunRecord, entries: list[Entry], later: float) -> None:
    placed = [Placed(number, 0, entry) for number, entry in enumerate(entries)]
    doubt = QuestionRecord("r?doubt-post-d1", "r", "operator", "?", b"{}", NOW + 3, 0, "open", b"", "", 0)
    read = Read(record, None, placed, [doubt], Known(), len(placed))
    shown = shown_run(DESIGN, read, NOW + later)
    assert abs(shown.shares.total - shown.wall_seconds) <= 0.01 * shown.wall_seconds + 1e-4
    as_json(shown)
    at = shown.begin
    for segment in shown.segments:
        assert abs(segment.at - at) < 1e-6
        at = segment.until
