"""Marks are told from everything else, in whatever way they are written; values that hold them fit their types."""

from __future__ import annotations

import base64
import html
import json
from datetime import date, datetime
from enum import Enum
from random import Random
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, HttpUrl, TypeAdapter

from parti.auditing.leaves import leaves, replaced
from parti.auditing.making import Maker, of_pattern, pattern_at
from parti.auditing.marks import PIECES, Marks
from parti.auditing.spotting import spot
from parti.design.dataflow import Slot
from parti.design.labels import Label

SLOT = Slot("letter", "out", "text")
OTHER = Slot("letter", "out", "title")


@pytest.fixture
def marks() -> Marks:
    found = Marks(1)
    for slot in (SLOT, OTHER):
        found.of(slot, frozenset({Label.UNTRUSTED}))
    return found


def forms(text: str, marks: Marks) -> dict[Slot, str]:
    return {source.slot: form for source, form in spot(text, marks).items()}


MARK = Marks(1).text(SLOT)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f"Dear {MARK}, hello", "as it is"),
        (MARK.title(), "in another case"),
        (MARK[:10], "in part"),
        (f"x{MARK[7:17].upper()}x", "in another case, in part"),
        (" ".join(MARK), "split"),
        (f"{MARK[:9]}\n{MARK[9:]}", "in part"),
        (quote(f"é {MARK}"), "as it is"),
        ("".join(f"%{ord(letter):02X}" for letter in MARK), "URL-encoded"),
        (json.dumps("".join(f"\\u{ord(letter):04x}" for letter in MARK)), "escaped"),
        ("".join(f"&#{ord(letter)};" for letter in MARK), "as HTML entities"),
        (base64.b64encode(MARK.encode()).decode(), "in base64"),
        (base64.b64encode(f"a{MARK}".encode()).decode(), "in base64"),
        (base64.urlsafe_b64encode(f"??{MARK}??".encode()).decode().rstrip("="), "in base64"),
        (base64.encodebytes(f"{'word ' * 12}{MARK}".encode()).decode(), "in base64"),
        (quote(base64.b64encode(MARK.encode()).decode() + "="), "in base64"),
        (f"0x{MARK.encode().hex()}", "in hexadecimal"),
        (" ".join(f"{ord(letter):02X}" for letter in MARK), "in hexadecimal"),
        (MARK[::-1], "reversed"),
        (base64.b64encode(base64.b64encode(MARK.encode())).decode(), "in base64, in base64"),
        (html.escape(f"<{MARK}>"), "as it is"),
    ],
)
def test_a_mark_is_spotted_however_it_is_written(marks: Marks, text: str, form: str) -> None:
    found = forms(text, marks)
    assert list(found) == [SLOT]
    assert form in found[SLOT]


def test_less_than_a_piece_is_no_mark(marks: Marks) -> None:
    assert forms(MARK[: PIECES["letters"] - 1], marks) == {}


def test_digits_and_identifiers_are_marks_too(marks: Marks) -> None:
    assert forms(str(int(marks.text(SLOT, "digits"))), marks) == {SLOT: "as it is"}
    assert forms(str(UUID(marks.text(OTHER, "hex"))), marks)[OTHER]


def test_two_marks_in_one_text_are_told_apart(marks: Marks) -> None:
    assert set(forms(f"{marks.text(OTHER)} {MARK}", marks)) == {SLOT, OTHER}


def test_a_million_random_characters_hold_no_mark(marks: Marks) -> None:
    draw = Random(3)
    for alphabet in ("abcdefghijklmnopqrstuvwxyz", "0123456789", "0123456789abcdef ABCDEFXYZ+/"):
        for _ in range(4):
            assert spot("".join(draw.choices(alphabet, k=80_000)), marks) == {}


def test_of_a_very_long_text_both_ends_are_looked_through(marks: Marks) -> None:
    assert forms(f"{'long ' * 100_000}{MARK}", marks) == {SLOT: "as it is"}


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    words: list[str] = Field(min_length=2)
    when: date | None


class Whole(BaseModel):
    name: Annotated[str, Field(min_length=20, max_length=25)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{4}$")]
    number: Annotated[int, Field(gt=10, multiple_of=5)]
    share: Annotated[float, Field(ge=0, lt=1)]
    colour: Colour
    kind: Literal["a", "b"]
    inner: Inner
    also: Inner | None
    at: datetime
    id: UUID
    pair: tuple[int, str]
    each: dict[str, Inner]
    page: HttpUrl
    flag: bool
    few: set[int] = Field(min_length=2)
    deep: list[list[list[str]]]


@pytest.mark.parametrize("kind", [Whole, list[Whole], dict[str, Whole], Whole | None, tuple[Whole, ...], str, int, Any])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_made_values_fit_their_types(kind: Any, number: int) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    made = Maker(adapter.json_schema(), number=number).make()
    adapter.validate_json(json.dumps(made))


def test_a_type_that_holds_itself_ends() -> None:
    class Tree(BaseModel):
        name: str
        below: list[Tree]

    Tree.model_validate(Maker(Tree.model_json_schema()).make())


def test_a_pattern_is_found_where_the_text_lies() -> None:
    schema = Whole.model_json_schema()
    assert pattern_at(schema, ("code",)) == r"^[A-Z]{3}-\d{4}$"
    assert pattern_at(schema, ("inner", "words", 0)) == ""
    assert of_pattern(r"^[A-Z]{3}$", "1") == of_pattern(r"^[A-Z]{3}$", "1")


class Aliased(BaseModel):
    body: str = Field(alias="theBody")
    notes: list[Inner]


def test_a_leaf_has_the_path_of_its_field_whatever_json_calls_it() -> None:
    value = {"theBody": "hello", "notes": [{"words": ["a", "b"], "when": None}]}
    found = list(leaves(Aliased, value))
    assert [(leaf.path, leaf.value) for leaf in found] == [
        ("body", "hello"), ("notes.words", "a"), ("notes.words", "b"), ("notes.when", None)
    ]  # fmt: skip
    assert replaced(value, found[2].steps, "c")["notes"][0]["words"] == ["a", "c"]


def test_names_in_a_mapping_are_leaves_of_it() -> None:
    assert [(leaf.path, leaf.value) for leaf in leaves(dict[str, int], {"a": 1})] == [("", "a"), ("", 1)]
