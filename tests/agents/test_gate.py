"""The gate: models that fail, are slow or busy end in an answer or in one coded error, fairly and within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from engine_kit import World, code_of, play, result_of, the_run

from parti import Budget, PartiError, Price, System
from parti.agents.gate import Gate
from parti.agents.tape import Playing, Recording
from parti.design.llm import Llm
from parti.errors import LlmError
from parti.ports.llm import Answer, LlmFailure, Request, Said
from parti.testing import Script, said

BUSY = LlmFailure("P701", "the server answered 503")
ASKED = Request((Said("user", "hello"),))


def a_system(**options: Any) -> System:
    desk = System("desk")
    desk.llm("local", **options)
    return desk


def through(
    system: System, scripts: Script | dict[str, Script], main: Callable[[Gate, Llm, World], Awaitable[Any]]
) -> Any:
    """What `main` makes of a gate to the first model of the system."""

    async def played(world: World) -> Any:
        made = (lambda llm: scripts) if isinstance(scripts, Script) else (lambda llm: scripts[llm.name])
        gate = Gate(system.design, made, world.clock, world.chance)
        return await main(gate, next(system.design.all(Llm)), world)

    return play(played)


async def ask(gate: Gate, llm: Llm, world: World) -> str:
    return (await gate.answer(llm, ASKED, key="k")).text


def test_a_failure_that_may_pass_is_tried_again() -> None:
    script = Script([BUSY, BUSY, "hello"])
    assert through(a_system(), script, ask) == "hello"
    assert len(script.asked) == 3


def test_attempts_are_bounded_and_the_last_failure_is_told() -> None:
    script = Script([BUSY] * 9)
    with pytest.raises(LlmError, match=r"test_gate.py:\d+: P701 `local`: the server answered 503"):
        through(a_system(attempts=2), script, ask)
    assert len(script.asked) == 2


def test_a_failure_that_lasts_is_not_tried_again() -> None:
    script = Script([LlmFailure("P702", "OPENAI_API_KEY is not set", lasting=True, fix="set OPENAI_API_KEY")] * 9)
    with pytest.raises(LlmError, match="P702") as wrong:
        through(a_system(), script, ask)
    assert (wrong.value.fix, len(script.asked)) == ("set OPENAI_API_KEY", 1)


def test_what_the_server_says_of_when_to_come_back_is_heeded_up_to_two_minutes() -> None:
    async def timed(gate: Gate, llm: Llm, world: World) -> float:
        before = world.clock.now()
        await ask(gate, llm, world)
        return world.clock.now() - before

    assert through(a_system(), Script([LlmFailure("P701", "429", wait=45.0), "hello"]), timed) == pytest.approx(45, 0.1)
    assert through(a_system(), Script([LlmFailure("P701", "429", wait=9e9), "hello"]), timed) == pytest.approx(120, 0.1)


def test_a_model_that_never_answers_is_given_up() -> None:
    async def never(request: Request) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(LlmError, match="`local` did not answer within 5s"):
        through(a_system(timeout="5s", attempts=2), Script(never), ask)


def test_fallbacks_are_asked_in_turn_and_all_failures_are_told() -> None:
    desk = System("desk")
    third = desk.llm("openai:c", name="third")
    second = desk.llm("openai:b", name="second")
    desk.llm("openai:a", name="first", fallbacks=[second, third], attempts=1)
    assert {arrow.target for arrow in desk.design.arrows_from("first", "calls")} == {"second", "third"}

    async def first(gate: Gate, llm: Llm, world: World) -> str:
        return await ask(gate, desk.design.get(Llm, "first"), world)

    scripts = {"first": Script([BUSY]), "second": Script([BUSY] * 3), "third": Script(["third says"])}
    assert through(desk, scripts, first) == "third says"
    scripts = {"first": Script([BUSY]), "second": Script([BUSY] * 3), "third": Script([BUSY] * 3)}
    with pytest.raises(LlmError, match=r"`first`: the server answered 503; `second`: .*; `third`: "):
        through(desk, scripts, first)


def test_a_stream_that_broke_off_is_not_begun_anew() -> None:
    """Somebody has heard its beginning: another answer would not go on from there."""

    class Cut(Script):
        async def answer(self, llm: Llm, request: Request, *, tell: Any = None) -> Answer:
            self.asked.append(request)
            tell("once upon")
            raise LlmFailure("P701", "the stream was cut")

    script, heard = Cut([]), []

    async def stream(gate: Gate, llm: Llm, world: World) -> None:
        await gate.answer(llm, ASKED, key="k", tell=heard.append)

    with pytest.raises(LlmError, match="the stream was cut"):
        through(a_system(), script, stream)
    assert (heard, len(script.asked)) == (["once upon"], 1)


def test_no_more_calls_are_under_way_than_declared() -> None:
    now = most = 0

    async def slow(request: Request) -> Answer:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(1)
        now -= 1
        return said("hello")

    async def many(gate: Gate, llm: Llm, world: World) -> None:
        await asyncio.gather(*(gate.answer(llm, ASKED, key=str(number)) for number in range(20)))

    through(a_system(concurrency=3), Script(slow), many)
    assert most == 3


def test_calls_are_so_far_apart_as_the_rate_says() -> None:
    async def many(gate: Gate, llm: Llm, world: World) -> float:
        before = world.clock.now()
        await asyncio.gather(*(gate.answer(llm, ASKED, key="k") for _ in range(11)))
        return world.clock.now() - before

    assert through(a_system(per_minute=30), Script(lambda _: said("x")), many) == pytest.approx(20, 0.01)


def test_a_key_with_many_calls_does_not_hold_up_others() -> None:
    order: list[str] = []

    async def main(gate: Gate, llm: Llm, world: World) -> None:
        async def one(key: str) -> None:
            await gate.answer(llm, ASKED, key=key)
            order.append(key)

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(one("greedy"))
            group.create_task(one("modest"))

    async def slow(request: Request) -> Answer:
        await asyncio.sleep(1)
        return said("x")

    through(a_system(concurrency=1), Script(slow), main)
    assert order.index("modest") <= 2


def test_equal_keys_of_two_tenants_take_turns_as_different_keys() -> None:
    desk, order = System("desk"), []
    small = desk.llm("local", concurrency=1)

    @desk.post("/ask", key="name", timeout="1h")
    async def asking(name: str, who: str, count: int) -> int:
        async def one() -> None:
            await small.ask("hello")
            order.append(who)

        await asyncio.gather(*(one() for _ in range(count)))
        return count

    async def slow(request: Request) -> Answer:
        await asyncio.sleep(1)
        return said("x")

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(slow)) as live:
            greedy = asyncio.create_task(live.call("asking", ("k", "greedy", 6), tenant="one"))
            await asyncio.sleep(0.5)
            await live.call("asking", ("k", "modest", 1), tenant="two")
            await greedy

    play(main)
    assert order.index("modest") <= 2


def test_who_gives_up_in_line_takes_no_turn() -> None:
    async def slow(request: Request) -> Answer:
        await asyncio.sleep(1)
        return said("x")

    async def main(gate: Gate, llm: Llm, world: World) -> None:
        calls = [asyncio.ensure_future(gate.answer(llm, ASKED, key=str(number))) for number in range(4)]
        await asyncio.sleep(0.5)
        calls[1].cancel()
        calls[2].cancel()
        await calls[3]
        assert world.clock.now() < 1767225600 + 3
        assert (await gate.answer(llm, ASKED, key="late")).text == "x"

    through(a_system(concurrency=1), Script(slow), main)


def test_equal_requests_are_answered_from_the_cache_for_nothing() -> None:
    script = Script(["hello", "another"])

    async def main(gate: Gate, llm: Llm, world: World) -> list[Any]:
        heard: list[str] = []
        first = await gate.answer(llm, ASKED, key="a")
        again = await gate.answer(llm, ASKED, key="b", tell=heard.append)
        other = await gate.answer(llm, Request((Said("user", "bye"),)), key="a")
        return [first.usd, again.text, again.usd, again.tokens_in, heard, other.text]

    told = through(a_system(cache=True, price=Price(1e5, 1e5)), script, main)
    assert told == [pytest.approx(1.1), "hello", 0.0, 0, ["hello"], "another"]


def test_an_answer_costs_what_the_declared_price_says() -> None:
    desk = System("desk")
    small = desk.llm("local", price=Price(input=100_000, output=200_000), max_tokens=1)

    @desk.post("/ask", budget=Budget(usd=9))
    async def asking() -> str:
        return await small.ask("hello")

    async def main(world: World) -> None:
        async with world.running(desk, script=Script([Answer("hi", tokens_in=10, tokens_out=5)] * 9)) as live:
            assert await result_of(live, "asking") == "hi"
            entries = world.store.disk.journal
            assert b'"usd":2.0' in b"".join(row[2] for row in entries), "ten in and five out are two dollars"

    play(main)


def test_a_call_that_may_cost_more_than_is_left_is_not_made() -> None:
    desk, script = System("desk"), Script(["hi"] * 9)
    small = desk.llm("local", price=Price(input=0, output=1_000_000), max_tokens=10)

    @desk.post("/ask", budget=Budget(usd=9))
    async def asking() -> str:
        return await small.ask("hello")

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            assert await code_of(live.call("asking", [])) == "P312"
            assert script.asked == []
            assert (await the_run(live)).attempt == 1

    play(main)


@pytest.mark.parametrize(("failure", "asked"), [(BUSY, 3), (LlmFailure("P702", "no key", lasting=True), 1)])
def test_a_run_whose_model_does_not_answer_fails_with_its_code(failure: LlmFailure, asked: int) -> None:
    desk, script = System("desk"), Script([failure] * 99)
    small = desk.llm("local")

    @desk.post("/ask", timeout="10m")
    async def asking() -> str:
        return await small.ask("hello")

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            with pytest.raises(PartiError, match=failure.code):
                await live.call("asking", [])
            assert len(script.asked) == asked

    play(main)


# Tapes


def test_what_was_recorded_is_played_back_without_a_model(tmp_path: Path) -> None:
    async def record(gate: Gate, llm: Llm, world: World) -> list[str]:
        tape = Recording(tmp_path / "tape", gate)
        other = Request((Said("user", "bye"),))
        return [(await tape.answer(llm, request, key="k")).text for request in (ASKED, other, ASKED)]

    async def replay(gate: Gate, llm: Llm, world: World) -> list[str]:
        tape = Playing(tmp_path / "tape", gate)
        return [(await tape.answer(llm, ASKED, key="k")).text for _ in range(3)]

    assert through(a_system(), Script(["one", "two", "three"]), record) == ["one", "two", "three"]
    assert through(a_system(), Script([]), replay) == ["one", "three", "three"]


def test_a_request_that_the_tape_lacks_is_an_error_that_shows_the_difference(tmp_path: Path) -> None:
    async def record(gate: Gate, llm: Llm, world: World) -> None:
        await Recording(tmp_path, gate).answer(llm, ASKED, key="k")
        await Recording(tmp_path, gate).answer(llm, Request((Said("user", "quite another thing"),)), key="k")

    async def replay(gate: Gate, llm: Llm, world: World) -> None:
        await Playing(tmp_path, gate).answer(llm, Request((Said("user", "hallo"),)), key="k")

    through(a_system(), Script(["one", "two"]), record)
    with pytest.raises(LlmError) as missing:
        through(a_system(), Script([]), replay)
    assert "P706 the tape has no such request of `local`" in str(missing.value)
    assert '-   "hello"' in str(missing.value)
    assert '+   "hallo"' in str(missing.value)


@pytest.mark.parametrize("content", ["", "{}", '{"format": 99, "answers": [{}]}', '{"format": 1, "answers": []}'])
def test_a_broken_tape_is_named(tmp_path: Path, content: str) -> None:
    async def both(gate: Gate, llm: Llm, world: World) -> None:
        await Recording(tmp_path, gate).answer(llm, ASKED, key="k")
        (file,) = tmp_path.iterdir()
        file.write_text(content)
        await Playing(tmp_path, gate).answer(llm, ASKED, key="k")

    with pytest.raises(LlmError, match="P706"):
        through(a_system(), Script(["one"]), both)


def test_there_must_be_a_tape(tmp_path: Path) -> None:
    with pytest.raises(LlmError, match="P706 there is no tape"):
        Playing(tmp_path / "none", None)  # type: ignore[arg-type]


# Declarations


@pytest.mark.parametrize(
    ("declare", "said_of_it"),
    [
        (lambda desk: desk.llm("http://host:8000/v1"), "P105 http://host:8000/v1 does not say which model"),
        (lambda desk: desk.llm("local", attempts=0), "P105"),
        (lambda desk: [desk.llm("local"), desk.llm("local")], "P104 `local` is declared already"),
        (lambda desk: desk.agent("a", llm="local"), "P106 the llm of `a` is 'local', not a llm"),
        (lambda desk: desk.agent("a", llm=desk.llm("local"), tools=[print]), "P106 a tool of `a` is <built-in"),
        (lambda desk: desk.agent("a", llm=desk.llm("local"), turns=0), "P105"),
        (lambda desk: desk.agent("a", llm=desk.llm("local"), output=type(print)), "P109"),
    ],
)
def test_what_cannot_be_declared_says_where_and_why(declare: Any, said_of_it: str) -> None:
    with pytest.raises(PartiError, match=r"test_gate.py:\d+") as wrong:
        declare(System("desk"))
    assert said_of_it in str(wrong.value)


def test_dollars_are_reserved_by_the_declared_price_else_by_the_list_and_by_the_dearest_fallback() -> None:
    desk = System("desk")
    listed = desk.llm("openai:listed")
    cheap = desk.llm("openai:cheap", price=Price(input=0, output=1))
    unknown = desk.llm("openai:unknown", name="unknown")
    both = desk.llm("openai:cheap", name="both", price=Price(input=0, output=1), fallbacks=[listed])

    async def main(world: World) -> None:
        prices = {"openai:listed": 3.0, "openai:cheap": 99.0}
        gate = Gate(
            desk.design, lambda _: Script([]), world.clock, world.chance, lambda llm, i, o: prices.get(llm.target)
        )
        reserved = [gate.reserve_for(one.part, ASKED)[0] for one in (listed, cheap, unknown, both)]
        assert reserved == [3.0, pytest.approx(0.001024), None, 3.0]

    play(main)
