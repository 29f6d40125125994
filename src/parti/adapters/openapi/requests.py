"""From an operation and the arguments that a model wrote to the HTTP request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic_core import to_json

from parti.design.openapi import Operation

HEADER: Final = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
"""What a header's value may be, everywhere."""


class Misfit(Exception):
    """Arguments that no request can be made of; what it says is for the model."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request without its base and the headers of the service. `body` is a JSON value, or None for no body."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any


def request_of(operation: Operation, arguments: Mapping[str, Any]) -> Sent:
    """The request for `arguments`, which fit the operation's schema. Raises Misfit."""
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    filled: dict[str, str] = {}
    fields: dict[str, Any] = {}
    body: Any = None
    for name, value in arguments.items():
        match operation.places.get(name):
            case "path":
                filled[name] = _segment(name, value)
            case "query":
                query += [(name, _plain(item)) for item in (value if isinstance(value, list) else [value])]
            case "header":
                headers[name] = _header(name, value)
            case "body":
                fields[name] = value
            case "whole":
                body = value
    if body is None and (fields or "body" in operation.places.values()):
        body = fields
    if body is not None:
        headers["Content-Type"] = "application/json"
    path = re.sub(r"{([^}]+)}", lambda found: filled.get(found[1], ""), operation.path)
    return Sent(operation.method.upper(), path, query, headers, body)


def _segment(name: str, value: Any) -> str:
    """A value as one segment of a path. One that would lead to another path is refused, not cleaned."""
    text = _plain(value)
    if text in ("", ".", ".."):
        raise Misfit(f"{name} may not be {text!r}: it is a part of the path")
    return quote(text, safe="")


def _header(name: str, value: Any) -> str:
    """A value as a header may carry it (RFC 9110, section 5.5)."""
    text = _plain(value)
    if not HEADER.fullmatch(text):
        raise Misfit(f"{name} may only be one line of ASCII characters, without white space around it: it is a header")
    return text


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return to_json(value).decode()
