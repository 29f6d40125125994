"""Evolution: what was stored under older types is read, or refused at the start with the field's name."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from engine_kit import Count, Order, Play, World, orders, result_of
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from parti import PartiError, System
from parti.design.compatibility import misfits


class Inner(BaseModel):
    x: int


class InnerWithMore(BaseModel):
    x: int
    y: int


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


class TextTree(BaseModel):
    value: str
    children: list[TextTree] = []


class Two(Enum):
    A = "a"
    B = "b"


class Three(Enum):
    A = "a"
    B = "b"
    C = "c"


def of(kind: Any) -> Any:
    """The schema of a record with one field of that type."""
    if isinstance(kind, dict):
        return create_model("Record", **kind).model_json_schema()
    return create_model("Record", f=(kind, ...)).model_json_schema()


def bounded(**bounds: Any) -> Any:
    return Annotated[int, Field(**bounds)]


SAME = [
    int,
    str | None,
    Literal["a", 1],
    Literal["a", None],
    Any,
    dict[str, Any],
    list[Inner],
    Tree,
    Two,
    Decimal,
    datetime,
    bytes,
    tuple[int, str],
    set[str],
    int | str | None,
    dict[str, Inner | None],
]


@pytest.mark.parametrize("kind", SAME, ids=str)
def test_what_did_not_change_fits(kind: Any) -> None:
    assert list(misfits(of(kind), of(kind))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": (int, ...)}, {"a": (int, ...), "b": (int, 3)}),
        ({"a": (int, ...), "b": (int, ...)}, {"a": (int, ...)}),
        ({"a": (int, ...)}, {"a": (int, 5)}),
        (int, float),
        (int, int | None),
        (int, Any),
        (int, int | str),
        (int, Decimal),
        (Literal["a"], Literal["a", "b"]),
        (Literal["a"], str),
        (Literal["a"], Literal["a", 1]),
        (Literal["a", 1], str | int),
        (Two, Three),
        (Two, Literal["a", "b", "c"]),
        (datetime, str),
        (InnerWithMore, Inner),
        (list[int], list[float]),
        (dict[str, int], dict[str, float]),
        (tuple[int, int], tuple[float, int]),
        (bounded(ge=0, le=5), int),
        (bounded(ge=1, le=5), bounded(ge=0, le=9)),
        (int | None, float | str | None),
    ],
    ids=str,
)
def test_a_type_that_reads_more_than_before_fits(old: Any, new: Any) -> None:
    assert list(misfits(of(old), of(new))) == []


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ({"a": (int, ...)}, {"a": (int, ...), "b": (int, ...)}, "b"),
        ({"a": (int, ...)}, {"b": (int, ...)}, "b"),
        (float, int, "f"),
        (str, int, "f"),
        (int, str, "f"),
        (int, bool, "f"),
        (int | None, int, "f"),
        (int | str, int, "f"),
        (Any, int, "f"),
        (str, datetime, "f"),
        (str, Literal["a"], "f"),
        (Literal["a", "b"], Literal["a"], "f"),
        (Literal["a", 1], Literal["a"], "f"),
        (Literal["a", 1], str, "f"),
        (Three, Two, "f"),
        (Inner, InnerWithMore, "f.y"),
        (list[Inner], list[InnerWithMore], "f[].y"),
        (list[int], list[str], "f[]"),
        (int, list[int], "f"),
        (dict[str, int], dict[str, str], "f{}"),
        (dict[str, Inner], dict[str, InnerWithMore], "f{}.y"),
        (tuple[int, int], tuple[int, str], "f[1]"),
        (tuple[int, int], tuple[int, int, int], "f"),
        (int, bounded(ge=0), "f"),
        (bounded(le=5), bounded(le=4), "f"),
        (str, Annotated[str, Field(max_length=3)], "f"),
        (str, Annotated[str, Field(pattern="^a")], "f"),
        (Tree, TextTree, "f.value"),
    ],
    ids=str,
)
def test_a_type_that_reads_less_than_before_is_refused_with_the_field(old: Any, new: Any, field: str) -> None:
    assert [where for where, _ in misfits(of(old), of(new))][:1] == [field]


def test_a_removed_field_is_refused_where_unknown_fields_are_forbidden() -> None:
    class Before(BaseModel):
        a: int
        b: int

    class After(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: int

    assert [where for where, _ in misfits(Before.model_json_schema(), After.model_json_schema())] == ["b"]


def test_tagged_unions_may_grow_and_not_shrink() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]
        lives: int

    class Dog(BaseModel):
        kind: Literal["dog"]

    both = TypeAdapter(Annotated[Cat | Dog, Field(discriminator="kind")]).json_schema()
    cats = TypeAdapter(Cat).json_schema()
    assert list(misfits(cats, both)) == []
    assert list(misfits(both, both)) == []
    assert list(misfits(both, cats)) != []


def desk_of(payload: Any, row: Any = Count, *, partitions: int = 8, upcast: Any = None, seen: Any = None) -> System:
    """A desk with a topic of that type, whose handler notes what it reads."""
    desk = System("desk")
    topic = desk.topic("orders", payload, key="id", partitions=partitions, upcast=upcast)
    book = desk.table("book", row, key="id", upcast=upcast)

    @desk.post("/read")
    async def read(id: str) -> Any:
        return await book.get(id)

    @desk.post("/write", key="row.id")
    async def write(row: row) -> None:
        await book.put(row)

    if seen is not None:

        @desk.on(topic)
        async def handle(order: payload) -> None:
            seen.append(order)

    return desk


def test_a_store_that_cannot_be_read_any_more_is_refused_at_the_start_with_the_field(in_world: Play) -> None:
    class Priced(BaseModel):
        id: str
        price: float

    async def main(world: World) -> None:
        async with world.running(desk_of(Order)) as live:
            await live.publish("orders", orders("a"))
        with pytest.raises(PartiError) as refused:
            async with world.running(desk_of(Priced)):
                pass
        assert refused.value.code == "P403"
        assert refused.value.what == "what `orders` holds cannot be read any more: price is new and has no default"
        assert str(refused.value.place).startswith("test_evolution.py:")
        async with world.running(desk_of(Order)) as live:
            assert len(await live.events("orders")) == 1

    in_world(main)


def test_older_events_and_rows_are_read_with_the_defaults_of_new_fields(in_world: Play) -> None:
    class Wider(BaseModel):
        id: str
        amount: float = 0
        n: int = 0
        note: str = "none"

    seen: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(desk_of(Order)) as live:
            await live.publish("orders", orders("x", "a"))
            await live.call("write", (Count(id="a", n=4),))
        async with world.running(desk_of(Wider, Wider, seen=seen)) as live:
            await live.idle()
            assert sorted(seen, key=lambda order: order.id)[0] == Wider(id="a", amount=1, note="none")
            assert (await result_of(live, "read", "a")) == {"id": "a", "amount": 0.0, "n": 4, "note": "none"}

    in_world(main)


def test_an_upcast_lifts_older_events_and_rows_and_not_those_of_today(in_world: Play) -> None:
    class Renamed(BaseModel):
        id: str
        total: int

    def lift(old: dict[str, Any]) -> dict[str, Any]:
        return {"id": old["id"], "total": old.get("amount", old.get("n")) * 100}

    seen: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(desk_of(Order)) as live:
            await live.publish("orders", orders("x", "a"))
            await live.call("write", (Count(id="a", n=4),))
        async with world.running(desk_of(Renamed, Renamed, upcast=lift, seen=seen)) as live:
            await live.publish("orders", [b'{"id":"b","total":7}'])
            await live.call("write", (Renamed(id="b", total=8),))
            await live.idle()
            assert {order.id: order.total for order in seen} == {"x": 0, "a": 100, "b": 7}
            assert (await result_of(live, "read", "a"))["total"] == 400
            assert (await result_of(live, "read", "b"))["total"] == 8

    in_world(main)


def test_another_number_of_partitions_is_refused_with_p406(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(desk_of(Order, partitions=8)):
            pass
        with pytest.raises(PartiError) as refused:
            async with world.running(desk_of(Order, partitions=4)):
                pass
        assert refused.value.code == "P406"

    in_world(main)
