"""Which types hold text without bound: all that are not known to be bounded."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NewType, TypedDict
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from parti.design.fields import free_texts

Note = NewType("Note", str)
OrderId = NewType("OrderId", Annotated[str, Field(pattern="^[A-Z0-9-]+$", max_length=20)])


class Row(TypedDict):
    a: str


class Pair(NamedTuple):
    a: str


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class One(BaseModel):
    a: Annotated[str, StringConstraints(pattern=r"^(EU|US)-\d{4}$")]
    b: Annotated[OrderId, Field(description="of the order")] | None
    c: list[Decimal]
    d: dict[UUID, date]


class Deep(BaseModel):
    inner: "Deep | None" = None
    number: int = 0


@pytest.mark.parametrize(
    "kind",
    [str, Note, AnyUrl, Path, SecretStr, Row, Pair, set, tuple, frozenset, list, dict, bytes, bytearray, re.Pattern, Open, Any, object],
)  # fmt: skip
def test_a_type_that_is_not_known_to_be_bounded_can_say_anything(kind: Any) -> None:
    assert free_texts(kind)


@pytest.mark.parametrize("kind", [One, OrderId, tuple[int, ...], frozenset[bool], list[OrderId | None]])
def test_a_type_of_bounded_parts_is_bounded(kind: Any) -> None:
    assert free_texts(kind) == ()


def test_what_lies_too_deep_to_be_looked_at_is_not_bounded() -> None:
    assert free_texts(Deep) == ("inner.inner.inner.inner.inner",)


@pytest.mark.parametrize(
    "pattern",
    ["[A-Z]{3}", "^.{9}$", "^[^x]{9}$", r"^\S{9}$", r"^\W{9}$", "^a b$", "^a|.$", "^[ -~]{9}$", "^[A-Z]+$", "^[A-Z]{3,}$",
     "^[a-z]{200}$", r"^[\x20-z]{9}$", "^(?s:a)$"],
)  # fmt: skip
def test_a_pattern_that_admits_blanks_or_any_length_bounds_nothing(pattern: str) -> None:
    assert free_texts(Annotated[str, Field(pattern=pattern)]) == ("",)


def test_a_length_alone_bounds_nothing_since_words_are_short() -> None:
    assert free_texts(Annotated[str, Field(max_length=20)]) == ("",)
    assert free_texts(Annotated[str, Field(pattern="^[a-z]+$", max_length=500)]) == ("",)
