"""Features: the fields of a model's input type as numbers and categories, in the order of declaration."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from parti.design.model import Model
from parti.design.payload import Payload
from parti.errors import ModelError

Row = tuple[Any, ...]
"""One value per feature: a number, a text, or None where a number is missing."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One field that a model sees: a number (`text` false) or a category. `enum` fields hold their value in `.value`."""

    name: str
    text: bool
    enum: bool = False


def features_of(model: Model) -> tuple[Feature, ...]:
    """The features of a model's inputs. Raises P602 naming the first field that a model cannot take."""
    kind = record_type(model.inputs)
    fields = field_types(kind) if kind else {}
    if not fields:
        raise ModelError(
            "P602",
            f"the inputs of `{model.name}` are {model.inputs.name}, which has no fields",
            place=model.place,
            fix="declare a Pydantic model or a dataclass with one field per feature",
        )
    return tuple(_feature(model, name, annotation) for name, annotation in fields.items())


def rows_of(features: Sequence[Feature]) -> Callable[[Any], Row]:
    """A fast function from one value of the inputs type to its row, in the order of `features`."""
    names = [feature.name for feature in features]
    if len(names) == 1 and not features[0].enum:
        only = attrgetter(names[0])
        return lambda value: (only(value),)
    if not any(feature.enum for feature in features):
        return attrgetter(*names)
    plan = [(feature.name, feature.enum) for feature in features]
    return lambda value: tuple(
        getattr(held, "value", held) if enum else held
        for held, enum in ((getattr(value, name), enum) for name, enum in plan)
    )


def record_type(payload: Payload) -> type | None:
    """The Pydantic model or dataclass behind a payload; None for other types."""
    schema: Any = payload.adapter.core_schema
    shared = {part.get("ref"): part for part in schema.get("definitions", ())}
    while schema.get("type") not in ("model", "dataclass"):
        schema = shared.get(schema.get("schema_ref")) or schema.get("schema")
        if not isinstance(schema, dict):
            return None
    kind: type = schema["cls"]
    return kind


def field_types(kind: type) -> dict[str, Any]:
    """The type of each field of a Pydantic model or dataclass, in the order of declaration."""
    if hasattr(kind, "model_fields"):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    hints = typing.get_type_hints(kind)
    return {name: hints[name] for name in getattr(kind, "__dataclass_fields__", ())}


def _feature(model: Model, name: str, annotation: Any) -> Feature:
    kinds = _plain_kinds(annotation)
    named = f"`{name}` of {model.inputs.name}"
    if kinds == {str, type(None)}:
        problem, fix = f"{named} is a text that may be missing", 'give it a word for that, such as "unknown"'
    elif kinds == {str} or (kinds and kinds - {type(None)} <= {bool, int, float}):
        return Feature(name, str in kinds, _is_enum(annotation))
    else:
        problem = f"{named} is neither a number nor a category"
        fix = "use bool, int, float, `float | None`, str, a Literal or an Enum"
    raise ModelError("P602", f"{problem}, so `{model.name}` cannot take it", place=model.place, fix=fix)


def _plain_kinds(annotation: Any) -> set[type]:
    """The plain types (bool, int, float, str, None) that values of a type come down to; `object` for any other."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _plain_kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return set().union(*map(_plain_kinds, typing.get_args(annotation)))
    if origin is typing.Literal:
        return {type(value) for value in typing.get_args(annotation)}
    if isinstance(annotation, typing.NewType):
        return _plain_kinds(annotation.__supertype__)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {type(member.value) for member in annotation}
    return {annotation if annotation in (bool, int, float, str, type(None)) else object}


def _is_enum(annotation: Any) -> bool:
    inner = [annotation, *typing.get_args(annotation)]
    return any(isinstance(kind, type) and issubclass(kind, Enum) for kind in inner)
