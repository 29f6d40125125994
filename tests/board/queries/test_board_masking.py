"""What is labelled PII or SECRET is masked wherever it lies, and given only to who asks for its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Required

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from parti.board.queries.masking import MASK, SHOWN_BYTES, Known, mask
from parti.board.queries.shapes import Also, Each, Named, Positions, at_pointer, labelled_in
from parti.design.labels import Label

Name = Annotated[str, Label.PII]


class Person(BaseModel):
    name: Name
    age: int = 0
    token: Annotated[str, Label.SECRET] | None = Field(default=None, serialization_alias="apiToken")
    friends: list[Person] = []
    by_role: dict[str, Person] = {}


@dataclass
class Car:
    owner: Annotated[Person, Label.PII]
    plate: str


class Box(TypedDict):
    inner: Required[Annotated[str, Label.PII]]
    other: str


class Pair(NamedTuple):
    left: str
    right: Annotated[str, Label.SECRET]


def shown(kind: Any, value: Any) -> Any:
    """A value of a type, through its JSON, as it is shown."""
    body = json.loads(TypeAdapter(kind).dump_json(value, by_alias=True))
    return mask(body, kind, "here", Known()).value


def test_a_field_is_masked_under_the_name_that_its_json_has() -> None:
    assert shown(Person, Person(name="Ann", token="s3cr3t")) == {
        "name": MASK, "age": 0, "apiToken": MASK, "friends": [], "by_role": {},
    }  # fmt: skip


def test_fields_are_found_through_lists_dicts_unions_and_in_types_that_hold_themselves() -> None:
    deep = Person(name="Deep Nested Name")
    for number in range(12):
        deep = Person(name=f"name {number}", friends=[deep], by_role={"x": Person(name="Bob Builder")})
    assert "ame" not in str(shown(Person, deep)).replace("name", "")
    assert "Builder" not in str(shown(Person | None, deep))
    assert shown(list[Name], ["Ann", "Bob"]) == [MASK, MASK]
    assert shown(dict[Name, int], {"Ann": 1}) == MASK, "labelled keys mask the whole"
    assert shown(dict[str, Name], {"a": "Ann"}) == {"a": MASK}
    assert shown(tuple[int, Name], (1, "Ann")) == [1, MASK]
    assert shown(Car, Car(Person(name="Ann"), "1-ABC")) == {"owner": MASK, "plate": "1-ABC"}
    assert shown(Box, {"inner": "Ann", "other": "x"}) == {"inner": MASK, "other": "x"}
    assert shown(Pair, Pair("l", "rrr")) == ["l", MASK]
    assert shown(int | str | Annotated[str, Label.PII], "Ann") == MASK, "what may be labelled is"


def test_a_text_that_ends_within_a_masked_value_does_not_tell_its_beginning() -> None:
    """Errors are cut where they are journaled."""
    known = _knowing({"name": "a-long-secret-value"}, Named((("name", Name),)))
    assert known.in_text("it was A-long-secr") == f"it was {MASK}"
    assert known.in_text("it was a-long-") == "it was a-long-", "too little to tell it by"
    assert known.in_text("a-long-secre, it was") == "a-long-secre, it was"


def test_texts_that_say_again_what_is_masked_are_masked_there() -> None:
    value = {"name": 'Ann "O\'Neil" Ardent', "note": "Dear ann, Mrs ARDENT owns 52013; banner stays", "rate": 52013}
    shape = Named((("name", Name), ("rate", Annotated[int, Label.PII])))
    found = mask(value, shape, "here", Known())
    assert found.value["note"] == "Dear •••, Mrs ••• owns •••; banner stays"
    assert mask({"t": json.dumps(value)}, None, "", _knowing(value, shape)).value["t"].count("Ardent") == 0
    assert [one.place for one in found.masked] == ["here#/name", "here#/rate"]


def _knowing(value: Any, shape: Any) -> Known:
    known = Known()
    known.learn(labelled_in(value, shape))
    return known


def test_labels_that_a_part_declares_count_like_those_of_types() -> None:
    value = {"who": {"name": "Ann"}, "rows": [{"name": "Bob", "n": 1}]}
    declared = Also(None, (("who", Label.PII), ("rows.name", Label.SECRET), ("rows.n", Label.UNTRUSTED)))
    assert mask(value, declared, "", Known()).value == {"who": MASK, "rows": [{"name": MASK, "n": 1}]}
    assert mask(["x"], Also(None, (("", Label.PII),)), "", Known()).value == MASK
    assert mask([["Ann"], 2], Positions((Each(Name), None)), "", Known()).value == [[MASK], 2]


def test_a_value_that_is_too_large_is_cut_after_it_is_masked() -> None:
    found = mask({"name": "Ann", "text": "x" * SHOWN_BYTES}, Named((("name", Name),)), "here", Known())
    assert found.value.startswith('{"name": "•••"')
    assert found.cut > 0


SECRETS = st.lists(st.from_regex(r"[A-Z][a-z]{3,8}[0-9]{2}", fullmatch=True), min_size=1, max_size=4, unique=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(SECRETS, JSON, st.text(max_size=20))
def test_no_secret_is_shown_whatever_surrounds_it(secrets: list[str], around: Any, text: str) -> None:
    person = Person(name=secrets[0], friends=[Person(name=one, token=one) for one in secrets[1:]])
    body = json.loads(person.model_dump_json(by_alias=True))
    value = [body, around, " ".join([text, *secrets, text]), {" ".join(secrets): json.dumps(secrets)}]
    found = mask(value, Positions((Person,)), "p", Known())
    said = json.dumps(found.value, ensure_ascii=False)
    assert not [one for one in secrets if one in said]
    for one in found.masked:
        assert at_pointer(value, one.path) in secrets


@given(JSON)
def test_what_nobody_labelled_is_shown_as_it_is(value: Any) -> None:
    assert mask(value, None, "", Known()).value == value
    assert mask(value, Person, "", Known()).masked == () or isinstance(value, dict)
