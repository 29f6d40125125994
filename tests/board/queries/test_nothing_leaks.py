"""What is masked is told by no list either: not by an error that says it again, cut short or read on the way, nor by a search."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from engine_kit import World, play
from pydantic import BaseModel

from parti import Label, Retry, System
from parti.board.queries import dead, part, runs
from parti.board.queries.as_json import as_json
from parti.board.queries.picture import picture
from parti.board.queries.runs import Filters

SECRET = "SECMARK" + "z" * 20_000
NAME = "Ann Ardent"


class Doc(BaseModel):
    id: Annotated[str, Label.PII]
    note: Annotated[str, Label.SECRET] = ""


class Person(BaseModel):
    name: Annotated[str, Label.PII]


def desk() -> System:
    """Handlers that fail with what they were given, or with what a tool told them."""
    system = System("desk", labels="off")
    docs = system.topic("docs", Doc, key="id")

    @system.tool(effect="read")
    async def owner(id: str) -> Person:
        return Person(name=NAME)

    @system.on(docs, retry=Retry(attempts=1))
    async def repeat(doc: Doc) -> None:
        raise ValueError(f"bad note {doc.note}")

    @system.on(docs, retry=Retry(attempts=1))
    async def look_up(doc: Doc) -> None:
        person = await owner(doc.id)
        raise ValueError(f"no letter to {person.name}")

    return system


@pytest.mark.parametrize("said", ["SECMARK", "zzzzzzzz", "Ardent", "4711-ab"])
def test_no_list_says_what_is_masked(said: str) -> None:
    async def main(world: World) -> None:
        system = desk()
        design = system.design
        async with world.running(system) as live:
            await live.publish("docs", [json.dumps({"id": "4711-ab", "note": SECRET}).encode()])
            await live.idle()
            now = world.clock.now()
            told = [
                await runs.runs(world.store, design, Filters(), at=now),
                await dead.dead_letters(world.store, design, at=now),
                *[await part.part(world.store, design, name, at=now) for name in ("repeat", "look_up", "owner")],
                await picture(world.store, design, at=now),
            ]
            texts = json.dumps([{**as_json(one), "source": ""} for one in told])
            assert "bad note" in texts and "no letter to" in texts
            assert said not in texts.replace("repeat:docs:", "")
            assert (await runs.runs(world.store, design, Filters(text=said), at=now)).runs == ()

    play(main)


def test_a_key_that_is_masked_finds_nothing() -> None:
    """Else whoever guesses one would have seen it, and no journal would know."""

    async def main(world: World) -> None:
        system = desk()
        async with world.running(system) as live:
            await live.publish("docs", [json.dumps({"id": "4711-ab"}).encode()])
            await live.idle()
            found = await runs.runs(world.store, system.design, Filters(key="4711-ab"), at=world.clock.now())
            assert found.runs == () and found.exhausted

    play(main)
