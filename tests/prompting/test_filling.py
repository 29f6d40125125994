"""A template reaches the data of its variables and nothing behind them, whoever wrote it; no format takes all memory."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from pydantic import BaseModel

from parti.declare.prompts import prove_variables
from parti.declare.types import payload_of
from parti.design.places import NOWHERE
from parti.design.prompt import Template
from parti.errors import DeclarationError, PayloadError

SECRET = "the key of everything"


@dataclass
class Line:
    name: str
    count: int


class Order(BaseModel):
    id: str
    lines: list[Line]
    notes: dict[str, str]
    price: Decimal = Decimal("1.5")

    def total(self) -> int:
        """How many things."""
        return sum(line.count for line in self.lines)

    @property
    def secret(self) -> str:
        """Nothing for a prompt."""
        return SECRET


class Given(BaseModel):
    order: Order
    width: int = 5


GIVEN = Given(order=Order(id="o1", lines=[Line("tea", 2)], notes={"how": "soon", "12": "twelve"}))


def filled(text: str, given: Given = GIVEN) -> str:
    payload = payload_of(Given, place=NOWHERE, what="the variables")
    return Template("p.md", text, payload).render(given)[0]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{order.id!r:>6} {{}}", "  'o1' {}"),
        ("{order.lines[0].name}: {order.lines[0].count:03}", "tea: 002"),
        ("{order.notes[how]} {order.notes[12]}", "soon twelve"),
        ("{order.price:{width}.1f}|", "  1.5|"),
    ],
)
def test_fields_keys_and_items_are_put_in(text: str, result: str) -> None:
    assert filled(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "{order.total.__globals__[SECRET]}",
        "{order.total}",
        "{order.secret}",
        "{order.model_config}",
        "{order.__class__.__init__.__globals__}",
        "{order.lines[0].__class__}",
        "{order.id.upper}",
        "{order.notes.keys}",
        "{order.lines[-1]}",
        "{order.lines[9]}",
        "{order[id]}",
        "{order.notes[__len__]}",
        "{order.id:{order.total.__globals__[SECRET]}}",
    ],
)
def test_whatever_hangs_on_them_besides_is_refused(text: str) -> None:
    with pytest.raises(PayloadError) as wrong:
        filled(text)
    assert wrong.value.code == "P402"
    assert SECRET not in str(wrong.value)


@pytest.mark.parametrize(
    "text",
    ["{order.id:>3000000000}", "{order.price:.3000000000f}", "{order.id:{width}}", "{order.id:>٣٠٠٠٠٠}"],
)
def test_a_format_that_would_take_all_memory_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match=r"P402 .* is wider than 1,000 characters"):
        filled(text, GIVEN.model_copy(update={"width": 3_000_000_000}))


def test_a_result_that_is_too_long_is_refused() -> None:
    order = GIVEN.order.model_copy(update={"id": "x" * 1_000_000})
    with pytest.raises(PayloadError, match=r"P402 .* the text would have 11,000,000 characters"):
        filled("{order.id}" * 11, Given(order=order))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Hi\n{tone.__class__}", "'__class__' of {tone.__class__} begins with _"),
        ("Hi\n{tone:>3000000000}", "is wider than 1,000 characters"),
        ("Hi\n{tone:{tone.__doc__}}", "'__doc__' of {tone.__doc__} begins with _"),
        ("Hi\n{tone[a]b}", "is no path"),
    ],
)
def test_what_can_be_told_is_refused_where_it_is_declared(text: str, what: str) -> None:
    with pytest.raises(DeclarationError) as wrong:
        prove_variables("p.md", text, {"tone"})
    assert str(wrong.value).startswith("p.md:2: P105 ")
    assert what in wrong.value.what
