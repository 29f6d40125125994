"""Schemas that a small model can be held to: every text, list and number is bounded, so that generation ends.

What the model is held to is never wider than what was asked for, where the runtime can express it; the caller checks
the answer against its own schema in any case. JSON Schema 2020-12, the part that llguidance knows
(https://github.com/guidance-ai/llguidance, docs/json_schema.md): what it does not know is left out, since the runtime
would quietly hold the model to nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from parti.ports.llm import OutputSpec, ToolSpec

Schema = dict[str, Any]

ITEMS_MAX: Final = 8
"""Items of a list, and entries of an open object, where the schema has no bound."""

TEXT_MAX: Final = 1000
TEXT_MIN: Final = 40
"""Characters of a text without a bound: at most and at least; a time with its zone has 35."""

_NUMBER_MAX: Final = 1_000_000_000
_DECIMALS: Final = 0.000001
_KEPT: Final = (
    "type", "enum", "const", "required", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties", "maxProperties",
)  # fmt: skip
_FORMATS: Final = {"date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}
_UNKNOWN_PATTERN: Final = re.compile(r"\(\?(?!:)|\\[bBAZz1-9]")
"""Looking around, word borders and references back: no automaton has them."""

_KEY: Final = "^[A-Za-z0-9_ .-]{1,40}$"


def output_schema(output: OutputSpec, max_tokens: int) -> Schema:
    """What holds an answer to `output`. Texts share about two characters for each token that may come."""
    bounds = _Bounds(_letters(output.schema, max_tokens), "")
    return _whole(bounds.bound(output.schema), bounds.defs(output.schema))


def choice_schema(tools: tuple[ToolSpec, ...], output: OutputSpec | None, max_tokens: int) -> Schema:
    """What holds an answer to one tool call, ``{"tool": …, "arguments": …}``, or to ``{"answer": …}``."""
    ways: list[Schema] = []
    defs: Schema = {}
    for at, tool in enumerate(tools):
        bounds = _Bounds(_letters(tool.schema, max_tokens), f"tool{at}.")
        ways.append(_object(tool={"const": tool.name}, arguments=bounds.bound(tool.schema)))
        defs |= bounds.defs(tool.schema)
    schema = output.schema if output else {"type": "string"}
    bounds = _Bounds(_letters(schema, max_tokens), "answer.")
    ways.append(_object(answer=bounds.bound(schema)))
    return _whole({"anyOf": ways}, defs | bounds.defs(schema))


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False
    }  # fmt: skip


def _whole(schema: Schema, defs: Schema) -> Schema:
    # Without whitespace an answer takes half the tokens. Lenient: an unknown keyword is passed over, not a failure.
    return {**schema, "$defs": defs, "x-guidance": {"whitespace_flexible": False, "lenient": True}}


def _letters(schema: Mapping[str, Any], max_tokens: int) -> int:
    """How long a text may be that has no bound: texts share what fits into `max_tokens`."""
    return max(TEXT_MIN, min(TEXT_MAX, 2 * max_tokens // max(1, _texts(schema))))


def _texts(node: Any) -> int:
    """How many texts without a bound the schema has, each list counted once."""
    if isinstance(node, Mapping):
        free = node.get("type") == "string" and not node.keys() & {"maxLength", "enum", "const", "format"}
        return free + sum(map(_texts, node.values()))
    return sum(map(_texts, node)) if isinstance(node, list) else 0


class _Bounds:
    """Bounds the parts of one schema. `prefix` keeps the names of its definitions apart from those of others."""

    def __init__(self, letters: int, prefix: str) -> None:
        self._letters = letters
        self._prefix = prefix

    def defs(self, schema: Mapping[str, Any]) -> Schema:
        """The definitions of the schema, bounded, under their new names."""
        found = {**schema.get("definitions", {}), **schema.get("$defs", {})}
        return {f"{self._prefix}{name}": self.bound(part) for name, part in found.items()}

    def bound(self, schema: Any) -> Schema:
        """The schema with bounds, without what the runtime does not know."""
        if not isinstance(schema, Mapping):
            return self._anything()
        if found := re.fullmatch(r"#/(?:\$defs|definitions)/(.+)", str(schema.get("$ref", ""))):
            return {"$ref": f"#/$defs/{self._prefix}{found[1]}"}
        if len(schema.get("allOf", ())) == 1:
            return self.bound(
                {**{name: part for name, part in schema.items() if name != "allOf"}, **schema["allOf"][0]}
            )
        if ways := schema.get("anyOf") or schema.get("oneOf"):
            return {"anyOf": [self.bound(way) for way in ways]}
        if schema.keys() & {"enum", "const"}:
            return {name: schema[name] for name in ("enum", "const") if name in schema}
        return self._by_type({name: schema[name] for name in _KEPT if name in schema}, schema)

    def _by_type(self, kept: Schema, schema: Mapping[str, Any]) -> Schema:
        said = schema.get("type") or _implied(schema)
        types = [said] if isinstance(said, str) else list(said)
        if not types:
            return self._anything()
        kept["type"] = said
        if "string" in types:
            self._bound_text(kept, schema)
        if {"number", "integer"} & set(types):
            _bound_number(kept, whole="number" not in types)
        if "array" in types:
            self._bound_list(kept, schema)
        if "object" in types:
            self._bound_object(kept, schema)
        return kept

    def _bound_text(self, kept: Schema, schema: Mapping[str, Any]) -> None:
        kept.setdefault("maxLength", max(self._letters, schema.get("minLength", 0)))
        if schema.get("format") in _FORMATS:
            kept["format"] = schema["format"]
        if "pattern" in schema and not _UNKNOWN_PATTERN.search(schema["pattern"]):
            kept["pattern"] = schema["pattern"]

    def _bound_list(self, kept: Schema, schema: Mapping[str, Any]) -> None:
        first = [self.bound(item) for item in schema.get("prefixItems", ())]
        if first:
            kept["prefixItems"] = first
        alone = first and "items" not in schema
        kept["items"] = False if schema.get("items") is False or alone else self.bound(schema.get("items", True))
        kept.setdefault("maxItems", len(first) if kept["items"] is False else max(ITEMS_MAX, kept.get("minItems", 0)))

    def _bound_object(self, kept: Schema, schema: Mapping[str, Any]) -> None:
        """Closed where it has named properties, unless it types the others; else a few entries with short keys."""
        others = schema.get("additionalProperties", True)
        if properties := schema.get("properties"):
            kept["properties"] = {name: self.bound(part) for name, part in properties.items()}
            kept["additionalProperties"] = False
        elif others is False:
            kept["additionalProperties"] = False
        else:
            kept["patternProperties"] = {_KEY: self.bound(others)}
            kept["additionalProperties"] = False
            kept.setdefault("maxProperties", max(ITEMS_MAX, kept.get("minProperties", 0)))

    def _anything(self) -> Schema:
        """A plain value, where anything goes: what may nest without end would."""
        number: Schema = {"type": "number"}
        _bound_number(number, whole=False)
        text = {"type": "string", "maxLength": self._letters}
        return {"anyOf": [text, number, {"type": "boolean"}, {"type": "null"}]}


def _implied(schema: Mapping[str, Any]) -> str | tuple[str, ...]:
    """The type that keywords speak of where none is named; () where nothing does."""
    signs = {"properties": "object", "additionalProperties": "object", "items": "array", "prefixItems": "array",
             "minLength": "string", "maxLength": "string", "pattern": "string", "minimum": "number",
             "maximum": "number"}  # fmt: skip
    return next((kind for sign, kind in signs.items() if sign in schema), ())


def _bound_number(kept: Schema, *, whole: bool) -> None:
    """Digits end: without bounds a small model writes zeros for ever."""
    low = kept.get("minimum", kept.get("exclusiveMinimum"))
    high = kept.get("maximum", kept.get("exclusiveMaximum"))
    if low is None:
        kept["minimum"] = min(-_NUMBER_MAX, high if high is not None else 0)
    if high is None:
        kept["maximum"] = max(_NUMBER_MAX, low if low is not None else 0)
    if not whole:
        kept.setdefault("multipleOf", _DECIMALS)
