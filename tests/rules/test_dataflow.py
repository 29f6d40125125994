"""How data moves inside functions: which field goes where, and in what manner."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from rules_kit import loaded

from parti.declare.dataflow.reader import read_dataflow
from parti.design.dataflow import Dataflow

APP = """
import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, model_validator

from parti import Label, System, ask

desk = System("desk")


class Address(BaseModel):
    street: str
    city: str


class Person(BaseModel):
    id: str
    name: str
    address: Address
    others: list[Address] = []

    @property
    def shown(self) -> str:
        return self.name.upper()

    def at(self, host: str) -> str:
        return f"{self.id}@{host}"


class Card(BaseModel):
    id: str
    name: str = ""
    city: str = ""


class Strict(BaseModel):
    id: str
    name: str

    @model_validator(mode="after")
    def check(self) -> "Strict":
        return self


people = desk.table("people", Person, key="id")
cards = desk.topic("cards", Card, key="id")
KNOWN = {"a": "b"}
SEEN: list[str] = []


@desk.tool(effect="write", key="to", idempotent=True)
async def send(to: str, text: str) -> str:
    return to


"""


def read(tmp_path: Path, body: str, more: str = "") -> Dataflow:
    """The dataflow of an app with one endpoint `door(person)` of that body."""
    text = (
        APP
        + textwrap.dedent(more)
        + '\n\n@desk.post("/door", key="person.id")\nasync def door(person: Person) -> Any:\n'
    )
    file = tmp_path / "app.py"
    file.write_text(text + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n", encoding="utf-8")
    system = loaded(file)
    return read_dataflow(system.design, system.root)


def into(found: Dataflow, target: str, manner: str = "value") -> set[str]:
    """The fields of `person` that go to `target`."""
    ways = (flow for flow in found.flows if str(flow.target) == target and flow.manner == manner)
    return {flow.source.path.removeprefix("person").lstrip(".") for flow in ways if flow.source.part == "door"}


BODIES = {
    "a field": ("await send(person.name, '')", {"name"}),
    "a nested field": ("await send(person.address.city, '')", {"address.city"}),
    "an item of a list": ("await send(person.others[0].city, '')", {"others.city"}),
    "a variable": ("to = person.name\nawait send(to, '')", {"name"}),
    "a variable that is stored anew": ("to = person.name\nto = person.id\nawait send(to, '')", {"id"}),
    "one of two branches": ("to = person.name\nif KNOWN:\n    to = person.id\nawait send(to, '')", {"name", "id"}),
    "a keyword": ("await send(text='', to=person.name)", {"name"}),
    "a format": ("await send(f'{person.name}!', '')", {"name"}),
    "an operator": ("await send('<' + person.name + '>', '')", {"name"}),
    "a library's method": ("await send(person.name.strip().lower(), '')", {"name"}),
    "a library's function": ("await send(json.dumps([person.name]), '')", {"name"}),
    "a tuple": ("one, two = person.id, person.name\nawait send(two, one)", {"name"}),
    "a starred rest": ("one, *rest = person.id, person.name\nawait send(rest[0], one)", {"id", "name"}),
    "a dict of constant keys": ("found = {'a': person.id, 'b': person.name}\nawait send(found['b'], '')", {"name"}),
    "a list that grows": ("found = []\nfound.append(person.name)\nawait send(found[0], '')", {"name"}),
    "a loop": ("for one in person.others:\n    await send(one.city, '')", {"others.city"}),
    "a comprehension": ("await send([one.city for one in person.others][0], '')", {"others.city"}),
    "a walrus": ("if to := person.name:\n    await send(to, '')", {"name"}),
    "an alternative": ("await send(person.name if KNOWN else person.id, '')", {"name", "id"}),
    "an or": ("await send(person.name or person.id, '')", {"name", "id"}),
    "a property": ("await send(person.shown, '')", {"name"}),
    "a method": ("await send(person.at('here'), '')", {"id"}),
    "a record": ("await send(Card(id=person.id, name=person.name).name, '')", {"name"}),
    "a record made by name": ("await send(Card.model_validate(person, from_attributes=True).name, '')", {"name"}),
    "a record with a validator of all": ("await send(Strict(id=person.id, name=person.name).name, '')", {"id", "name"}),
    "a copy": ("await send(person.model_copy(update={'name': person.id}).name, '')", {"id"}),
    "a dump": ("await send(person.model_dump()['name'], '')", {"name"}),
    "json": ("await send(person.model_dump_json(), '')", {""}),
    "a lambda": ("await send((lambda one: one.name)(person), '')", {"name"}),
    "a nested function": ("def to() -> str:\n    return person.name\nawait send(to(), '')", {"name"}),
    "a try": ("try:\n    to = person.name\nexcept ValueError:\n    to = person.id\nawait send(to, '')", {"name", "id"}),
    "an exception": ("try:\n    raise ValueError(person.name)\nexcept ValueError as e:\n    await send(str(e), '')", {"name"}),
    "a match": ("match person.name:\n    case str() as to:\n        await send(to, '')", {"name"}),
    "a with": ("async with asyncio.timeout(1):\n    await send(person.name, '')", {"name"}),
    "a gather": ("await asyncio.gather(send(person.name, ''), send(person.id, ''))", {"name", "id"}),
    "a constant": ("await send('boss', person.name)", set()),
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
def test_a_field_is_followed_through(kind: str, tmp_path: Path) -> None:
    body, expected = BODIES[kind]
    assert into(read(tmp_path, body), "send.to") == expected


def test_a_helper_is_followed_and_keeps_fields_apart(tmp_path: Path) -> None:
    more = """
        def both(person: Any) -> tuple[str, str]:
            return person.id, name_of(person)


        def name_of(person: Any) -> str:
            return person.name
    """
    found = read(tmp_path, "one, two = both(person)\nawait send(one, two)", more)
    assert (into(found, "send.to"), into(found, "send.text")) == ({"id"}, {"name"})


def test_a_function_that_calls_itself_comes_to_an_end(tmp_path: Path) -> None:
    more = """
        def deep(text: str, left: int) -> str:
            return deep(text + "x", left - 1) if left else text
    """
    assert into(read(tmp_path, "await send(deep(person.name, 3), '')", more), "send.to") == {"name"}


def test_a_step_is_followed_at_each_call(tmp_path: Path) -> None:
    more = """
        @desk.step
        def tidy(text: str) -> str:
            return text.strip()
    """
    body = "one = await tidy(person.id)\nawait send(one, await tidy(person.name))"
    found = read(tmp_path, body, more)
    assert (into(found, "send.to"), into(found, "send.text")) == ({"id"}, {"name"})


def test_a_guard_is_passed_through(tmp_path: Path) -> None:
    more = """
        @desk.guard(releases=Label.UNTRUSTED)
        def short(text: str) -> int:
            return len(text)
    """
    found = read(tmp_path, "await send(str(await short(person.name)), '')", more)
    assert into(found, "send.to") == set()
    assert into(found, "short.text") == {"name"}


def test_what_a_row_was_chosen_by_goes_along_as_a_choice(tmp_path: Path) -> None:
    found = read(tmp_path, "row = await people.get(person.name)\nawait send(row.id, '')")
    assert into(found, "send.to", "choice") == {"name"}
    assert {str(flow.source) for flow in found.flows if str(flow.target) == "send.to"} >= {"people.id"}


def test_what_decides_goes_along_as_a_condition(tmp_path: Path) -> None:
    found = read(tmp_path, "if person.name == 'x':\n    return 1\nawait send(person.id, '')")
    assert into(found, "send.to") == {"id"}
    assert into(found, "send.to", "condition") == {"name"}


def test_a_branch_that_goes_on_decides_nothing_behind_it(tmp_path: Path) -> None:
    found = read(tmp_path, "text = ''\nif person.name == 'x':\n    text = 'y'\nawait send(person.id, text)")
    assert into(found, "send.to", "condition") == into(found, "send.to", "choice") == set()
    assert into(found, "send.text", "choice") == {"name"}


def test_a_global_hands_on_what_another_part_put_in(tmp_path: Path) -> None:
    more = """
        @desk.every("1h")
        async def hourly() -> None:
            await send(SEEN[0], "")
    """
    assert into(read(tmp_path, "SEEN.append(person.name)", more), "send.to") == {"name"}


def test_a_part_used_where_it_cannot_be_seen_may_get_everything(tmp_path: Path) -> None:
    more = """
        TOOLS = {"send": send}


        @dataclass
        class Box:
            tool: Any
    """
    found = read(tmp_path, "for tool in TOOLS.values():\n    await tool('boss', 'text')\nreturn person.id", more)
    assert any(flow.source.part == "door" and flow.target.part == "send" for flow in found.flows)


def test_questions_are_noted_with_what_they_wait_for(tmp_path: Path) -> None:
    found = read(
        tmp_path, "await ask('boss', f'Is {person.id} right?', timeout='2d', default=True)\nawait ask('boss', 'Right?')"
    )
    one, two = sorted((use for use in found.uses if use.method == "asks"), key=lambda use: use.constant)
    assert (one.target, one.wait, one.yes, one.constant) == ("boss", 172_800, True, False)
    assert (two.wait, two.yes, two.constant) == (None, False, True)


def test_loops_and_caught_failures_are_noted(tmp_path: Path) -> None:
    body = """
        while KNOWN:
            await send("a", "")
        try:
            for one in person.others:
                await send("b", "")
        except Exception:
            await send("c", "")
    """
    uses = [(use.loop, use.caught) for use in read(tmp_path, body).uses]
    assert sorted(uses) == [("", False), ("for", True), ("while", False)]


def test_a_blocking_call_is_seen_in_async_functions_alone(tmp_path: Path) -> None:
    more = """
        import time


        def slow() -> None:
            time.sleep(1)


        @desk.step
        def threaded(x: int) -> int:
            time.sleep(1)
            return x
    """
    found = read(tmp_path, "slow()\nawait asyncio.to_thread(slow)\nawait threaded(1)", more)
    assert [(one.part, one.call) for one in found.blocking] == [("door", "time.sleep")]


def test_items_that_a_helper_adds_keep_their_fields(tmp_path: Path) -> None:
    more = """
        def fill(cards: list[Card], card: Card) -> None:
            cards.append(card)
    """
    body = "cards: list[Card] = []\nfill(cards, Card(id=person.id, name=person.name))\nfor card in cards:\n    await send(card.id, card.name)"
    found = read(tmp_path, body, more)
    assert (into(found, "send.to"), into(found, "send.text")) == ({"id"}, {"name"})


def test_a_value_that_grows_in_a_loop_comes_to_an_end(tmp_path: Path) -> None:
    body = "all_of: Any = person.name\nfor _ in range(99):\n    all_of = [all_of, {'more': all_of}]\nawait send(person.id, str(all_of))"
    found = read(tmp_path, body)
    assert into(found, "send.text") == {"name"}
    assert found.opaque == ()


@pytest.mark.parametrize(
    "body", ["def gone():\n    got = yield 1\n    yield got\nlist(gone())", "globals()['a'] = person.name"]
)
def test_what_cannot_be_followed_is_said(tmp_path: Path, body: str) -> None:
    assert any("not followed" in spot.why for spot in read(tmp_path, body).opaque)


def test_what_an_uncaught_error_says_goes_to_the_errors_of_the_part(tmp_path: Path) -> None:
    raised = "if person.id:\n    raise ValueError(person.name)"
    caught = "try:\n    raise ValueError(person.name)\nexcept (KeyError, ValueError):\n    pass"
    other = "try:\n    raise ValueError(person.name)\nexcept KeyError:\n    pass"
    said = [
        {
            str(flow.source).rpartition(".")[2]
            for flow in read(tmp_path, body).flows
            if flow.target.port == "fails" and flow.manner == "value"
        }
        for body in (raised, caught, other)
    ]
    assert said == [{"name"}, set(), {"name"}]
