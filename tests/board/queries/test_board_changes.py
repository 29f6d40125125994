"""What a person changes from the page: an answer that arrives once, reasons field by field, and dead runs started again."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from board_desk import Claim, a_desk
from engine_kit import World, play, wait_for_state
from pydantic import BaseModel, Field, TypeAdapter

from parti.board import Shown
from parti.board.changes import CHANGES
from parti.board.misfits import MOST, Misfits, check_schema
from parti.board.retries import AT_ONCE, retry_dead
from parti.errors import PartiError
from parti.ports.store import State
from parti.testing.live import Live


class Line(BaseModel):
    name: str
    count: int = Field(ge=1)


class Verdict(BaseModel):
    decision: Literal["pay", "refuse"]
    amount: float = Field(ge=0, le=100)
    first: Line | None = None


async def change(live: Live, name: str, **body: Any) -> Any:
    """Change something, as the page does."""
    return await CHANGES[name](Shown(live.engine, "", ""), body)


def misfits(value: Any, schema: dict[str, Any]) -> dict[str, str]:
    """What does not fit, by field."""
    with pytest.raises(Misfits) as refused:
        check_schema(value, schema)
    return {".".join(map(str, one.field)): one.error for one in refused.value.misfits}


async def asked(live: Live) -> str:
    """The id of the question that a claim leads to."""
    await live.publish("claims", [Claim(id="c1", plan="ask").model_dump_json(by_alias=True).encode()])
    run = await wait_for_state(live, State.WAITING)
    [found] = await live.store.questions(state="open", limit=10)
    assert found.run == run.id
    return found.id


def test_the_same_answer_by_the_same_person_is_taken_once_and_told_again() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            id = await asked(live)
            first = await change(live, "answer", question=id, answer=True, by=" Ada ")
            again = await change(live, "answer", question=id, answer=True, by="Ada")
            assert (first.state, first.by, first.answered) == ("answered", "Ada", again.answered)
            for other in ({"answer": False, "by": "Ada"}, {"answer": True, "by": "Bea"}):
                with pytest.raises(PartiError) as refused:
                    await change(live, "answer", question=id, **other)
                assert refused.value.code == "P309"

    play(main)


@pytest.mark.parametrize("by", ["", "  ", "x" * 201])
def test_an_answer_needs_somebody_who_gives_it(by: str) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            id = await asked(live)
            with pytest.raises(PartiError) as refused:
                await change(live, "answer", question=id, answer=True, by=by)
            assert refused.value.code == "P504"
            assert (await live.store.question(id)).state == "open"  # type: ignore[union-attr]

    play(main)


def test_an_answer_that_does_not_fit_is_refused_and_the_question_stays_open() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            id = await asked(live)
            with pytest.raises(Misfits) as refused:
                await change(live, "answer", question=id, answer="perhaps", by="Ada")
            assert refused.value.as_json()["errors"] == [{"field": [], "error": "'perhaps' is not of type 'boolean'"}]
            assert (await live.store.question(id)).state == "open"  # type: ignore[union-attr]

    play(main)


def test_an_event_that_does_not_fit_is_refused_field_by_field_and_nothing_is_published() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            with pytest.raises(Misfits) as refused:
                await change(live, "publish", topic="claims", payload={"seconds": "soon"}, key="k")
            assert [error["field"] for error in refused.value.as_json()["errors"]] == [["id"], ["seconds"]]
            assert await live.events("claims") == []

    play(main)


def test_reasons_name_the_field_that_is_missing_or_wrong_however_deep() -> None:
    schema = TypeAdapter(Verdict).json_schema()
    assert misfits({"amount": 120}, schema) == {
        "decision": "Field required",
        "amount": "120 is greater than the maximum of 100",
    }
    found = misfits({"decision": "pay", "amount": 1, "first": {"name": "lamp", "count": 0}}, schema)
    assert found == {"first.count": "0 is less than the minimum of 1"}
    assert misfits({"decision": "pay", "amount": 1, "first": {}}, schema) == {
        "first.name": "Field required",
        "first.count": "Field required",
    }
    assert len(misfits(["x"] * 500, {"items": {"type": "integer"}})) == MOST
    check_schema({"decision": "pay", "amount": 1, "first": None}, schema)


def test_all_dead_runs_begin_again_page_by_page_each_once_also_if_they_die_again() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            many = AT_ONCE + 30
            claims = [Claim(id=f"c{number}", plan="broken") for number in range(many)]
            await live.publish("claims", [one.model_dump_json(by_alias=True).encode() for one in claims])
            await live.idle()
            first = await retry_dead(live.engine, topic="claims")
            await live.idle()
            assert (first.retried, first.refused) == (AT_ONCE, 0) and first.next is not None
            rest = await retry_dead(live.engine, topic="claims", after=first.next)
            assert (rest.retried, rest.refused, rest.next) == (30, 0, None)
            assert (await retry_dead(live.engine, part="send")).retried == 0
            with pytest.raises(PartiError, match="nothing handles"):
                await retry_dead(live.engine, topic="no-such")

    play(main)


def test_runs_that_cannot_begin_again_are_counted_with_the_reason() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            await live.publish("claims", [Claim(id="c1", plan="broken").model_dump_json(by_alias=True).encode()])
            await live.idle()
            [dead] = await live.store.runs(state=State.DEAD)
            live.engine.retrying.add(dead.id)
            done = await retry_dead(live.engine)
            assert (done.retried, done.refused) == (0, 1)
            assert (done.why[0].run, done.why[0].code) == (dead.id, "P309")
            live.engine.retrying.discard(dead.id)

    play(main)
