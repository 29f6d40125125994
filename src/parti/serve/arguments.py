"""How a request becomes the arguments of an endpoint's function, with every misfit named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from parti.design.endpoint import Endpoint
from parti.design.function import Parameter
from parti.serve.refusals import Errors, body_misfits, misfits, unfit
from parti.serve.requests import Query, query_of, strict_json
from parti.serve.routes import PLACEHOLDER


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where one parameter comes from and how it is read."""

    parameter: Parameter
    where: Literal["path", "query", "body"]
    read: Callable[[Any], Any]
    many: bool


class Binding:
    """How a request becomes the positional arguments of one endpoint's function."""

    def __init__(self, endpoint: Endpoint) -> None:
        path = {match[1] for match in PLACEHOLDER.finditer(endpoint.path)}
        self._name = endpoint.name
        self._slots = [_slot(parameter, endpoint.body, path) for parameter in endpoint.function.parameters]
        self._asks_query = any(slot.where == "query" for slot in self._slots)
        self.reads_body = endpoint.body is not None

    def arguments(self, request: Request, body: bytes) -> list[Any]:
        """The arguments, in order. Raises Refusal 422 (P402) naming every field that does not fit, 400 (P504)."""
        query = query_of(request) if self._asks_query else {}
        values: list[Any] = []
        errors: Errors = []
        for slot in self._slots:
            try:
                values.append(_value(slot, request.path_params, query, body))
            except ValidationError as wrong:
                errors += body_misfits(wrong) if slot.where == "body" else misfits(wrong, _field(slot))
            except _Misfit as wrong:
                errors.append({"field": _field(slot), "error": str(wrong)})
        if errors:
            raise unfit(errors, fix=f"send what /openapi.json asks for in {self._name}")
        return values


class _Misfit(Exception):
    """A value that is missing, or given in a way that its type cannot say."""


def _slot(parameter: Parameter, body: str | None, path: set[str]) -> _Slot:
    adapter = parameter.payload.adapter
    if parameter.name == body:
        return _Slot(parameter, "body", adapter.validate_json, False)
    if parameter.payload.schema.get("type") == "array":
        return _Slot(parameter, "query", adapter.validate_python, True)
    where: Literal["path", "query"] = "path" if parameter.name in path else "query"
    return _Slot(parameter, where, _text_reader(adapter), False)


def _text_reader(adapter: TypeAdapter[Any]) -> Callable[[str], Any]:
    """A function from the text of a parameter to its value: numbers, dates, ids and so on from how they are written."""

    def read(text: str) -> Any:
        try:
            value = adapter.validate_strings(text)
        except ValidationError as wrong:
            # Literals and enums of numbers compare without conversion, so those are read as JSON.
            if text[:1] == '"' or any(e["type"] not in ("literal_error", "enum") for e in wrong.errors()):
                raise
            return _as_json(adapter, text, wrong)
        if type(value) is float and not isfinite(value):
            raise _Misfit("Input should be a finite number")
        return value

    return read


def _as_json(adapter: TypeAdapter[Any], text: str, wrong: ValidationError) -> Any:
    try:
        return adapter.validate_json(text)
    except ValidationError:
        raise wrong from None


def _value(slot: _Slot, params: dict[str, str], query: Query, body: bytes) -> Any:
    if slot.where == "path":
        return slot.read(params[slot.parameter.name])
    if slot.where == "body":
        if body.strip():
            return slot.read(strict_json(body))
    elif (given := query.get(slot.parameter.name)) is not None:
        if slot.many:
            return slot.read(given)
        if len(given) > 1:
            raise _Misfit(f"Given {len(given)} times")
        return slot.read(given[0])
    if slot.parameter.required:
        raise _Misfit("Field required")
    return slot.parameter.default


def _field(slot: _Slot) -> list[Any]:
    return ["body"] if slot.where == "body" else [slot.where, slot.parameter.name]
