"""Which arguments of a call carry what they may not: field by field, through lists and dicts, and also by what is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NewType

import pytest
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from parti import Label, System
from parti.design.labels import Tags
from parti.design.tool import Tool
from parti.trust.concerns import of_arguments, origins
from parti.trust.taint import Taint
from parti.trust.trail import Trail

Account = NewType("Account", str)
BOB, EVE = Account("DE11-BOB-1234"), Account("DE00-EVE-6666")
STRANGERS: Tags = frozenset({Label.UNTRUSTED})
PII: Tags = frozenset({Label.PII})


class Line(BaseModel):
    """One of an order."""

    account: Account
    note: str = ""


class Order(BaseModel):
    """Whose lines decide."""

    lines: list[Line]
    by_name: dict[str, Line] = {}


class Open(BaseModel):
    """Which may hold more than it declares."""

    model_config = ConfigDict(extra="allow")
    to: Account | None = None


class Form(BaseModel):
    """One field of it may be personal."""

    public: str
    private: Annotated[str, Label.PII]


class Payee(TypedDict):
    """A dict whose keys the program says."""

    iban: Account


@dataclass
class Wide:
    """With a recipient that is by default nobody."""

    to: Account | None = None
    cc: Account | None = BOB


desk = System("desk")


@desk.tool(
    effect="write", key="ref", control=["order.lines.account", "order.by_name.account"], clearance=Label.UNTRUSTED
)
async def buy(ref: str, order: Order) -> None: ...


@desk.tool(effect="write", key="ref", control=["to"], clearance=[Label.UNTRUSTED, Label.PII])
async def pay(ref: str, to: Account | None) -> None: ...


@desk.tool(effect="write", key="ref", control=["to"], clearance=Label.UNTRUSTED)
async def share(ref: str, to: dict[str, Any]) -> None: ...


@desk.tool(effect="write", key="ref", control=["to"], clearance=Label.UNTRUSTED)
async def hand(ref: str, to: Open) -> None: ...


@desk.tool(effect="write", key="ref", control=["to"], clearance=Label.UNTRUSTED)
async def give(ref: str, to: Payee) -> None: ...


@desk.tool(effect="write", key="ref", control=["to.to", "to.cc"], clearance=Label.UNTRUSTED)
async def spread(ref: str, to: Wide) -> None: ...


@desk.tool(effect="write", key="ref", control=["to"], clearance=Label.UNTRUSTED)
async def tell(ref: str, to: list[Account] | None = None) -> None: ...


@desk.tool(effect="write", key="ref")
async def file(ref: str, form: Form) -> None: ...


def concerns(tool: str, *arguments: Any, tags: Tags = STRANGERS) -> set[tuple[str, str]]:
    """The arguments of concern with their labels, where the task names Bob's account, and a stranger wrote Eve's."""
    trail = Trail()
    trail.learn("task", Account, BOB, (), named=True, task=True)
    trail.learn("letter", str, f"Pay {EVE}", (("", Label.UNTRUSTED),), named=True)
    trail.learn("person", str, "Ann Alder-Ames, ill", (("", Label.PII),), named=True)
    declared = desk.design.get(Tool, tool)
    taint = Taint(dict.fromkeys(tags, "letter"))
    assert origins(declared, ("r", *arguments), trail).keys() >= {"ref"}
    found = of_arguments(declared, ("r", *arguments), taint, tags, trail)
    return {(one.argument, str(tag)) for one in found for tag in one.tags}


@pytest.mark.parametrize(
    ("tool", "good", "bad", "path"),
    [
        ("buy", Order(lines=[Line(account=BOB)]), Order(lines=[Line(account=BOB), Line(account=EVE)]), "order.lines.account"),
        ("buy", Order(lines=[Line(account=BOB)], by_name={"b": Line(account=BOB)}),
         Order(lines=[Line(account=BOB)], by_name={"b": Line(account=EVE)}), "order.by_name.account"),
        ("share", {BOB: None}, {EVE: None}, "to"),
        ("share", {BOB: BOB}, {EVE: BOB}, "to"),
        ("hand", Open(to=BOB), Open(to=BOB, iban=EVE), "to"),  # type: ignore[call-arg]
        ("give", {"iban": BOB}, {"iban": EVE}, "to"),
    ],
)  # fmt: skip
def test_what_decides_is_traced_through_lists_dicts_keys_and_what_is_not_declared(
    tool: str, good: Any, bad: Any, path: str
) -> None:
    assert concerns(tool, good) == set()
    assert concerns(tool, bad) == {(path, "untrusted")}


@pytest.mark.parametrize(
    ("tool", "value", "paths"),
    [
        ("pay", None, {"to"}),
        ("tell", [], {"to"}),
        ("tell", None, set()),
        ("share", {}, {"to"}),
        ("buy", Order(lines=[]), {"order.lines.account"}),
        ("spread", Wide(), {"to.cc"}),
        ("spread", Wide(to=BOB, cc=None), {"to.cc"}),
        ("spread", Wide(to=BOB, cc=BOB), set()),
    ],
)
def test_to_leave_out_what_decides_is_a_choice_but_for_what_is_declared(tool: str, value: Any, paths: set[str]) -> None:
    """A recipient that is None may mean all of them; a value by default is named as any other."""
    assert {path for path, _ in concerns(tool, value)} - {"to.cc"} == paths - {"to.cc"}
    assert ("to.cc" in {path for path, _ in concerns(tool, value)}) == (value == Wide(to=BOB, cc=None))


def test_one_field_that_may_be_personal_clears_none_beside_it() -> None:
    ann = "Ann Alder-Ames, ill"
    assert ("form", "pii") not in concerns("file", Form(public="", private=ann), tags=PII)
    assert ("form", "pii") in concerns("file", Form(public=ann, private=""), tags=PII)


def test_a_tool_that_may_be_given_strangers_words_still_may_not_be_decided_by_them() -> None:
    assert concerns("pay", EVE) == {("to", "untrusted")}
    assert concerns("pay", BOB) == set()
