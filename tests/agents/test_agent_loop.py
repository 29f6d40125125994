"""An agent works in turns until it has an output, and whatever a model does ends in a typed outcome."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from engine_kit import Order, Outside, Play, World, entries_of, orders, play, result_of, the_run, wait_for_state
from pydantic import BaseModel

from parti import AgentStopped, Approval, Batch, Budget, Outcome, PartiError, System
from parti.journal.entries import Kind
from parti.ports.llm import Answer, LlmFailure, Request, Returned, Said, ToolCall
from parti.ports.store import State
from parti.testing import Script, calls, said


class Verdict(BaseModel):
    good: bool
    why: str


GOOD = {"good": True, "why": "it is"}


def a_desk(outside: Outside | None = None, **options: Any) -> System:
    """An agent with two tools, and an endpoint that tells its outcome."""
    desk, world = System("desk"), outside or Outside()

    @desk.tool(effect="read")
    async def look(id: str, deep: bool = False) -> int:
        """How many there are."""
        world.calls += 1
        if id == "broken":
            raise ValueError("no such thing")
        return 7 + deep

    @desk.tool(effect="write", key="id", idempotent=True)
    async def post(id: str) -> str:
        world.posted.append(id)
        return f"posted {id}"

    judge = desk.agent(
        "judge", llm=desk.llm("local"), tools=[look, post], output=Verdict, instructions="Judge well.", **options
    )

    @desk.post("/judge")
    async def judged(task: str) -> Verdict:
        return await judge.run(task)

    @desk.post("/attempt")
    async def attempted(task: str) -> Outcome[Verdict]:
        return await judge.attempt(task)

    return desk


def attempt(in_world: Play, script: Script, outside: Outside | None = None, **options: Any) -> dict[str, Any]:
    """What comes of the agent's work, told by the script."""

    async def main(world: World) -> dict[str, Any]:
        async with world.running(a_desk(outside, **options), script=script) as live:
            told: dict[str, Any] = await result_of(live, "attempted", "Is it good?")
            return told

    return in_world(main)


def test_an_agent_answers_with_an_output_of_its_type(in_world: Play) -> None:
    script = Script([GOOD])
    outcome = attempt(in_world, script)
    assert (outcome["output"], outcome["reason"], outcome["turns"]) == (GOOD, "done", 1)
    (request,) = script.asked
    assert request.messages == (Said("system", "Judge well."), Said("user", "Is it good?"))
    assert request.output is not None
    assert request.output.schema["required"] == ["good", "why"]


def test_the_model_is_shown_its_tools_by_their_schemas(in_world: Play) -> None:
    script = Script([GOOD])
    attempt(in_world, script)
    look, post = script.asked[0].tools
    assert (look.name, look.about) == ("look", "How many there are.")
    assert look.schema["required"] == ["id"]
    assert look.schema["properties"]["deep"]["type"] == "boolean"
    assert post.name == "post"


def test_a_tool_is_called_and_its_result_told(in_world: Play) -> None:
    script, outside = Script([calls(("look", {"id": "a", "deep": True})), GOOD]), Outside()
    assert attempt(in_world, script, outside)["reason"] == "done"
    assert script.asked[1].messages[-1] == Returned("c0", "look", "8")
    assert (outside.calls, len(script.asked)) == (1, 2)


def test_a_tool_with_batches_takes_one_item_and_calls_of_one_turn_are_served_together(in_world: Play) -> None:
    batches: list[list[str]] = []
    desk = System("desk")

    @desk.tool(effect="read", batch=Batch(8, linger="1s"))
    async def price(articles: list[str]) -> list[int]:
        """What one article costs."""
        batches.append(articles)
        return [len(article) for article in articles]

    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[price])

    @desk.post("/go")
    async def go() -> str:
        return await clerk.run("price them")

    script = Script([calls(("price", {"articles": "desk"}), ("price", {"articles": "lamps"})), "9"])

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "go") == "9"
            assert script.asked[0].tools[0].schema["properties"]["articles"]["type"] == "string"
            assert [message.text for message in script.asked[1].messages[-2:]] == ["4", "5"]
            assert batches == [["desk", "lamps"]]

    in_world(main)


def test_calls_of_one_turn_are_made_at_once_and_told_in_their_order(in_world: Play) -> None:
    script, outside = (
        Script([calls(("look", {"id": "a"}), ("post", {"id": "b"}), ("look", {"id": "c"})), GOOD]),
        Outside(),
    )
    attempt(in_world, script, outside)
    returned = [message for message in script.asked[1].messages if isinstance(message, Returned)]
    assert [(one.call, one.text) for one in returned] == [("c0", "7"), ("c1", "posted b"), ("c2", "7")]
    assert outside.posted == ["b"]


def test_a_failing_tool_is_told_as_an_error_and_the_agent_goes_on(in_world: Play) -> None:
    script = Script([calls(("look", {"id": "broken"})), GOOD])
    assert attempt(in_world, script)["reason"] == "done"
    told = script.asked[1].messages[-1]
    assert isinstance(told, Returned) and told.failed
    assert "ValueError: no such thing" in told.text


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (("look", {}), "`look` needs id"),
        (("look", {"id": "a", "far": 1}), "`look` takes no far"),
        (("look", {"id": 3}), "id of `look`: "),
        (("fly", {"id": "a"}), "there is no tool 'fly'; there are: look, post"),
    ],
)
def test_an_invalid_call_is_told_once_as_an_error(in_world: Play, wanted: tuple[str, Any], told: str) -> None:
    script = Script([calls(wanted), GOOD])
    assert attempt(in_world, script)["reason"] == "done"
    assert told in script.asked[1].messages[-1].text  # type: ignore[union-attr]
    again = Script([calls(wanted), calls(wanted), GOOD])
    assert attempt(in_world, again)["reason"] == "invalid calls"


def test_arguments_that_are_no_json_are_an_invalid_call(in_world: Play) -> None:
    script = Script([Answer("", (ToolCall("c", "look", '{"id": '),), "tools"), GOOD])
    assert attempt(in_world, script)["reason"] == "done"
    assert "are not JSON" in script.asked[1].messages[-1].text  # type: ignore[union-attr]


def test_a_flood_of_calls_is_refused_and_nothing_of_it_is_done(in_world: Play) -> None:
    outside = Outside()
    flood = calls(*(("post", {"id": f"p{number}"}) for number in range(200)))
    script = Script([flood, GOOD])
    assert attempt(in_world, script, outside)["reason"] == "done"
    assert outside.posted == []
    assert "200 calls at once are too many" in script.asked[1].messages[-1].text  # type: ignore[union-attr]


def test_the_same_call_a_third_time_stops_the_agent(in_world: Play) -> None:
    outside = Outside()
    script = Script([calls(("look", {"id": "a", "deep": False})), calls(("look", {"deep": False, "id": "a"}))] * 5)
    outcome = attempt(in_world, script, outside)
    assert (outcome["reason"], outcome["turns"], outside.calls) == ("repeating", 3, 2)


def test_an_output_that_does_not_fit_is_given_back_for_repair(in_world: Play) -> None:
    script = Script(["It is good!", {"good": "perhaps"}, GOOD])
    outcome = attempt(in_world, script)
    assert (outcome["output"], outcome["turns"]) == (GOOD, 3)
    assert "Invalid JSON" in script.asked[1].messages[-1].text  # type: ignore[union-attr]
    assert "good" in script.asked[2].messages[-1].text  # type: ignore[union-attr]


def test_repairs_are_bounded(in_world: Play) -> None:
    script = Script(["good!"] * 9)
    outcome = attempt(in_world, script, repairs=1)
    assert (outcome["reason"], outcome["output"], outcome["text"]) == ("invalid output", None, "good!")
    assert len(script.asked) == 2


def test_a_fence_around_the_output_does_no_harm(in_world: Play) -> None:
    assert attempt(in_world, Script([f"```json\n{json.dumps(GOOD)}\n```"]))["output"] == GOOD


def test_an_answer_that_was_cut_off_is_given_back(in_world: Play) -> None:
    script = Script([Answer('{"good": true, "why": "bec', finish="length", tokens_out=1024), GOOD])
    assert attempt(in_world, script)["output"] == GOOD
    assert "cut off after 1024 tokens" in script.asked[1].messages[-1].text  # type: ignore[union-attr]


def test_turns_are_bounded(in_world: Play) -> None:
    script = Script(calls(("look", {"id": str(number)})) for number in range(99))
    outcome = attempt(in_world, script, turns=4)
    assert (outcome["reason"], outcome["turns"]) == ("turns", 4)


def test_a_refusal_stops_the_agent(in_world: Play) -> None:
    outcome = attempt(in_world, Script([Answer("I will not", finish="refused")]))
    assert (outcome["reason"], outcome["text"]) == ("refused", "I will not")


def test_a_budget_of_steps_stops_the_agent_with_what_it_has(in_world: Play) -> None:
    script = Script(Answer("looking", (ToolCall("c", "look", f'{{"id":"{number}"}}'),), "tools") for number in range(9))
    outcome = attempt(in_world, script, budget=Budget(steps=3))
    assert (outcome["reason"], outcome["text"], outcome["turns"]) == ("steps", "looking", 2)


def test_a_budget_of_seconds_stops_the_agent(in_world: Play) -> None:
    async def slow(request: Request) -> Answer:
        await asyncio.sleep(3)
        return calls(("look", {"id": str(len(request.messages))}))

    assert attempt(in_world, Script(slow), budget=Budget(seconds="7s"))["reason"] == "seconds"


def test_run_raises_what_attempt_returns(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(repairs=0), script=Script(["no"] * 9)) as live:
            with pytest.raises(PartiError, match="P705 `judge` stopped after 1 turns: what it gave does not fit"):
                await live.call("judged", ["x"])
            assert (await the_run(live)).state is State.DEAD, "trying again would change nothing"

    in_world(main)


def test_an_agent_that_stopped_can_be_caught_with_its_outcome(in_world: Play) -> None:
    desk = System("desk")
    poet = desk.agent("poet", llm=desk.llm("local"), output=Verdict, repairs=0)

    @desk.post("/poem")
    async def poem() -> str:
        try:
            await poet.run("write")
        except AgentStopped as stopped:
            return f"{stopped.outcome.reason}: {stopped.outcome.text}"
        return "done"

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(["roses"])) as live:
            assert await result_of(live, "poem") == "invalid output: roses"

    in_world(main)


def test_an_agent_of_texts_gives_the_text(in_world: Play) -> None:
    desk = System("desk")
    poet = desk.agent("poet", llm=desk.llm("local"))

    @desk.post("/poem")
    async def poem() -> str:
        return await poet.run({"about": ["rain"]})

    async def main(world: World) -> None:
        script = Script(["drip drop"])
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "poem") == "drip drop"
            assert script.asked[0].messages == (Said("user", '{"about":["rain"]}'),)
            assert script.asked[0].output is None

    in_world(main)


def test_a_model_can_be_asked_without_an_agent(in_world: Play) -> None:
    desk = System("desk")
    small = desk.llm("local")

    @desk.post("/both")
    async def both() -> list[Any]:
        verdict = await small.ask("Good?", output=Verdict, system="Be fair.")
        return [verdict.good, await small.ask("Why?")]

    async def main(world: World) -> None:
        script = Script([GOOD, "because"])
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "both") == [True, "because"]
            assert script.asked[0].messages == (Said("system", "Be fair."), Said("user", "Good?"))
        async with world.running(desk, script=Script(["maybe"])) as live:
            with pytest.raises(PartiError, match="P704 `local` gave no valid Verdict"):
                await live.call("both", [])

    in_world(main)


# Teams


def a_team(outside: Outside, **options: Any) -> System:
    desk = System("desk")
    llm = desk.llm("local")

    @desk.tool(effect="write", key="id", idempotent=True)
    async def post(id: str) -> str:
        outside.posted.append(id)
        return "posted"

    clerk = desk.agent("clerk", llm=llm, tools=[post], instructions="You are the clerk.", **options)
    boss = desk.agent("boss", llm=llm, tools=[clerk], instructions="You are the boss.", budget=Budget(steps=20))

    @desk.post("/office")
    async def office(task: str) -> Outcome[str]:
        return await boss.attempt(task)

    return desk


def _who(request: Request) -> str:
    return request.messages[0].text.split()[-1]  # type: ignore[union-attr]


def _office(request: Request) -> Answer:
    """The boss delegates once and reports; the clerk posts once and reports."""
    if len(request.messages) == 2:
        return calls(("clerk", {"task": "post a"})) if _who(request) == "boss." else calls(("post", {"id": "a"}))
    return said("all is posted" if _who(request) == "boss." else "I posted it")


def test_an_agent_can_call_another(in_world: Play) -> None:
    outside, script = Outside(), Script(_office)

    async def main(world: World) -> None:
        async with world.running(a_team(outside), script=script) as live:
            assert (await result_of(live, "office", "get it posted"))["output"] == "all is posted"
            assert outside.posted == ["a"]

    in_world(main)
    told = [message for request in script.asked for message in request.messages if isinstance(message, Returned)]
    assert {one.text for one in told if one.tool == "clerk"} == {'"I posted it"'}


@pytest.mark.parametrize("code", ["P702", "P710"])
def test_what_a_called_agent_cannot_be_asked_for_fails_the_run(in_world: Play, code: str) -> None:
    """No calling model can set a key or declare a price: told as a tool's error, it would only go on and pay."""

    def office(request: Request) -> Any:
        return _office(request) if _who(request) == "boss." else LlmFailure(code, "mend this first", lasting=True)

    script = Script(office)

    async def main(world: World) -> None:
        async with world.running(a_team(Outside()), script=script) as live:
            with pytest.raises(PartiError, match=f"{code} .*mend this first"):
                await live.call("office", ["get it posted"])

    in_world(main)
    assert len([request for request in script.asked if _who(request) == "boss."]) == 1


def test_an_agent_cannot_spend_more_than_is_left_of_those_around_it(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_team(Outside(), budget=Budget(steps=1)), script=Script(_office)) as live:
            outcome = await result_of(live, "office", "x")
            assert outcome["reason"] == "done", "the boss goes on when the clerk's own budget is spent"

    in_world(main)


# Approval


def an_approved_desk(outside: Outside, approval: Any) -> System:
    desk = System("desk")

    @desk.tool(effect="write", key="id", idempotent=True, approval=approval)
    async def pay(id: str, cents: int) -> str:
        outside.posted.append(id)
        return "paid"

    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[pay])

    @desk.post("/pay", timeout="30d")
    async def paying() -> str:
        return await clerk.run("pay the bill")

    return desk


@pytest.mark.parametrize("agreed", [True, False])
def test_a_tool_that_needs_approval_waits_for_the_person_and_nothing_runs_again(in_world: Play, agreed: bool) -> None:
    outside, script = Outside(), Script([calls(("pay", {"id": "b", "cents": 500})), "done"])

    async def main(world: World) -> None:
        desk = an_approved_desk(outside, "treasurer")
        async with world.running(desk, script=script) as live:
            asked = asyncio.ensure_future(result_of(live, "paying", idempotency_key="k"))
            await wait_for_state(live, State.WAITING)
            (question,) = await live.store.questions()
            assert question.text == 'May `pay` be called with id="b", cents=500?'
            assert question.who == "treasurer"
            asked.cancel()
        async with world.running(desk, script=script) as live:
            await live.answer_all(b"true" if agreed else b"false")
            await live.idle()
            assert await result_of(live, "paying", idempotency_key="k") == "done"
        assert outside.posted == (["b"] if agreed else [])
        assert len(script.asked) == 2, "the first turn was not asked again"
        told = script.asked[1].messages[-1]
        assert isinstance(told, Returned)
        assert told.text == ("paid" if agreed else "error: treasurer did not approve of `pay`")

    in_world(main)


def test_an_approval_may_depend_on_the_arguments_and_has_a_deadline(in_world: Play) -> None:
    outside = Outside()
    script = Script([calls(("pay", {"id": "a", "cents": 5})), calls(("pay", {"id": "b", "cents": 500})), "done"])
    approval = Approval("treasurer", when=lambda id, cents: cents > 100, timeout="2d", default=False)

    async def main(world: World) -> None:
        async with world.running(an_approved_desk(outside, approval), script=script) as live:
            assert await result_of(live, "paying") == "done"
            assert outside.posted == ["a"]

    in_world(main)


# Durability


def _long_work(outside: Outside) -> tuple[System, Script]:
    desk = System("desk")

    @desk.tool(effect="read")
    async def look(id: str) -> str:
        outside.calls += 1
        return f"seen {id}"

    @desk.tool(effect="write", key="id", idempotent=True)
    async def post(id: str) -> str:
        outside.posted.append(id)
        return "posted"

    agent = desk.agent("worker", llm=desk.llm("local"), tools=[look, post], turns=40)

    @desk.post("/work", timeout="1h")
    async def work() -> str:
        return await agent.run("look and post")

    def play_it(request: Request) -> Answer:
        turn = sum(not isinstance(message, Said | Returned) for message in request.messages)
        if turn == 6:
            return said("done")
        return calls(("look" if turn % 2 else "post", {"id": f"x{turn}"}))

    return desk, Script(play_it)


@pytest.mark.parametrize("after", range(0, 60, 2))
def test_a_crash_at_any_moment_pays_no_answer_and_makes_no_effect_twice(after: int) -> None:
    """The process ends `after` milliseconds in; the next one goes on. What is journaled is never asked for again."""
    outside = Outside()
    desk, script = _long_work(outside)

    async def main(world: World) -> None:
        async with world.running(desk, script=script, crash=True) as live:
            asked = asyncio.ensure_future(live.call("work", [], idempotency_key="k"))
            await asyncio.sleep(after / 1000)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        known = [entry for run in world.store.disk.runs for entry in await entries_of(world.store, run)]
        answered = sum(entry.part == "local" and entry.kind == Kind.STEP for entry in known)
        before = len(script.asked)
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "work", idempotency_key="k") == "done"
            assert len(script.asked) - before == 7 - answered, "an answer on record was asked for again"
        assert set(outside.posted) == {"x0", "x2", "x4"}

    play(main)


def test_an_agent_that_is_done_is_not_asked_again_when_its_run_is_tried_again(in_world: Play) -> None:
    desk, script = System("desk"), Script(["draft"])
    tries: list[str] = []
    poet = desk.agent("poet", llm=desk.llm("local"))
    topic = desk.topic("orders", Order, key="id")

    @desk.step()
    async def publish(text: str) -> None:
        tries.append(text)
        if len(tries) == 1:
            raise ValueError("not yet")

    @desk.on(topic)
    async def write(order: Order) -> None:
        await publish(await poet.run(order))

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert (await the_run(live)).state is State.DONE
            assert tries == ["draft", "draft"]
            assert len(script.asked) == 1

    in_world(main)
