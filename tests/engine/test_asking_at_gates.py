"""Who is asked at a gate or for an approval is not asked too often, and sees what there is to see."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any

import pytest
from engine_kit import Play, World, entries_of
from pydantic import BaseModel

from parti import Approval, Gate, Label, PartiError, Region, System
from parti.engine.showing import legible
from parti.testing import Live, Script


class Letter(BaseModel):
    """What a stranger wrote."""

    id: Annotated[str, Label.TRUSTED]
    text: Annotated[str, Label.UNTRUSTED]


class Key(BaseModel):
    """What opens something, and whose it is."""

    id: str
    secret: Annotated[str, Label.SECRET]
    home: Annotated[str, Region("eu")] = "Rome"


def office(done: list[str], labels: Any = "run", per_hour: int = 2, **options: Any) -> System:
    """Sends what letters and keys say; `options` are those of sending."""
    office = System("office", gate=Gate("ask", who="boss", per_hour=per_hour), labels=labels)
    keys = office.table("keys", Key, key="id")

    @office.tool(effect="read")
    async def letter(id: str) -> Letter:
        return Letter(id=id, text=f"to {id}")

    @office.tool(effect="write", key="to", idempotent=True, **options)
    async def send(to: str, text: str = "") -> str:
        done.append(to)
        return "sent"

    @office.step
    async def forward(id: str) -> str:
        return await send((await letter(id)).text)

    @office.guard(releases=Label.UNTRUSTED)
    async def within(id: str) -> bool:
        return bool(await send((await letter(id)).text))

    @office.post("/put", key="id", labels=Label.TRUSTED)
    async def put(id: str) -> None:
        await keys.put(Key(id=id, secret="abc-4711-xyz"))

    @office.post("/tell", key="id", labels=Label.TRUSTED, timeout="9d")
    async def tell(id: str) -> str:
        row = await keys.get(id)
        return await send(id, row.secret if row else "")

    @office.post("/do", labels=Label.TRUSTED, timeout="9d")
    async def do(id: str) -> str:
        return await send((await letter(id)).text)

    @office.post("/step", labels=Label.TRUSTED, timeout="9d")
    async def stepping(id: str) -> str:
        return await forward(id)

    @office.post("/guard", labels=Label.TRUSTED, timeout="9d")
    async def guarding(id: str) -> bool:
        return await within(id)

    return office


async def _questions(live: Live, endpoint: str, ids: list[str]) -> list[str]:
    """The open questions after those calls have begun, and what became of the others."""
    calls = [asyncio.ensure_future(live.call(endpoint, [id])) for id in ids]
    await live.engine.clock.wait(20)
    for call in calls:
        call.cancel()
        with suppress(BaseException):
            await call
    return [one.text for one in await live.store.questions()]


@pytest.mark.parametrize("options", [{}, {"approval": Approval("boss")}])
def test_nobody_is_asked_more_often_because_the_process_was_started_again(
    in_world: Play, options: dict[str, Any]
) -> None:
    async def main(world: World) -> None:
        for number in range(3):
            async with world.running(office([], **options)) as live:
                said = await _questions(live, "do", [f"{number}-a", f"{number}-b", f"{number}-c"])
                assert len(said) == 2, said
        await world.clock.wait(3600)
        async with world.running(office([], **options)) as live:
            assert len(await _questions(live, "do", ["d", "e", "f"])) == 4

    in_world(main)


def test_who_approves_is_told_what_the_call_carries(in_world: Play) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        async with world.running(office(done, approval=Approval("boss")), crash=True) as live:
            (said,) = await _questions(live, "do", ["a"])
            assert said == (
                'May `send` be called with to="to a", text=""? Of this, it may be untrusted (the run has read `letter`).'
            )
        async with world.running(office(done, "off", approval=Approval("boss"))) as live:
            (question,) = await live.store.questions()
            await live.engine.answer(question.id, b"true", by="boss")
            await live.idle(within=9000)
            assert done == ["to a"], "it is not asked again, nor otherwise"

    in_world(main)


def test_an_approval_that_was_asked_for_before_labels_were_held_is_not_asked_for_again(in_world: Play) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        async with world.running(office(done, "off", approval=Approval("boss")), crash=True) as live:
            assert await _questions(live, "do", ["a"]) == ['May `send` be called with to="to a", text=""?']
        async with world.running(office(done, approval=Approval("boss"))) as live:
            await live.engine.clock.wait(60)
            (question,) = await live.store.questions()
            await live.engine.answer(question.id, b"true", by="boss")
            await live.idle(within=9000)
        assert done == ["to a"]

    in_world(main)


def test_an_approval_is_no_yes_for_a_secret(in_world: Play) -> None:
    """The gate asks for itself; then the approval asks."""
    done = list[str]()

    async def main(world: World) -> None:
        async with world.running(office(done, approval=Approval("boss"))) as live:
            await live.call("put", ["a"])
            (asked,) = await _questions(live, "tell", ["a"])
            assert "Of this, it may be secret" in asked
            for _ in range(2):
                for one in await live.store.questions():
                    await live.engine.answer(one.id, b"true", by="boss")
                await live.engine.clock.wait(10)
            assert done == ["a"]
            (run,) = await live.store.runs(part="tell")
            entries = await entries_of(live.store, run.id)
            assert [one.answer["then"] for one in entries if one.kind == "gate" and one.part == "send"] == ["ask"]
            before = entries[: next(n for n, one in enumerate(entries) if one.kind == "intent")]
            assert [one.kind for one in before].count("ask") == 2

    in_world(main)


@pytest.mark.parametrize("endpoint", ["stepping", "guarding"])
def test_inside_of_a_step_a_gate_refuses_what_it_would_ask_about(in_world: Play, endpoint: str) -> None:
    """Nobody can be waited for there; and what a guard read stays inside for the run, but not for what is done inside."""
    done = list[str]()

    async def main(world: World) -> None:
        async with world.running(office(done)) as live:
            with pytest.raises(PartiError, match="not cleared"):
                await asyncio.wait_for(live.call(endpoint, ["a"]), 100)
            assert await live.store.questions() == []
        assert done == []

    in_world(main)


@pytest.mark.parametrize("control", [(), ("to",)])
def test_a_clearance_says_nothing_of_what_decides(in_world: Play, control: tuple[str, ...]) -> None:
    done = list[str]()

    async def main(world: World) -> None:
        options = {"clearance": Label.UNTRUSTED, "control": control, "gate": Gate("ask", who="boss", trace=True)}
        async with world.running(office(done, **options)) as live:
            asked = await _questions(live, "do", ["a"])
            assert [("`to` may be untrusted" in one) for one in asked] == [True] * len(control)
        assert done == ([] if control else ["to a"])

    in_world(main)


@pytest.mark.parametrize("region", ["eu", "us", ""])
def test_a_region_goes_to_models_that_are_there(in_world: Play, region: str) -> None:
    async def main(world: World) -> None:
        desk = System("desk", labels="run")
        keys = desk.table("keys", Key, key="id")
        outside = desk.llm("openai:gpt-5-mini", name="outside", region=region, clearance=Label.SECRET, processor="X")

        @desk.post("/put", key="id", labels=Label.TRUSTED)
        async def put(id: str) -> None:
            await keys.put(Key(id=id, secret="s"))

        @desk.post("/ask", key="id", labels=Label.TRUSTED)
        async def ask(id: str) -> int:
            row = await keys.get(id)
            return len(await outside.ask(f"Who lives in {row.home if row else ''}?"))

        script = Script(["Nero"])
        async with world.running(desk, script=script) as live:
            await live.call("put", ["a"])
            with suppress(PartiError):
                await live.call("ask", ["a"])
        assert len(script.asked) == (region == "eu")

    in_world(main)


def test_what_cannot_be_seen_is_shown_as_its_escape() -> None:
    assert (
        legible("bob\u202eevil \u200b\u2028\x7f\x85 é 漢 👍") == "bob\\u202eevil \\u200b\\u2028\\u007f\\u0085 é 漢 👍"
    )
    assert legible('May it? "a\\n"') == 'May it? "a\\n"'
