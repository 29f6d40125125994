"""Compatibility: which values that fit an older JSON schema a newer one would not read, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def misfits(old: Schema, new: Schema) -> Iterator[tuple[str, str]]:
    """Fields (dotted) of values valid under `old` that `new` would not read, and why. Both are JSON schemas."""
    yield from _compare(_Node(old, old), _Node(new, new), "", 0)


class _Node:
    """A schema with the document its references point into."""

    __slots__ = ("root", "schema")

    def __init__(self, schema: Schema, root: Schema) -> None:
        while "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        self.schema = schema
        self.root = root

    def inner(self, schema: Schema) -> _Node:
        return _Node(schema, self.root)

    def options(self) -> list[_Node]:
        """The alternatives of a union or of values of several types, or the schema itself."""
        found = self.schema.get("anyOf") or self.schema.get("oneOf")
        if found:
            return [choice for option in found for choice in self.inner(option).options()]
        if "enum" in self.schema and "type" not in self.schema:
            return [self.inner({"const": value}) for value in self.schema["enum"]]
        return [self]

    def types(self) -> set[str]:
        """The JSON types that are accepted; empty for any."""
        if "const" in self.schema:
            return {JSON_TYPES[type(self.schema["const"])]}
        kinds = self.schema.get("type", [])
        return {kinds} if isinstance(kinds, str) else set(kinds)


DEEPEST = 12
JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _compare(old: _Node, new: _Node, at: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        return
    for option in old.options():
        attempts = [list(_one(option, choice, at, depth)) for choice in new.options()]
        if all(attempts):
            yield min(attempts, key=len)[0]


def _one(old: _Node, new: _Node, at: str, depth: int) -> Iterator[tuple[str, str]]:
    """Whether every value of `old` can be read as `new`; both are single schemas."""
    where = at or "the value"
    if not new.types() and "enum" not in new.schema and "const" not in new.schema:
        return
    if not _reads(old.types(), new.types()):
        yield where, f"was {_names(old)}, is {_names(new)}"
        return
    gone = _values(old) - _values(new) if _values(new) and _values(old) else set()
    if gone or (_values(new) and not _values(old)):
        yield where, f"may hold {', '.join(sorted(gone)) or 'anything'}, which is not allowed any more"
    yield from _fields(old, new, at, depth)
    yield from _items(old, new, at, depth)
    if old.schema.get("format") != new.schema.get("format") and "format" in new.schema:
        yield where, f"was {old.schema.get('format', 'any text')}, is {new.schema['format']}"
    yield from _bounds(old.schema, new.schema, where)


def _fields(old: _Node, new: _Node, at: str, depth: int) -> Iterator[tuple[str, str]]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    always = set(old.schema.get("required", ()))
    for name in new.schema.get("required", ()):
        if name not in before:
            yield f"{at}.{name}".lstrip("."), "is new and has no default"
        elif name not in always:
            yield f"{at}.{name}".lstrip("."), "had a default and has none now"
    for name in (name for name in before if name in after):
        yield from _compare(old.inner(before[name]), new.inner(after[name]), f"{at}.{name}".lstrip("."), depth + 1)
    were, are = old.schema.get("additionalProperties"), new.schema.get("additionalProperties")
    for name in sorted(before.keys() - after.keys()):
        if are is False:
            yield f"{at}.{name}".lstrip("."), "was removed, and unknown fields are forbidden"
        elif isinstance(are, dict):
            yield from _compare(old.inner(before[name]), new.inner(are), f"{at}.{name}".lstrip("."), depth + 1)
    if isinstance(are, dict) and were is not False and not before:
        held = were if isinstance(were, dict) else {}
        yield from _compare(old.inner(held), new.inner(are), f"{at}{{}}", depth + 1)


def _items(old: _Node, new: _Node, at: str, depth: int) -> Iterator[tuple[str, str]]:
    """The items of lists, and those of tuples one by one."""
    were, are = old.schema.get("prefixItems", []), new.schema.get("prefixItems", [])
    for index in range(max(len(were), len(are))):
        before = were[index] if index < len(were) else old.schema.get("items")
        after = are[index] if index < len(are) else new.schema.get("items")
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _compare(old.inner(before), new.inner(after), f"{at}[{index}]", depth + 1)
    if isinstance(old.schema.get("items"), dict) and isinstance(new.schema.get("items"), dict):
        yield from _compare(old.inner(old.schema["items"]), new.inner(new.schema["items"]), f"{at}[]", depth + 1)


def _bounds(old: Schema, new: Schema, where: str) -> Iterator[tuple[str, str]]:
    """Limits that became narrower."""
    for name in ("minimum", "exclusiveMinimum", "minLength", "minItems"):
        if name in new and new[name] > old.get(name, float("-inf")):
            yield where, f"must now have {name} {new[name]}"
    for name in ("maximum", "exclusiveMaximum", "maxLength", "maxItems"):
        if name in new and new[name] < old.get(name, float("inf")):
            yield where, f"must now have {name} {new[name]}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield where, f"must now match {new['pattern']}"


def _reads(old: set[str], new: set[str]) -> bool:
    widened = new | {"integer"} if "number" in new else new
    return bool(old) and old <= widened


def _names(node: _Node) -> str:
    return " or ".join(sorted(node.types())) or "anything"


def _values(node: _Node) -> set[str]:
    if "const" in node.schema:
        return {json.dumps(node.schema["const"])}
    return {json.dumps(value) for value in node.schema.get("enum", ())}
