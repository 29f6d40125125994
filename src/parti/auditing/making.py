"""Making values that fit a JSON schema, for inputs and for answers of what is not called: plain ones, the same each time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from parti.extras import need

Schema = Mapping[str, Any]
Fill = Callable[[Schema], str | None]
"""What to write into a text of that schema; None for a plain text."""

DEPTH_MAX: Final = 8
"""How deep values are nested; below it, lists are empty and what may be left out is."""

_FORMATS: Final = {
    "date-time": "2026-01-05T09:00:00Z", "date": "2026-01-05", "time": "09:00:00Z", "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000", "email": "someone@example.com", "uri": "https://example.com/",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "hostname": "example.com", "binary": "text", "base64": "dGV4dA==",
    "json-string": "{}", "path": "text", "file-path": "text", "ipvanyaddress": "192.0.2.1", "uuid4": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes values of `whole` (a schema with its definitions). `number` tells values apart that are made one after the other."""

    whole: Schema
    fill: Fill = lambda schema: None
    number: int = 0
    seed: int = 0

    def make(self, schema: Schema | None = None, depth: int = 0) -> Any:
        """A value that fits; flags are true for an even number. Raises P110 where a pattern needs a package; what no rule here reads may still not fit."""
        schema = self._resolved(self.whole if schema is None else schema)
        for known in ("const", "default"):
            if known in schema and schema[known] is not None:
                return schema[known]
        if schema.get("enum"):
            return schema["enum"][self.number % len(schema["enum"])]
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self._chosen(schema[choice], depth)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        made: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth), "array": lambda: self._array(schema, depth),
            "string": lambda: self._text(schema), "integer": lambda: self._integer(schema),
            "number": lambda: self._float(schema), "boolean": lambda: self.number % 2 == 0, "null": lambda: None,
        }  # fmt: skip
        return made[kind]() if kind in made else None

    def _resolved(self, schema: Schema) -> Schema:
        for _ in range(DEPTH_MAX):
            if "$ref" in schema:
                name = str(schema["$ref"]).rsplit("/", 1)[-1]
                schema = {
                    **self.whole.get("$defs", {}).get(name, {}),
                    **{k: v for k, v in schema.items() if k != "$ref"},
                }
            elif "allOf" in schema:
                merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
                for one in schema["allOf"]:
                    merged = {**self._resolved(one), **merged}
                schema = merged
            else:
                break
        return schema

    def _chosen(self, choices: list[Schema], depth: int) -> Any:
        wanted = [one for one in choices if self._resolved(one).get("type") != "null"]
        return self.make(wanted[0], depth + 1) if wanted and depth < DEPTH_MAX else None

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        found = {
            name: self.make(inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if depth < DEPTH_MAX or name in required
        }
        more = schema.get("additionalProperties")
        if not found and isinstance(more, Mapping) and depth < DEPTH_MAX:
            found["text"] = self.make(more, depth + 1)
        return found

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.make(inner, depth + 1) for inner in schema["prefixItems"]]
        count = max(schema.get("minItems", 0), 1 if depth < DEPTH_MAX and schema.get("maxItems", 1) else 0)
        if schema.get("uniqueItems"):
            return [
                Maker(self.whole, self.fill, self.number + n, self.seed).make(schema.get("items", {}), depth + 1)
                for n in range(count)
            ]
        return [self.make(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _text(self, schema: Schema) -> str:
        filled = self.fill(schema)
        if filled is not None:
            return filled
        if "pattern" in schema:
            return of_pattern(schema["pattern"], f"{self.seed} {self.number}")
        text = _FORMATS.get(schema.get("format", ""), "text")
        if "format" not in schema:
            text = f"text {self.number}" if self.number else text
            text = text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
        return text

    def _integer(self, schema: Schema) -> int:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in schema else None)
        high = schema.get("maximum", schema.get("exclusiveMaximum", 1) - 1 if "exclusiveMaximum" in schema else None)
        step = schema.get("multipleOf", 1)
        start = low if low is not None else min(1, high) if high is not None else 1
        value = int(-(-start // step) * step) + self.number * int(step)
        return value if high is None or value <= high else int(-(-start // step) * step)

    def _float(self, schema: Schema) -> float:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is not None and high is not None:
            return float((low + high) / 2)
        return float(low + 1 if low is not None else high - 1 if high is not None else 1.0)


def of_pattern(pattern: str, seed: str) -> str:
    """A text that fits a regular expression, drawn from `seed`. Raises P110 without its package."""
    rstr = need("rstr", extra="audit", purpose="making texts that fit a pattern")
    try:
        return str(rstr.Rstr(Random(seed)).xeger(pattern))
    except (re.error, ValueError, KeyError):  # another dialect than Python's
        return "text"


def pattern_at(whole: Schema, steps: tuple[str | int, ...]) -> str:
    """The pattern of the text at the end of `steps` in values of a schema; "" where there is none."""
    maker, at = Maker(whole), [whole]
    for step in steps:
        at = [found for one in at for found in _below(maker, one, step)]
    ends = [end for one in at for end in _choices(maker, one)]
    return next((str(one["pattern"]) for one in ends if "pattern" in one), "")


def _choices(maker: Maker, schema: Schema) -> list[Schema]:
    schema = maker._resolved(schema)
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [end for one in choices for end in _choices(maker, one)] if choices else [schema]


def _below(maker: Maker, schema: Schema, step: str | int) -> list[Schema]:
    found = []
    for one in _choices(maker, schema):
        if isinstance(step, str):
            inner = one.get("properties", {}).get(step) or one.get("additionalProperties")
        else:
            prefix = one.get("prefixItems", [])
            inner = prefix[step] if step < len(prefix) else one.get("items")
        if isinstance(inner, Mapping):
            found.append(inner)
    return found
