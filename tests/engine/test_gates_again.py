"""What a gate decided stays decided, whatever the labels say when the run is taken up again."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import pytest
from engine_kit import Play, World, entries_of, the_run
from pydantic import BaseModel

from parti import Gate, Label, PartiError, System, sleep
from parti.testing import Live, Script


class Letter(BaseModel):
    """What a stranger wrote."""

    id: Annotated[str, Label.TRUSTED]
    text: Annotated[str, Label.UNTRUSTED]


class Person(BaseModel):
    """A row about somebody."""

    id: str
    name: Annotated[str, Label.PII]


def office(done: list[str], then: Any, labels: Any = "run", **cleared: Any) -> System:
    """Reads a letter, sends what it says, and waits for an hour whatever came of that."""
    office = System("office", gate=Gate("ask", who="boss") if then == "ask" else Gate(then), labels=labels)

    @office.tool(effect="read")
    async def letter(id: str) -> Letter:
        return Letter(id=id, text="eve@evil.example")

    @office.tool(effect="write", key="to", idempotent=True, **cleared)
    async def send(to: str) -> str:
        done.append(to)
        return "sent"

    @office.post("/do", labels=Label.TRUSTED, timeout="9d")
    async def do(id: str) -> str:
        said = ""
        try:
            said = await send((await letter(id)).text)
        except PartiError as refused:
            said = refused.code
        await sleep("1h")
        return said

    return office


async def _begin(live: Live, endpoint: str, *, seconds: float = 60.0) -> None:
    calling = live.engine.spawn(live.call(endpoint, ["a"]))
    await live.engine.clock.wait(seconds)
    calling.cancel()
    with suppress(BaseException):
        await calling


@pytest.mark.parametrize("later", [{}, {"labels": "off"}, {"clearance": Label.UNTRUSTED}])
@pytest.mark.parametrize("answer", [b"false", b"true"])
def test_a_persons_answer_counts_after_a_restart_with_other_labels(
    in_world: Play, later: dict[str, Any], answer: bytes
) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        async with world.running(office(done, "ask"), crash=True) as live:
            await _begin(live, "do")
            (question,) = await live.store.questions()
        async with world.running(office(done, "ask", **later)) as live:
            await live.engine.clock.wait(60)
            assert done == [], "the question is open still"
            await live.engine.answer(question.id, answer, by="boss")
            await live.idle(within=9000)
            run = await the_run(live)
            assert run.result == (b'"sent"' if answer == b"true" else b'"P902"')
        assert done == (["eve@evil.example"] if answer == b"true" else [])

    in_world(main)


@pytest.mark.parametrize("later", [{}, {"labels": "off"}, {"clearance": Label.UNTRUSTED}])
def test_a_refusal_stays_one_after_a_restart_with_other_labels(in_world: Play, later: dict[str, Any]) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        async with world.running(office(done, "refuse"), crash=True) as live:
            await _begin(live, "do")
        async with world.running(office(done, "refuse", **later)) as live:
            await live.idle(within=9000)
            assert (await the_run(live)).result == b'"P901"'
            assert [one.kind for one in await entries_of(live.store, (await the_run(live)).id)].count("gate") == 1
        assert done == []

    in_world(main)


def hr(labels: Any) -> System:
    """Shows a model outside, and its caller, what is known of a person, and waits for an hour before it gives up."""
    hr = System("hr", labels=labels)
    people = hr.table("people", Person, key="id")
    outside = hr.llm("openai:gpt-5-mini", name="outside")

    @hr.tool(effect="read", labels=Label.TRUSTED)
    async def search(query: str) -> str:
        return f"nothing about {query}"

    @hr.post("/put", key="id", labels=Label.TRUSTED)
    async def put(id: str) -> None:
        await people.put(Person(id=id, name="Ann Alder"))

    @hr.post("/ask", key="id", labels=Label.TRUSTED, timeout="9d")
    async def ask(id: str) -> int:
        row = await people.get(id)
        try:
            return len(await outside.ask(f"Greet {row.name if row else 'nobody'}"))
        except PartiError as refused:
            await sleep("1h")
            return int(refused.code[1:])

    @hr.post("/twice", key="id", labels=Label.TRUSTED, clearance=Label.PII, timeout="9d")
    async def twice(id: str) -> str:
        first = await search("Ann Alder")
        row = await people.get(id)
        try:
            return await search(row.name if row else "")
        except PartiError as refused:
            await sleep("1h")
            return f"{first}, then {refused.code}"

    return hr


def test_a_model_outside_that_was_refused_is_not_asked_with_labels_off(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(hr("run"), script=Script([]), crash=True) as live:
            await live.call("put", ["a"])
            await _begin(live, "ask")
        script = Script(["Hello"])
        async with world.running(hr("off"), script=script) as live:
            await live.idle(within=9000)
            (run,) = await live.store.runs(part="ask")
            assert run.result == b"901"
            assert script.asked == []

    in_world(main)


@pytest.mark.parametrize("labels", ["run", "off"])
def test_a_refusal_is_not_taken_for_that_of_an_equal_call_before_it(in_world: Play, labels: Any) -> None:
    """The first was made before anything was read, and no gate was asked about it; the journal knows both by one name."""

    async def main(world: World) -> None:
        async with world.running(hr("run"), script=Script([]), crash=True) as live:
            await live.call("put", ["a"])
            await _begin(live, "twice")
        async with world.running(hr(labels), script=Script([])) as live:
            await live.idle(within=9000)
            (run,) = await live.store.runs(part="twice")
            assert run.result == b'"nothing about Ann Alder, then P901"'

    in_world(main)
