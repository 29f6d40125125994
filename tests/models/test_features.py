"""How the fields of an input type become features."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, NewType

import pytest
from declared_models import declared
from pydantic import BaseModel, Field, create_model, model_validator

from parti.design.features import Feature, features_of, rows_of
from parti.errors import ModelError


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    SMALL = 1
    LARGE = 2


Metres = NewType("Metres", float)


class Thing(BaseModel):
    height: Annotated[Metres, Field(gt=0)]
    age: int | None
    heavy: bool
    stars: Literal[1, 2, 3]
    size: Size
    colour: Colour
    shop: Literal["north", "south"]
    town: str

    @model_validator(mode="after")
    def _checked(self) -> Thing:
        return self


def _with_field(kind: Any) -> Any:
    return create_model("Odd", fine=(float, ...), odd=(kind, ...))


def test_numbers_and_categories_are_features_in_the_order_of_declaration() -> None:
    assert features_of(declared(Thing)) == (
        Feature("height", text=False),
        Feature("age", text=False),
        Feature("heavy", text=False),
        Feature("stars", text=False),
        Feature("size", text=False, enum=True),
        Feature("colour", text=True, enum=True),
        Feature("shop", text=True),
        Feature("town", text=True),
    )


def test_a_row_holds_the_plain_values_of_a_thing() -> None:
    thing = Thing(
        height=Metres(1.5), age=None, heavy=True, stars=2, size=Size.LARGE, colour=Colour.RED, shop="north", town="Ulm"
    )
    assert rows_of(features_of(declared(Thing)))(thing) == (1.5, None, True, 2, 2, "red", "north", "Ulm")


def test_a_dataclass_has_features_too() -> None:
    @dataclass
    class Point:
        x: float
        y: float

    assert [feature.name for feature in features_of(declared(Point))] == ["x", "y"]


def test_one_feature_alone_still_makes_a_row() -> None:
    @dataclass
    class Only:
        x: float

    assert rows_of(features_of(declared(Only)))(Only(3.0)) == (3.0,)


@pytest.mark.parametrize("kind", [date, list[float], dict[str, float], str | None, float | str, BaseModel, Any])
def test_a_field_that_no_model_can_take_is_named(kind: Any) -> None:
    with pytest.raises(ModelError) as refused:
        features_of(declared(_with_field(kind)))
    assert refused.value.code == "P602"
    assert "`odd` of Odd" in refused.value.what
    assert str(refused.value.place) == "app.py:7"


@pytest.mark.parametrize("kind", [float, list[float], create_model("Empty")])
def test_inputs_without_fields_are_refused(kind: Any) -> None:
    with pytest.raises(ModelError, match=r"P602.*no fields"):
        features_of(declared(kind))


def test_a_text_that_may_be_missing_asks_for_a_word() -> None:
    with pytest.raises(ModelError) as refused:
        features_of(declared(_with_field(str | None)))
    assert '"unknown"' in refused.value.fix
