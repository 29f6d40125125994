"""Teams: each pattern does what it says, is drawn from where it is put together, and survives a crash at every step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from engine_kit import Play, World, play, result_of

from parti import PartiError, System, patterns
from parti.patterns import Critique, HandOff, Plan
from parti.ports.llm import Answer, LlmFailure, Request, Returned
from parti.testing import Script, calls, said

DOWN = LlmFailure("P702", "this one never answers", lasting=True)


def a_team() -> System:
    """Agents with names in their instructions, and an endpoint for each pattern."""
    desk = System("desk")
    llm = desk.llm("local", concurrency=64)
    posted: list[str] = []

    @desk.tool(effect="write", key="id", idempotent=True)
    async def post(id: str) -> str:
        posted.append(id)
        return "posted"

    def agent(name: str, output: Any = str, **options: Any) -> Any:
        return desk.agent(name, llm=llm, instructions=name, output=output, repairs=0, **options)

    writer, critic, clerk = agent("writer"), agent("critic", Critique), agent("clerk", tools=[post])
    one, two, three = agent("one"), agent("two"), agent("three")
    planner, router = agent("planner", Plan), agent("router")
    front, back, boss = agent("front", HandOff), agent("back", HandOff), agent("boss", HandOff)

    @desk.post("/refine", timeout="1h")
    async def refine(task: str) -> list[Any]:
        draft, critique = await patterns.refine(task, writer, critic)
        return [draft, critique.good]

    @desk.post("/vote", timeout="1h")
    async def vote(task: str) -> list[Any]:
        result = await patterns.vote(task, [one, two, three], least=2)
        return [result.output, result.votes, result.count]

    @desk.post("/route", timeout="1h")
    async def route(task: str) -> str:
        return await patterns.route(task, router.run, {"one": one, "two": two}, otherwise="two")

    @desk.post("/plan", timeout="1h")
    async def plan(task: str) -> list[tuple[str, str]]:
        return await patterns.plan_and_execute(task, planner, clerk)

    @desk.post("/hand_off", timeout="1h")
    async def hand_off(task: str) -> tuple[str, str]:
        return await patterns.hand_off(task, {"front": front, "back": back}, start="front")

    @desk.post("/supervise", timeout="1h")
    async def supervise(task: str) -> list[Any]:
        return list(await patterns.supervise(task, boss, {"one": one, "clerk": clerk}))

    return desk


def who(request: Request) -> str:
    return request.messages[0].text  # type: ignore[union-attr]


def given(request: Request) -> dict[str, Any]:
    return dict(json.loads(request.messages[1].text))  # type: ignore[union-attr]


def refining(request: Request) -> Any:
    if who(request) == "writer":
        return "draft" if request.messages[1].text == "t" else "better draft"  # type: ignore[union-attr]
    good = given(request)["draft"] == "better draft"
    return {"good": good, "remarks": "" if good else "make it better"}


def voting(request: Request) -> Any:
    return {"one": "yes", "two": "no", "three": "yes"}[who(request)]


def routing(request: Request) -> Any:
    return "one" if who(request) == "router" else f"{who(request)} did it"


def planning(request: Request) -> Any:
    """The second step fails for good the first time; the new plan does without it."""
    if who(request) == "planner":
        return {"steps": ["c"] if "failed" in given(request) else ["a", "b"]}
    step = given(request)["step"]
    if step == "b":
        return Answer("I will not", finish="refused")
    if isinstance(request.messages[-1], Returned):
        return f"{step} is done"
    return calls(("post", {"id": step}))


def handing_off(request: Request) -> Any:
    if who(request) == "front":
        return {"to": "back", "text": "please look"}
    return {"to": None, "text": f"looked, as {given(request)['from']} asked: {given(request)['words']}"}


def supervising(request: Request) -> Any:
    if who(request) != "boss":
        return f"{who(request)} did {request.messages[1].text}"  # type: ignore[union-attr]
    done = given(request)["done"]
    return {"to": ["one", "clerk", None][len(done)], "text": f"work {len(done)}"}


CASES: dict[str, tuple[Callable[[Request], Any], Any]] = {
    "refine": (refining, ["better draft", True]),
    "vote": (voting, ["yes", 2, 3]),
    "route": (routing, "one did it"),
    "plan": (planning, [["a", "a is done"], ["c", "c is done"]]),
    "hand_off": (handing_off, ["back", "looked, as front asked: please look"]),
    "supervise": (supervising, ["work 2", [["one", "one did work 0"], ["clerk", "clerk did work 1"]]]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_team_comes_to_its_result(in_world: Play, name: str) -> None:
    answer, wanted = CASES[name]

    async def main(world: World) -> None:
        async with world.running(a_team(), script=Script(answer)) as live:
            assert await result_of(live, name, "t") == wanted

    in_world(main)


@pytest.mark.parametrize("name", CASES)
def test_a_team_is_drawn_from_where_it_is_put_together(name: str) -> None:
    design = a_team().design
    assert design.opaque == ()
    members = {
        "refine": {"writer", "critic"},
        "vote": {"one", "two", "three"},
        "route": {"router", "one", "two"},
        "plan": {"planner", "clerk"},
        "hand_off": {"front", "back"},
        "supervise": {"boss", "one", "clerk"},
    }
    assert {arrow.target for arrow in design.arrows_from(name, "calls")} == members[name]


@pytest.mark.parametrize("name", CASES)
def test_a_team_goes_on_after_a_crash_at_every_step(name: str) -> None:
    """The process ends as the k-th question is asked: the result is the same, and no answer on record is asked for again."""
    answer, wanted = CASES[name]
    for number in range(1, 9):
        reached = play(lambda world, number=number: _crashed(world, name, answer, wanted, number))  # type: ignore[misc]
        if not reached:
            break
    assert number > 2, "it was killed more than once"


async def _crashed(world: World, name: str, answer: Callable[[Request], Any], wanted: Any, number: int) -> bool:
    asked = asyncio.Event()
    counted = 0

    async def dying(request: Request) -> Any:
        nonlocal counted
        counted += 1
        if counted == number:
            asked.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0.2)
        return answer(request)

    async with world.running(a_team(), script=Script(dying), crash=True) as live:
        first = asyncio.ensure_future(result_of(live, name, "t", idempotency_key="k"))
        await asyncio.wait([first, asyncio.ensure_future(asked.wait())], return_when=asyncio.FIRST_COMPLETED)
        if not asked.is_set():
            return False
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    script = Script(answer)
    async with world.running(a_team(), script=script) as live:
        assert await result_of(live, name, "t", idempotency_key="k") == wanted
    assert await world.store.verify() == []
    return True


def test_who_fails_has_no_vote_and_too_few_votes_are_none(in_world: Play) -> None:
    def failing(*names: str) -> Script:
        return Script(lambda request: DOWN if who(request) in names else said("yes"))

    async def main(world: World) -> None:
        async with world.running(a_team(), script=failing("three")) as live:
            assert await result_of(live, "vote", "t") == ["yes", 2, 2]
        async with world.running(a_team(), script=failing("three", "two")) as live:
            with pytest.raises(PartiError, match="P702"):
                await live.call("vote", ["t"])

    in_world(main)


def test_an_unknown_route_takes_the_other_way(in_world: Play) -> None:
    async def main(world: World) -> None:
        script = Script(lambda request: "nobody" if who(request) == "router" else who(request))
        async with world.running(a_team(), script=script) as live:
            assert await result_of(live, "route", "t") == "two"

    in_world(main)


def test_refining_ends_after_its_rounds(in_world: Play) -> None:
    def never(request: Request) -> Any:
        return "draft" if who(request) == "writer" else {"good": False, "remarks": "no"}

    async def main(world: World) -> None:
        script = Script(never)
        async with world.running(a_team(), script=script) as live:
            assert await result_of(live, "refine", "t") == ["draft", False]
        assert len(script.asked) == 6

    in_world(main)


def test_handing_off_in_a_circle_ends(in_world: Play) -> None:
    def circle(request: Request) -> Any:
        return {"to": "back" if who(request) == "front" else "front", "text": f"{who(request)} says"}

    async def main(world: World) -> None:
        async with world.running(a_team(), script=Script(circle)) as live:
            assert await result_of(live, "hand_off", "t") == ["back", "front says"]

    in_world(main)


def test_a_plan_that_goes_on_failing_ends_with_the_error_of_its_step(in_world: Play) -> None:
    def failing(request: Request) -> Any:
        return {"steps": ["a"]} if who(request) == "planner" else Answer("no", finish="refused")

    async def main(world: World) -> None:
        script = Script(failing)
        async with world.running(a_team(), script=script) as live:
            with pytest.raises(PartiError, match="P705 `clerk` stopped after 1 turns: the model refused"):
                await live.call("plan", ["t"])
        assert sum(who(request) == "planner" for request in script.asked) == 3

    in_world(main)
