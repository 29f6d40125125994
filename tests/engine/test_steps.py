"""Steps: each answers once, and replays to the same answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from engine_kit import Order, Play, World, code_of, entries_of, orders, result_of, the_run
from pydantic import AfterValidator, BaseModel, Field

import parti
from parti import Label, PartiError, System


def test_two_calls_with_equal_arguments_at_once_each_get_their_own_answer(in_world: Play) -> None:
    desk = System("desk")
    served: list[int] = []

    @desk.step()
    async def ticket(wait: float) -> int:
        served.append(1)
        number = len(served)
        await asyncio.sleep(wait)
        return number

    @desk.post("/draw")
    async def draw() -> list[int]:
        together = await asyncio.gather(ticket(0.1), ticket(0.1), ticket(0.1))
        await ticket(0.2)
        return list(together)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "draw") == [1, 2, 3]
            assert len(served) == 4

    in_world(main)


def test_nested_gathers_and_task_groups_answer_the_same_after_each_restart(in_world: Play) -> None:
    desk = System("desk")
    calls: list[str] = []

    @desk.step()
    async def look(name: str) -> str:
        calls.append(name)
        number = calls.count(name)
        await asyncio.sleep(0.01 * (4 - len(name)))
        return f"{name}{number}"

    async def pair(left: str, right: str) -> list[str]:
        return list(await asyncio.gather(look(left), look(right)))

    @desk.post("/tree")
    async def tree() -> list[Any]:
        first = await asyncio.gather(pair("a", "bb"), pair("a", "ccc"))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(look("a")) for _ in range(3)]
        later = [asyncio.create_task(look(name)) for name in ("x", "y")]
        return [*first, [task.result() for task in tasks], [await task for task in later], await look("a")]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            outcome = await result_of(live, "tree")
            flat = outcome[0] + outcome[1] + outcome[2] + [outcome[4]]
            assert sorted(name for name in flat if name[0] == "a") == ["a1", "a2", "a3", "a4", "a5", "a6"]
            assert outcome[3] == ["x1", "y1"]
            assert len(calls) == 10

    in_world(main)


def test_time_chance_and_ids_are_the_same_in_every_replay(in_world: Play) -> None:
    desk = System("desk")
    seen: dict[str, set[str]] = {}

    @desk.step()
    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def branch(name: str) -> list[str]:
        mine = [str(parti.now()), str(parti.random().random()), str(parti.uuid()), str(parti.uuid())]
        seen.setdefault(name, set()).add(" ".join(mine))
        await wait(0.3)
        return [*mine, str(parti.random().random()), str(parti.now())]

    @desk.post("/draw")
    async def draw() -> list[list[str]]:
        first = await branch("alone")
        return [first, *await asyncio.gather(branch("left"), branch("right"))]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            drawn = await result_of(live, "draw")
        assert [len(values) for values in seen.values()] == [1, 1, 1]
        for position in (1, 2, 3, 4):
            assert len({branch[position] for branch in drawn}) == 3, "branches draw different values"
        assert len(set(drawn[0])) == 6

    in_world(main)


def test_an_id_drawn_inside_a_step_is_new_in_each_call_of_it(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def order_id() -> UUID:
        return parti.uuid()

    @desk.step()
    async def customer_id() -> UUID:
        return parti.uuid()

    @desk.post("/ids")
    async def ids() -> list[UUID]:
        return [await order_id(), await order_id(), await customer_id()]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert len(set(await result_of(live, "ids"))) == 3

    in_world(main)


def test_the_time_inside_a_step_is_that_of_its_own_call_and_not_of_an_earlier_one(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def look() -> datetime:
        return parti.now()

    @desk.post("/watch")
    async def watch() -> list[datetime]:
        first = await look()
        await parti.sleep("2d")
        return [first, await look()]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            asking = asyncio.create_task(code_of(live.call("watch", (), idempotency_key="w")))
            await asyncio.sleep(200_000)
            assert await asking == "P303"
            first, second = await result_of(live, "watch", idempotency_key="w")
            assert datetime.fromisoformat(second) - datetime.fromisoformat(first) >= timedelta(days=2)

    in_world(main)


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    at: datetime
    price: Decimal


class Camel(BaseModel):
    some_name: Annotated[int, Field(alias="someName")]


class Outer(BaseModel):
    inners: list[Inner]
    by_name: dict[str, Inner | None]
    tags: set[str]


INNER = Inner(at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), price=Decimal("1.10"))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (datetime, INNER.at),
        (date, date(2026, 1, 2)),
        (timedelta, timedelta(days=1, microseconds=1)),
        (Decimal, Decimal("0.1000")),
        (set[str], {"b", "a", "c"}),
        (tuple[int, str], (1, "x")),
        (Colour, Colour.RED),
        (Outer, Outer(inners=[INNER], by_name={"x": INNER, "y": None}, tags={"b", "a"})),
        (Camel, Camel(someName=3)),
        (type(None), None),
        (bytes, b"abc"),
        (float, 0.1),
        (float, 1e300),
        (int, 2**70),
        (str, 'quotes " backslash \\ newline \n tab \t null \0 emoji \N{GRINNING FACE}'),
        (dict[str, Any], {"b": [1, {"a": None}], "a": 1.5}),
        (list[bool], [True, False]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_a_step_answers_is_of_the_same_type_and_value_in_a_replay(in_world: Play, kind: Any, value: Any) -> None:
    desk = System("desk")
    answers: list[Any] = []

    @desk.step()
    async def give(given: kind) -> kind:
        return given

    @desk.step()
    async def pause() -> None:
        return None

    @desk.post("/go")
    async def go() -> bool:
        answers.append(await give(value))
        await pause()
        return True

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("go", ())
            assert all(answer == value and type(answer) is type(value) for answer in answers)

    in_world(main)


def test_a_value_that_the_declared_type_changes_is_seen_changed_already_the_first_time(in_world: Play) -> None:
    desk = System("desk")
    seen: set[str] = set()

    @desk.step()
    async def number() -> int:
        return "12"  # type: ignore[return-value]

    @desk.step()
    async def shout() -> Annotated[str, AfterValidator(str.upper)]:
        return "loud"

    @desk.post("/go")
    async def go() -> None:
        seen.add(repr([await number(), await shout()]))
        await number()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("go", ())
            assert seen == {"[12, 'LOUD']"}

    in_world(main)


def test_arguments_given_by_keyword_or_default_are_the_same_step(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def add(left: int, right: int = 2) -> int:
        return left + right

    @desk.post("/go")
    async def go() -> list[int]:
        return [await add(1), await add(1, 2), await add(left=1), await add(right=2, left=1)]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == [3, 3, 3, 3]
            journal = await entries_of(live.store, (await the_run(live)).id)
            assert len({entry.digest for entry in journal if entry.kind == "step"}) == 1

    in_world(main)


def test_the_order_inside_a_set_does_not_change_which_step_it_is(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def count(names: set[str]) -> int:
        return len(names)

    @desk.post("/go")
    async def go() -> int:
        # Two sets that are equal, and iterate differently because they grew differently.
        one, other = {f"n{i}" for i in range(40)}, {f"n{i}" for i in reversed(range(90))}
        other -= {f"n{i}" for i in range(40, 90)}
        assert one == other
        assert list(one) != list(other)
        return await count(one) + await count(other)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("go", ())
            journal = await entries_of(live.store, (await the_run(live)).id)
            assert len({entry.digest for entry in journal if entry.kind == "step"}) == 1

    in_world(main)


def test_answers_over_64_kib_replay_from_their_blob(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def load(size: int) -> str:
        return "x" * size

    @desk.post("/go")
    async def go() -> int:
        big = await load(200_000)
        return len(big) + len(await load(3))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == 200_003
            assert await live.store.size() < 10_000
            assert await live.store.verify() == []

    in_world(main)


# Deadlines that pass down


def test_a_tool_is_told_how_long_it_may_take(in_world: Play[None]) -> None:
    """The earliest of all timeouts around it counts: its own, that of the step around it, that of the run."""
    desk = System("desk")

    @desk.tool(effect="read", timeout="10s")
    async def look() -> float:
        await asyncio.sleep(1)
        return round(parti.time_left(), 3)

    @desk.step(timeout="5s")
    async def around() -> list[float]:
        before = round(parti.time_left(), 3)
        await asyncio.sleep(1)
        return [before, await look()]

    @desk.tool(effect="read", timeout="20s")
    def blocking() -> float:
        return round(parti.time_left())

    topic = desk.topic("orders", Order, key="id")
    told = {}

    @desk.on(topic, timeout="12s")
    async def handle(order: Order) -> None:
        told["alone"], told["around"], told["blocking"] = await look(), await around(), await blocking()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert told["alone"] == 9.0
            assert told["around"] == [5.0, 3.0]
            assert told["blocking"] in (9, 12), (
                "of the run's twelve seconds three are over, unless it was started again"
            )

    in_world(main)


def test_the_time_left_is_told_inside_a_tool_alone(in_world: Play[None]) -> None:
    desk = System("desk")

    @desk.post("/told")
    async def told() -> float:
        return parti.time_left()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            with pytest.raises(PartiError, match="P301 the time left is known inside a tool or step alone"):
                await live.call("told", [])

    in_world(main)


def test_a_guard_runs_as_a_step_and_answers_from_the_journal(in_world: Play) -> None:
    desk = System("desk")
    calls: list[str] = []

    @desk.guard(releases=Label.UNTRUSTED)
    def words(text: str) -> int:
        calls.append(text)
        return len(text.split())

    @desk.post("/count")
    async def count(text: str) -> int:
        found = await words(text)
        await words(text + " more")
        return found

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "count", "two words") == 2
            entries = await entries_of(live.store, (await the_run(live, "count")).id)
            assert [entry.part for entry in entries if entry.part == "words"] == ["words", "words"]
            assert calls == ["two words", "two words more"]

    in_world(main)
