"""The leaves of a JSON value, each with the path of the field that it lies in, as its type names fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from parti.design.fields import DEEPEST, fields_of, items_of
from parti.design.function import Function

Steps = tuple[str | int, ...]
"""How a leaf is reached in the JSON value: names and indices."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A plain value in a JSON value: its field's `path` ("" is the whole), and how it is reached."""

    path: str
    steps: Steps
    value: Any


def leaves(kind: Any, value: Any, path: str = "", steps: Steps = ()) -> Iterator[Leaf]:
    """Every leaf of `value`, which is JSON of the type `kind`; keys of mappings are leaves of their mapping, without steps."""
    if isinstance(value, Mapping):
        names = _names(kind)
        for key, inner in value.items():
            name, deeper = names.get(key, ("", kind))
            if not name:
                yield Leaf(path, (), key)
            below = f"{path}.{name}" if path and name else name or path
            if below.count(".") >= DEEPEST:
                below = path
            yield from leaves(deeper, inner, below, (*steps, key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from leaves(kind, inner, path, (*steps, number))
    else:
        yield Leaf(path, steps, value)


def argument_leaves(function: Function, arguments: Sequence[Any]) -> Iterator[Leaf]:
    """The same for the arguments of a function, in the order of its parameters: paths begin with the parameter's name."""
    for number, (parameter, value) in enumerate(zip(function.parameters, arguments, strict=False)):
        yield from leaves(parameter.payload.kind, value, parameter.name, (number,))


def replaced(value: Any, steps: Steps, leaf: Any) -> Any:
    """`value` with another leaf at the end of `steps`."""
    if not steps:
        return leaf
    first, *rest = steps
    inner = replaced(value[first], tuple(rest), leaf)
    if isinstance(value, Mapping):
        return {**value, first: inner}
    return [inner if number == first else old for number, old in enumerate(value)]


def _names(kind: Any) -> Mapping[str, tuple[str, Any]]:
    try:
        return _cached(kind)
    except TypeError:  # a type that holds something without a hash
        return dict(_named(kind, 0))


@lru_cache(maxsize=1024)
def _cached(kind: Any) -> Mapping[str, tuple[str, Any]]:
    return dict(_named(kind, 0))


def _named(kind: Any, depth: int) -> Iterator[tuple[str, tuple[str, Any]]]:
    """The field behind each name that it may have in JSON, of every record that the type may be."""
    fields = fields_of(kind)
    details = getattr(kind, "model_fields", {})
    for name, inner in fields.items():
        detail = details.get(name)
        for alias in (name, *(getattr(detail, which, None) for which in ("alias", "serialization_alias"))):
            if isinstance(alias, str):
                yield alias, (name, inner)
    if not fields and depth < DEEPEST:
        for item in items_of(kind):
            yield from _named(item, depth + 1)
