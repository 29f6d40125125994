"""Batch functions are written from list to list and called with one item; what cannot be a batch is refused with its place."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from parti import Batch, PartiError, StepFailed, System
from parti.declare.loading import load
from parti.design.step import Step
from parti.design.tool import Tool
from parti.drawings.subtitle import subtitle

HEAD = """\
from pydantic import BaseModel
from parti import Batch, System

class Order(BaseModel):
    id: str

desk = System("desk")
book = desk.table("book", Order, key="id")

"""


class Vector(BaseModel):
    numbers: list[float]


def refusal(folder: Path, body: str) -> PartiError:
    file = folder / "app.py"
    file.write_text(HEAD + textwrap.dedent(body))
    with pytest.raises(PartiError) as caught:
        assert load(file).design is None
    assert caught.value.fix, "an error without a next action"
    return caught.value


@pytest.mark.parametrize(
    ("body", "code", "line", "words"),
    [
        ("@desk.step(batch=Batch(0))\ndef embed(texts: list[str]) -> list[int]: ...", "P105", 10, "Batch(0)"),
        ("@desk.step(batch=Batch(True))\ndef embed(texts: list[str]) -> list[int]: ...", "P105", 10, "Batch(True)"),
        ("@desk.step(batch=Batch(2, linger=-1))\ndef embed(texts: list[str]) -> list[int]: ...", "P105", 10, "-1"),
        ("@desk.step(batch=Batch(2, linger='-1ms'))\ndef embed(texts: list[str]) -> list[int]: ...", "P105", 10, "-1ms"),
        ("@desk.step(batch=Batch(2, linger=True))\ndef embed(texts: list[str]) -> list[int]: ...", "P105", 10, "True"),
        ("@desk.step(batch=32)\ndef embed(texts: list[str]) -> list[int]: ...", "P105", 10, "batch=32"),
        ("@desk.step(concurrency=0)\ndef embed(text: str) -> int: ...", "P105", 10, "concurrency=0"),
        ("@desk.step(concurrency=1.5)\ndef embed(text: str) -> int: ...", "P105", 10, "concurrency=1.5"),
        ("@desk.step(batch=Batch(2))\ndef embed() -> list[int]: ...", "P106", 10, "takes nothing"),
        ("@desk.step(batch=Batch(2))\ndef embed(a: list[str], b: list[str]) -> list[int]: ...", "P106", 10, "takes a, b"),
        ("@desk.step(batch=Batch(2))\ndef embed(texts: list[str] = []) -> list[int]: ...", "P106", 10, "takes texts"),
        ("@desk.step(batch=Batch(2))\ndef embed(text: str) -> list[int]: ...", "P106", 10, "text, which is not a list"),
        ("@desk.step(batch=Batch(2))\ndef embed(texts: list) -> list[int]: ...", "P106", 10, "texts, which is not a list"),
        ("@desk.step(batch=Batch(2))\ndef embed(texts: list[str]) -> int: ...", "P106", 10, "does not return a list"),
        ("@desk.step(batch=Batch(2))\ndef embed(texts: list[str]) -> list: ...", "P106", 10, "does not return a list"),
        ("@desk.step(batch=Batch(2))\ndef embed(texts) -> list[int]: ...", "P103", 10, "`texts` of `embed` has no type"),
        ("@desk.step(batch=Batch(2))\ndef embed(texts: list[str]): ...", "P103", 10, "what it returns"),
        (
            "@desk.tool(effect='write', key='texts', batch=Batch(2))\ndef post(texts: list[str]) -> list[int]: ...",
            "P105", 10, "`post` writes outside and has batch=",
        ),
        (
            "@desk.step(batch=Batch(2))\nasync def embed(texts: list[str]) -> list[int]:\n    await book.get('a')\n    return []",
            "P106", 12, "the batch function `embed` reads `book`",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_a_batch_is_refused_with_its_place(
    tmp_path: Path, body: str, code: str, line: int, words: str
) -> None:
    wrong = refusal(tmp_path, body)
    assert (wrong.code, str(wrong.place)) == (code, f"app.py:{line}"), wrong
    assert words in wrong.what, wrong


def test_a_model_takes_the_options_too(tmp_path: Path) -> None:
    body = "desk.model('risk', inputs=Order, output=Order, batch=5)"
    assert refusal(tmp_path, body).what == "batch=5 is not what it takes"


def a_desk() -> tuple[System, Any]:
    desk = System("desk")

    @desk.step(batch=Batch(32, linger="5ms"), concurrency=2)
    async def embed(texts: list[str]) -> list[Vector | ValueError]:
        return [Vector(numbers=[len(text)]) if text else ValueError("nothing") for text in texts]

    return desk, embed


def test_the_design_describes_one_call_of_it() -> None:
    part = a_desk()[0].design.get(Step, "embed")
    assert (part.batch, part.concurrency) == (Batch(32, linger=0.005), 2)
    assert [parameter.payload.name for parameter in part.function.parameters] == ["str"]
    assert (part.function.arguments.encode(("a",)), part.function.returns.name) == (b'["a"]', "Vector")


def test_linger_may_be_nothing_at_all() -> None:
    assert (Batch(2, linger=0).linger, Batch(2).linger) == (0.0, 0.005)


def test_outside_a_run_it_is_called_with_a_batch_of_one() -> None:
    embed = a_desk()[1]
    assert asyncio.run(embed("abc")) == asyncio.run(embed(texts="abc")) == Vector(numbers=[3.0])
    with pytest.raises(ValueError, match="nothing"):
        asyncio.run(embed(""))


def test_outside_a_run_a_batch_function_that_forgets_the_item_is_told() -> None:
    desk = System("desk")

    @desk.step(batch=Batch(2))
    def forgets(texts: list[str]) -> list[int]:
        return []

    with pytest.raises(StepFailed, match="P314 `forgets` returned 0 answers for a batch of 1"):
        asyncio.run(forgets("a"))


def test_the_arrow_to_it_is_read_where_items_go_to_it_in_a_comprehension() -> None:
    desk, embed = a_desk()
    orders = desk.topic("orders", Vector, key="numbers")

    @desk.on(orders)
    async def handle(order: Vector) -> None:
        await asyncio.gather(*[embed(str(number)) for number in order.numbers])

    assert [arrow.target for arrow in desk.design.arrows_from("handle", "calls")] == ["embed"]


def test_a_read_tool_may_have_a_batch() -> None:
    desk = System("desk")

    @desk.tool(effect="read", batch=Batch(8), concurrency=1)
    def look(ids: list[int]) -> list[str | None]:
        return [str(id) for id in ids]

    part = desk.design.get(Tool, "look")
    assert (part.function.returns.name, part.function.is_async) == ("str | None", False)


def test_drawings_tell_how_many_are_served_together_and_at_once() -> None:
    desk, _ = a_desk()

    @desk.step(concurrency=3)
    def plain(text: str) -> int:
        return 1

    parts = desk.design.by_name
    assert subtitle(parts["embed"]) == "str → Vector · batches of 32 · 2 at once"
    assert subtitle(parts["plain"]) == "str → int · 3 at once"
