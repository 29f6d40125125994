"""JSON schemas of many types gathered under one roof, with names that do not collide."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from parti.design.payload import Payload

ROOF: Final = "#/components/schemas/"
_BELOW: Final = "#/$defs/"
_DATA: Final = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose values are data, in which nothing is a reference."""

_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords whose keys are names of the author's choice."""

Schema = Mapping[str, Any]


class Components:
    """The schemas of an OpenAPI document. A definition used by several types is written once.

    Two definitions of one name that differ, by themselves or in what they refer to, are told apart by a digest.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}
        self._digests: dict[str, str] = {}

    def add(self, payload: Payload) -> dict[str, Any]:
        """A schema for `payload` whose references lie under this roof."""
        schema = {key: value for key, value in payload.schema.items() if key != "$defs"}
        below: Mapping[str, Schema] = payload.schema.get("$defs", {})
        names = {name: self._place(name, definition, below) for name, definition in below.items()}
        for name, definition in below.items():
            self.schemas[names[name]] = moved(definition, names)
        if schema.get("type") != "object" or "title" not in schema:
            result: dict[str, Any] = moved(schema, names)
            return result
        name = self._place(schema["title"], schema, below)
        self.schemas[name] = moved(schema, names)
        return {"$ref": ROOF + name}

    def _place(self, name: str, schema: Schema, below: Mapping[str, Schema]) -> str:
        """The name under which the schema is, or will be, written."""
        digest = _digest(schema, below)
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
        for candidate in (plain, f"{plain}_{digest}"):
            if self._digests.setdefault(candidate, digest) == digest:
                return candidate
        raise AssertionError(f"two schemas have the digest {digest}")


def moved(schema: Any, names: Mapping[str, str]) -> Any:
    """The schema with each reference to a definition of its own turned to the name it has under the roof."""
    if isinstance(schema, list | tuple):
        return [moved(item, names) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {key: _moved_value(key, value, names) for key, value in schema.items()}


def _moved_value(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if key in _DATA:
        return value
    if key == "$ref" and isinstance(value, str):
        return _moved_reference(value, names)
    if key in _NAMED and isinstance(value, Mapping):
        return {name: moved(schema, names) for name, schema in value.items()}
    if key == "discriminator" and isinstance(value, Mapping):
        mapping = {name: _moved_reference(ref, names) for name, ref in value.get("mapping", {}).items()}
        return {**value, "mapping": mapping} if mapping else dict(value)
    return moved(value, names)


def _moved_reference(reference: str, names: Mapping[str, str]) -> str:
    name = reference.removeprefix(_BELOW)
    return ROOF + names[name] if reference.startswith(_BELOW) and name in names else reference


def _digest(schema: Schema, below: Mapping[str, Schema]) -> str:
    """8 hex digits over the schema and every definition that it leads to."""
    texts = {"": json.dumps(schema, sort_keys=True, default=str)}
    waiting = [texts[""]]
    while waiting:
        for name in re.findall(r'"#/\$defs/([^"]+)"', waiting.pop()):
            if name in below and name not in texts:
                texts[name] = json.dumps(below[name], sort_keys=True, default=str)
                waiting.append(texts[name])
    return blake2b(json.dumps(texts, sort_keys=True).encode(), digest_size=4).hexdigest()
