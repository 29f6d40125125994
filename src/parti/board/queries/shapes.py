"""Shapes: which fields of a JSON value are labelled PII or SECRET, found by walking it along its type.

A shape is a type as programs write it, or one of the classes here where no type says what lies where. The walk follows
Pydantic models (by the names that their JSON has), dataclasses, typed dicts, named tuples, unions, lists and dicts, however deep.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, get_args, get_origin

from parti.design.fields import fields_of
from parti.design.labels import Label, Labelled

MASKED: Final = (Label.PII, Label.SECRET)
"""The labels whose fields are masked."""

DEEPEST: Final = 64
"""JSON deeper than that is masked whole where its type says anything of labels: nobody reads it anyway."""


@dataclass(frozen=True, slots=True)
class Positions:
    """A JSON array whose items have shapes of their own."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """A JSON array all of whose items have that shape."""

    item: Any


@dataclass(frozen=True, slots=True)
class Named:
    """A JSON object some of whose fields have shapes."""

    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Also:
    """A value of that shape, of which labels are also declared by path ("" is the whole), as parts declare them."""

    shape: Any
    labelled: Labelled


class Found(typing.NamedTuple):
    """A labelled field: where in the value, which labels, and what it holds."""

    pointer: str
    labels: tuple[str, ...]
    value: Any


def labelled_in(value: Any, shape: Any) -> list[Found]:
    """The outermost labelled fields of a JSON value, each once; of those that hold nothing (null) none."""
    found: dict[str, Found] = {}
    for one in _walk(value, shape, "", 0):
        known = found.get(one.pointer)
        labels = tuple(sorted({*one.labels, *(known.labels if known else ())}))
        found[one.pointer] = one._replace(labels=labels)
    return [one for one in found.values() if not any(_inside(one.pointer, other) for other in found)]


def _inside(pointer: str, other: str) -> bool:
    return pointer != other and pointer.startswith(f"{other}/")


def _walk(value: Any, shape: Any, pointer: str, depth: int) -> Iterator[Found]:
    if value is None or shape is None:
        return
    match shape:
        case Positions() | Each() if isinstance(value, list):
            inners = shape.items if isinstance(shape, Positions) else (shape.item,) * len(value)
            for index, (item, inner) in enumerate(zip(value, inners, strict=False)):
                yield from _walk(item, inner, f"{pointer}/{index}", depth + 1)
        case Named(named) if isinstance(value, dict):
            for name, inner in named:
                if name in value:
                    yield from _walk(value[name], inner, f"{pointer}/{escaped(name)}", depth + 1)
        case Also(inner, labelled):
            yield from _walk(value, inner, pointer, depth)
            for path, tag in labelled:
                if tag in MASKED:
                    yield from _at(value, path.split(".") if path else [], pointer, str(tag))
        case Positions() | Each() | Named():
            return
        case _:
            yield from _along(value, shape, pointer, depth)


def _at(value: Any, path: Sequence[str], pointer: str, label: str) -> Iterator[Found]:
    """The field at the end of a path of names; lists on the way stand for all of their items."""
    if isinstance(value, list) and path:
        for index, item in enumerate(value):
            yield from _at(item, path, f"{pointer}/{index}", label)
    elif not path:
        if value is not None:
            yield Found(pointer, (label,), value)
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:], f"{pointer}/{escaped(path[0])}", label)


def _along(value: Any, kind: Any, pointer: str, depth: int) -> Iterator[Found]:
    """Along a type of the program."""
    kind = _plain(kind)
    if get_origin(kind) is typing.Annotated:
        inner, *notes = get_args(kind)
        labels = tuple(str(note) for note in notes if note in MASKED)
        if labels:
            yield Found(pointer, labels, value)
            return
        yield from _along(value, inner, pointer, depth)
        return
    if depth > DEEPEST:
        yield Found(pointer, ("too deep",), value)
        return
    if isinstance(value, dict):
        yield from _in_object(value, kind, pointer, depth)
    elif isinstance(value, list):
        yield from _in_list(value, kind, pointer, depth)
    else:
        for inner in _choices(kind):
            yield from _along(value, inner, pointer, depth + 1)


def _choices(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (typing.Union, types.UnionType) else ()


def _in_object(value: dict[str, Any], kind: Any, pointer: str, depth: int) -> Iterator[Found]:
    for inner in _choices(kind):
        yield from _along(value, inner, pointer, depth + 1)
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        if any(True for _ in _along("", arguments[0], "", depth)):  # its very keys are labelled
            yield Found(pointer, _labels_of(arguments[0]), value)
            return
        for name, item in value.items():
            yield from _along(item, arguments[1], f"{pointer}/{escaped(name)}", depth + 1)
    for name, inner in _fields(kind).items():
        if name in value and value[name] is not None:
            yield from _along(value[name], inner, f"{pointer}/{escaped(name)}", depth + 1)


def _in_list(value: list[Any], kind: Any, pointer: str, depth: int) -> Iterator[Found]:
    for inner in _choices(kind):
        yield from _along(value, inner, pointer, depth + 1)
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, tuple):
        arguments = tuple(_fields(kind).values())
    elif origin is not tuple or arguments[-1:] == (Ellipsis,):
        arguments = arguments[:1] * len(value) if isinstance(origin, type) and not issubclass(origin, Mapping) else ()
    for index, (item, inner) in enumerate(zip(value, arguments, strict=False)):
        if item is not None:
            yield from _along(item, inner, f"{pointer}/{index}", depth + 1)


def _labels_of(kind: Any) -> tuple[str, ...]:
    return tuple(label for one in _along("", kind, "", 0) for label in one.labels)


def _plain(kind: Any) -> Any:
    """The type behind a name for it, or behind a word on whether it must be there."""
    while True:
        if get_origin(kind) in (typing.Required, typing.NotRequired):
            kind = get_args(kind)[0]
        kind, before = getattr(kind, "__value__", getattr(kind, "__supertype__", kind)), kind
        if kind is before:
            return kind


@lru_cache(maxsize=4096)
def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a type with their types, labels included, under every name that they may have in JSON."""
    origin = get_origin(kind)
    kind = origin if isinstance(origin, type) and not get_args(kind) else kind
    if not isinstance(kind, type):
        return _fields(origin) if isinstance(origin, type) and fields_of(origin) else {}
    known = dict(fields_of(kind))
    if not known and (hasattr(kind, "__total__") or issubclass(kind, tuple)):
        try:
            known = typing.get_type_hints(kind, include_extras=True)
        except NameError:
            known = {}
    declared = getattr(kind, "model_fields", {})
    for name, field in declared.items():
        for other in (field.serialization_alias, field.alias):
            if isinstance(other, str):
                known[other] = known[name]
    return known


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def at_pointer(value: Any, pointer: str) -> Any:
    """What lies at a JSON pointer. Raises LookupError where nothing does."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdecimal():
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value[name]
        else:
            raise LookupError(pointer)
    return value
