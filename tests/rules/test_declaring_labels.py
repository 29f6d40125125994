"""Labels and facts as they are declared: read from types, said by options, refused where they are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from parti import Label, Purpose, Region, System
from parti.design.fields import free_texts, labels_of, values_max
from parti.design.graph import Design
from parti.design.guard import Guard
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.errors import DeclarationError

OrderId = NewType("OrderId", str)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII, Region("eu")]
    friends: list[Person] = []


@dataclass
class Letter:
    to: Person | None
    lines: list[Annotated[str, Label.UNTRUSTED]]
    by: dict[str, Person]


def test_labels_are_read_through_lists_optionals_and_nested_types() -> None:
    assert set(labels_of(Person)) >= {("name", Label.PII), ("name", Region("eu")), ("friends.name", Label.PII)}
    assert set(labels_of(Letter)) >= {("to.name", Label.PII), ("lines", Label.UNTRUSTED), ("by.name", Label.PII)}
    assert labels_of(Annotated[str, Label.SECRET]) == (("", Label.SECRET),)
    assert labels_of(dict[str, int]) == ()


def test_types_that_hold_each_other_come_to_an_end() -> None:
    assert max(path.count(".") for path, _ in labels_of(Person)) == 3


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (str, ("",)),
        (int | None, ()),
        (Literal["a", "b"], ()),
        (Colour, ()),
        (OrderId, ("",)),
        (list[str], ("",)),
        (Any, ("",)),
        (Letter, ("to.id", "to.name", "to.friends.id", "to.friends.name")),
    ],
)
def test_free_text_is_told_from_what_is_bounded(kind: Any, paths: tuple[str, ...]) -> None:
    found = free_texts(kind)
    assert set(paths) <= set(found) if paths else found == ()


def test_how_many_values_a_type_has() -> None:
    counted = [values_max(kind) for kind in (bool, Colour, Literal["a", "b", "c"], Colour | None, str)]
    assert counted == [2, 2, 3, 3, None]


def declared(**options: Any) -> Tool:
    desk = System("desk")

    @desk.tool(effect="write", key="order.id", **options)
    async def pay(order: Person, query: str) -> str:
        return query

    return desk.design.get(Tool, "pay")


def test_a_tool_keeps_what_is_said_of_it() -> None:
    tool = declared(
        labels={"title": Label.UNTRUSTED}, clearance=[Label.PII, Purpose("credit")], control=["order.id"],
        runs={"query": "sql"}, principal="order", undo="never",
    )  # fmt: skip
    assert tool.labels == (("title", Label.UNTRUSTED),)
    assert tool.clearance == (Label.PII, Purpose("credit"))
    assert (tool.control, tool.runs, tool.principal, tool.undo) == (
        ("order.id",),
        (("query", "sql"),),
        "order",
        "never",
    )
    assert declared().labels is None
    assert declared(labels=[]).labels == ()


WRONG: dict[str, dict[str, Any]] = {
    "is no label": {"labels": "pii"},
    "which is no label": {"clearance": ["pii"]},
    "which `pay` is not given": {"control": ["to"]},
    "names 'order.to'": {"control": ["order.to"]},
    "is not known": {"runs": {"query": "perl"}},
    "names 'user'": {"principal": "user"},
    "not a step": {"undo": "refund"},
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_option_is_refused_with_its_place(said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as wrong:
        declared(**WRONG[said])
    assert wrong.value.code in ("P105", "P106")
    assert "test_declaring_labels.py" in str(wrong.value.place)


class Account(TypedDict):
    """A dict whose keys are declared."""

    iban: str


class Order(BaseModel):
    """Through lists, dicts and optionals."""

    lines: list[Person] = []
    by_name: dict[str, Person] | None = None
    account: Account
    more: dict[str, Any] = {}


def deciding(path: str) -> Tool:
    """A tool with one argument that decides."""
    desk = System("desk")

    @desk.tool(effect="write", key="id", control=[path])
    async def pay(id: str, order: Order, orders: list[Order]) -> None: ...

    return desk.design.get(Tool, "pay")


@pytest.mark.parametrize(
    "path", ["order.lines.name", "order.by_name.name", "order.account.iban", "orders.lines", "order.more"]
)
def test_what_decides_may_lie_in_lists_and_dicts(path: str) -> None:
    assert deciding(path).control == (path,)


@pytest.mark.parametrize(
    "path", ["order.more.to", "order.account.bic", "order.lines.none", "id.x", "orders.by_name.name.x"]
)
def test_what_decides_is_refused_where_no_type_leads_to_it(path: str) -> None:
    with pytest.raises(DeclarationError, match="nothing says what") as wrong:
        deciding(path)
    assert wrong.value.code == "P105"
    assert path in str(wrong.value)


def test_a_guard_is_a_step_with_releases() -> None:
    desk = System("desk")

    @desk.guard(releases=[Label.PII, Label.UNTRUSTED], timeout="5s")
    def length(text: str) -> int:
        return len(text)

    guard = desk.design.get(Guard, "length")
    assert (guard.releases, guard.timeout) == ((Label.PII, Label.UNTRUSTED), 5)


def test_a_decision_needs_a_known_matter_and_a_part() -> None:
    desk = System("desk")
    with pytest.raises(DeclarationError, match="is not known"):
        desk.decision("loan", by=tick_of(desk), of="loans")  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="what decides `loan`"):
        desk.decision("loan", by="tick", of="credit")  # type: ignore[arg-type]


def tick_of(desk: System) -> Any:
    @desk.every("1h")
    async def tick() -> None: ...

    return tick


def test_a_document_must_be_there() -> None:
    with pytest.raises(DeclarationError, match="there is no document none"):
        System("desk", documents={"dpia": "none.md"})
    assert System("desk", documents={"dpia": Path(__file__).name}).design.documents


def test_what_is_declared_is_in_the_design() -> None:
    desk = System("desk", responsible="operator", keep={Label.PII: "1y"})
    desk.topic("people", Person, key="id")
    tick = tick_of(desk)
    desk.decision("loan", by=tick, of="credit", appeal="boss")
    desk.accept("R404", on=tick, reason="small", until="2027-01-01")
    design: Design = desk.design
    assert (design.responsible, [name for name, _ in design.keep]) == ("operator", [Label.PII])
    assert (design.decisions[0].by, design.acceptances[0].on) == ("tick", "tick")
    assert ("name", Label.PII) in design.get(Topic, "people").payload.labels
