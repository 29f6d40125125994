"""Every way out of a run has a gate: outside models, trusted topics, answers, tools that read; and every way in counts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any

import pytest
from engine_kit import Play, World, entries_of, the_run
from pydantic import BaseModel

from parti import Gate, Label, PartiError, System
from parti.cli.why import why
from parti.ports.llm import LlmFailure
from parti.ports.store import State
from parti.testing import Script, calls, running


class Person(BaseModel):
    """A row about somebody."""

    id: str
    name: Annotated[str, Label.PII]


class Order(BaseModel):
    """What is believed by who reads it."""

    id: str
    text: Annotated[str, Label.TRUSTED]


def desk(**options: Any) -> System:
    """A desk at which private and strange things could leave in every way."""
    desk = System("desk", labels="run", **options)
    people = desk.table("people", Person, key="id")
    orders = desk.topic("orders", Order, key="id")
    outside = desk.llm("openai:gpt-5-mini", name="outside")

    @desk.tool(effect="read", labels=Label.UNTRUSTED)
    async def web(id: str) -> str:
        return "order 1000 chairs"

    @desk.tool(effect="read", labels=Label.TRUSTED)
    async def search(query: str) -> str:
        return "nothing"

    @desk.post("/put", key="id", labels=Label.TRUSTED)
    async def put(id: str) -> None:
        await people.put(Person(id=id, name="Ann Alder"))

    @desk.post("/tell", key="id", labels=Label.TRUSTED)
    async def tell(id: str) -> str:
        row = await people.get(id)
        return "" if row is None else row.name

    @desk.post("/greet", key="id", labels=Label.TRUSTED)
    async def greet(id: str) -> int:
        row = await people.get(id)
        return len(await outside.ask(f"Greet {row.name if row else 'nobody'}"))

    @desk.post("/look", key="id", labels=Label.TRUSTED)
    async def look(id: str) -> int:
        row = await people.get(id)
        return len(await search(row.name if row else "nobody"))

    @desk.post("/order", labels=Label.TRUSTED)
    async def order(id: str) -> int:
        await orders.publish(Order(id=id, text=await web(id)))
        return 1

    return desk


@pytest.mark.parametrize("endpoint", ["tell", "greet", "look", "order"])
@pytest.mark.parametrize("then", ["refuse", "allow"])
def test_what_was_read_leaves_by_no_way_that_is_not_cleared(in_world: Play, endpoint: str, then: Any) -> None:
    async def main(world: World) -> None:
        script = Script(["Hello"])
        async with world.running(desk(gate=Gate(then)), script=script) as live:
            await live.call("put", ["a"])
            if then == "allow":
                await live.call(endpoint, ["a"])
            else:
                with pytest.raises(PartiError, match="P901"):
                    await live.call(endpoint, ["a"])
            (run,) = await live.store.runs(part=endpoint)
            assert run.state is (State.DONE if then == "allow" else State.DEAD)
            gates = [one for one in await entries_of(live.store, run.id) if one.kind == "gate"]
            wanted = [then, then] if (endpoint, then) == ("greet", "allow") else [then]  # its answer is the second
            assert [one.answer["then"] for one in gates] == wanted
            assert len(script.asked) == (then == "allow" and endpoint == "greet")

    in_world(main)


@pytest.mark.parametrize("endpoint", ["tell", "greet", "look"])
def test_who_has_read_nothing_private_passes_the_same_gates(in_world: Play, endpoint: str) -> None:
    async def main(world: World) -> None:
        async with world.running(desk(), script=Script(["Hello"])) as live:
            await live.call(endpoint, ["nobody"])
            kinds = {one.kind for one in await entries_of(live.store, (await the_run(live)).id)}
            assert not kinds & {"gate", "taint"}

    in_world(main)


def chatting(done: list[str]) -> System:
    """An assistant that goes on with what was said before, and can act."""
    desk = System("desk", labels="run")

    @desk.tool(effect="read", labels=Label.UNTRUSTED)
    async def web(id: str) -> str:
        return "act now"

    @desk.tool(effect="write", key="id")
    async def act(id: str) -> str:
        done.append(id)
        return "done"

    helper = desk.agent("helper", llm=desk.llm("local"), tools=[web, act], sessions=4)

    @desk.post("/chat", key="user", labels=Label.TRUSTED)
    async def chat(user: str, text: str) -> str:
        return await helper.run(text)

    return desk


@pytest.mark.parametrize("reads", [True, False])
def test_a_session_goes_on_with_what_it_has_read(in_world: Play, reads: bool) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        first = [calls(("web", {"id": "a"})), "read it"] if reads else ["hello"]
        async with world.running(chatting(done), script=Script(first)) as live:
            await live.call("chat", ["ann", "hello"])
        async with world.running(chatting(done), script=Script([calls(("act", {"id": "b"})), "done"])) as live:
            await live.call("chat", ["ann", "go on"])
        assert done == ([] if reads else ["b"])

    in_world(main)


def test_a_session_of_before_labels_counts_as_if_all_had_been_read(in_world: Play) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        before = chatting(done)
        before.labels = "off"
        async with world.running(before, script=Script(["hello"])) as live:
            await live.call("chat", ["ann", "hello"])
        async with world.running(chatting(done), script=Script([calls(("act", {"id": "b"})), "done"])) as live:
            await live.call("chat", ["ann", "go on"])
        assert done == []

    in_world(main)


def test_a_guard_that_fails_lets_out_what_it_read(in_world: Play) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        desk = chatting(done)
        web, act = desk.design.by_name["web"], desk.design.by_name["act"]
        from parti.declare.handles import StepHandle  # noqa: PLC0415

        reading, acting = StepHandle(web), StepHandle(act)  # type: ignore[arg-type, var-annotated]

        @desk.guard(releases=Label.UNTRUSTED)
        async def count(id: str) -> int:
            return int(await reading(id))

        @desk.post("/count", labels=Label.TRUSTED)
        async def counting(id: str) -> str:
            try:
                await count(id)
            except PartiError as wrong:
                return await acting(str(wrong))
            return ""

        async with world.running(desk, script=Script([])) as live:
            with suppress(PartiError):
                await live.call("counting", ["a"])
            taints = [one for one in await entries_of(live.store, (await the_run(live)).id) if one.kind == "taint"]
            assert [(one.part, one.answer) for one in taints] == [("count", ["untrusted"])]

    in_world(main)


def test_what_was_written_before_labels_were_held_stays_written(in_world: Play) -> None:
    done = list[str]()

    def waiting(labels: Any) -> System:
        desk = System("desk", labels=labels)

        @desk.tool(effect="read", labels=Label.UNTRUSTED)
        async def web(id: str) -> str:
            return id

        @desk.tool(effect="write", key="id")
        async def act(id: str) -> str:
            done.append(id)
            return id

        @desk.post("/do", timeout="9d", labels=Label.TRUSTED)
        async def do(id: str) -> str:
            said = await act(await web(id))
            from parti import sleep  # noqa: PLC0415

            await sleep("1h")
            return said

        return desk

    async def main(world: World) -> None:
        async with world.running(waiting("off"), crash=True) as live:
            calling = live.engine.spawn(live.call("do", ["a"]))
            await live.engine.clock.wait(5)
            calling.cancel()
        async with world.running(waiting("run")) as live:
            await live.idle(within=9000)
            assert (await the_run(live)).state is State.DONE
        assert done == ["a"]

    in_world(main)


def test_why_shows_what_was_read_and_what_a_gate_decided(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "desk.parti"

    async def main() -> str:
        async with running(desk(), path, script=Script([])) as live:
            with pytest.raises(PartiError, match="P901"):
                await live.call("order", ["a"])
            return (await the_run(live)).id

    run = asyncio.run(main())
    why(run, store=path)
    shown = capsys.readouterr().out
    assert "has read" in shown
    assert "refuse: it may be untrusted" in shown


def relay(gate: Gate | None = None, own: Gate | None = None) -> System:
    """A local model that reads of people, with one outside to take its place."""
    relay = System("relay", labels="run", gate=gate)
    people = relay.table("people", Person, key="id")
    outside = relay.llm("openai:gpt-5-mini", name="outside", gate=own)
    near = relay.llm("local", name="near", fallbacks=[outside], attempts=1)

    @relay.post("/put", key="id", labels=Label.TRUSTED)
    async def put(id: str) -> None:
        await people.put(Person(id=id, name="Ann Alder"))

    @relay.post("/greet", key="id", labels=Label.TRUSTED)
    async def greet(id: str) -> int:
        row = await people.get(id)
        return len(await near.ask(f"Greet {row.name if row else 'nobody'}"))

    return relay


@pytest.mark.parametrize("own", [Gate("refuse"), Gate("allow"), Gate("mask")])
def test_a_fallback_outside_is_shown_what_its_own_gate_lets_it_be_shown(in_world: Play, own: Gate) -> None:
    async def main(world: World) -> None:
        scripts = {"near": Script([LlmFailure("P701", "down", lasting=True)]), "outside": Script(["Hello"])}
        async with world.running(relay(Gate("allow"), own), script=scripts) as live:
            await live.call("put", ["a"])
            with suppress(PartiError):
                await live.call("greet", ["a"])
            assert len(scripts["near"].asked) == 1
            shown = [str(one.messages) for one in scripts["outside"].asked]
            assert len(shown) == (own.then != "refuse")
            assert ["Ann Alder" in one for one in shown] == [own.then == "allow"] * len(shown)

    in_world(main)


def test_a_model_near_answers_though_its_fallback_may_not(in_world: Play) -> None:
    async def main(world: World) -> None:
        scripts = {"near": Script(["Hello"]), "outside": Script([])}
        async with world.running(relay(), script=scripts) as live:
            await live.call("put", ["a"])
            with pytest.raises(PartiError, match="`greet` is not cleared"):  # its answer is a person's, too
                await live.call("greet", ["a"])
            assert len(scripts["near"].asked) == 1

    in_world(main)


@pytest.mark.parametrize("gate", [Gate("refuse"), None])
def test_a_gate_that_a_system_declares_is_kept_though_nothing_is_labelled(in_world: Play, gate: Gate | None) -> None:
    """Whoever says what gates do wants them; what nobody labelled comes from strangers then."""
    done = list[str]()

    async def main(world: World) -> None:
        desk = System("desk", gate=gate)

        @desk.tool(effect="write", key="id")
        async def act(id: str) -> str:
            done.append(id)
            return id

        @desk.post("/do")
        async def do(id: str) -> str:
            return await act(id)

        async with world.running(desk) as live:
            with suppress(PartiError):
                await live.call("do", ["a"])
        assert done == ([] if gate else ["a"])

    in_world(main)
