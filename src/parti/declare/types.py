"""Python types and functions of the app as payloads and functions of the design."""

from __future__ import annotations

import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from types import CodeType
from typing import Any

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from parti.declare.batching import item_hints
from parti.design.fields import labels_of
from parti.design.function import Function, Parameter
from parti.design.payload import Payload, schema_digest
from parti.design.places import Place
from parti.errors import DeclarationError

Names = Mapping[str, Any]


def payload_of(kind: Any, *, place: Place, what: str) -> Payload:
    """The payload of a Python type. Raises P109 when it has no JSON schema."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        schema = adapter.json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as wrong:
        reason = str(wrong).splitlines()[0]
        raise DeclarationError(
            "P109",
            f"{what} has the type {type_name(kind)}, which cannot become JSON: {reason}",
            place=place,
            fix="use a Pydantic model, a dataclass, or a plain type",
        ) from wrong
    return Payload(type_name(kind), adapter, schema, schema_digest(schema), kind, labels_of(kind))


def function_of(function: Callable[..., Any], *, root: Path, names: Names, items: bool = False) -> Function:
    """The typed description of a user's function; with `items`, of one call of a batch function. Raises P103 naming what
    has no type, and P106 for a batch function that is not from a list to a list."""
    place = place_of(function, root)
    hints = hints_of(function, names, place)
    hints = item_hints(function, hints, place) if items else hints
    parameters = tuple(
        _parameter(parameter, hints, function, place) for parameter in inspect.signature(function).parameters.values()
    )
    if "return" not in hints:
        raise DeclarationError(
            "P103",
            f"`{function.__name__}` does not say what it returns",
            place=place,
            fix="write `-> None` or the type",
        )
    kinds = tuple(hints[parameter.name] for parameter in parameters)
    taken: Any = tuple[kinds] if kinds else tuple[()]  # type: ignore[valid-type]
    arguments = payload_of(taken, place=place, what=f"an argument of `{function.__name__}`")
    return Function(
        name=function.__name__,
        call=function,
        parameters=parameters,
        arguments=arguments,
        returns=payload_of(hints["return"], place=place, what=f"what `{function.__name__}` returns"),
        is_async=inspect.iscoroutinefunction(function),
        place=place,
        digest=code_digest(function.__code__),
        has_sets='"uniqueItems": true' in json.dumps(arguments.schema),
        about=summary(function),
    )


def hints_of(function: Callable[..., Any], names: Names, place: Place) -> dict[str, Any]:
    """The types that a function names. Raises P103 for one that is not known where it stands."""
    try:
        return typing.get_type_hints(function, localns=dict(names), include_extras=True)
    except NameError as missing:
        raise DeclarationError(
            "P103",
            f"the types of `{function.__name__}` name {missing.name!r}, which is not known there",
            place=place,
            fix=f"define or import {missing.name} above the function",
        ) from missing


def _parameter(
    parameter: inspect.Parameter, hints: dict[str, Any], function: Callable[..., Any], place: Place
) -> Parameter:
    what = f"the argument `{parameter.name}` of `{function.__name__}`"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.KEYWORD_ONLY):
        raise DeclarationError("P103", f"{what} is not a plain one", place=place, fix="name each argument, no `*`")
    if parameter.name not in hints:
        raise DeclarationError("P103", f"{what} has no type", place=place, fix=f"write `{parameter.name}: SomeType`")
    required = parameter.default is parameter.empty
    return Parameter(
        parameter.name,
        payload_of(hints[parameter.name], place=place, what=what),
        required,
        None if required else parameter.default,
    )


def fields_of(kind: Any) -> set[str]:
    """The names of the fields of a Pydantic model or dataclass; empty for other types."""
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None)
    return set(fields or ())


def type_name(kind: Any) -> str:
    """How a person would write the type: without the modules that its parts come from."""
    if isinstance(kind, type) and not typing.get_args(kind):
        return kind.__name__
    return re.sub(r"[A-Za-z_][\w.]*\.(?=[A-Za-z_])", "", str(kind))


def place_of(function: Callable[..., Any], root: Path) -> Place:
    """Where a function is written."""
    code = function.__code__
    return Place(short_path(code.co_filename, root), code.co_firstlineno)


def short_path(file: str, root: Path) -> str:
    """`file` relative to the folder of the app, or its last two parts when it lies elsewhere."""
    path = Path(file)
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(Path(*path.parts[-2:]))


def code_digest(code: CodeType) -> str:
    """A short name for what a function does: its bytecode, constants and names, nested functions included."""
    digest = blake2b(code.co_code, digest_size=8)
    for constant in code.co_consts:
        digest.update((code_digest(constant) if isinstance(constant, CodeType) else _text(constant)).encode())
    digest.update(repr((code.co_names, code.co_varnames, code.co_freevars)).encode())
    return digest.hexdigest()


def _text(constant: object) -> str:
    """The same in every process: the order of a set is not."""
    return repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def summary(thing: object) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(thing) or "").split("\n", 1)[0] if inspect.isroutine(thing) else ""
