"""Schemas of strangers' tools: what of them can be offered to a model, and arguments checked against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, TypeAdapter

from parti.design.payload import Payload, schema_digest

SCHEMA_MAX: Final = 64 * 1024
"""Bytes of the schema of one tool."""

_PATTERNS: Final = ("pattern", "format", "patternProperties")
"""Left to the server: an expression from a stranger may take for ever to match."""


class Unfit(Exception):
    """A schema that cannot be offered; what it says is the reason."""


def fit(schema: object) -> dict[str, Any]:
    """The schema, when it is a valid one of an object, by itself and of a reasonable size. Raises Unfit."""
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 heavy, and only tool servers need it

    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise Unfit("its arguments are not a JSON object")
    try:
        text = json.dumps(schema)
        if len(text) > SCHEMA_MAX:
            raise Unfit(f"its schema has {len(text):,} bytes, and may have {SCHEMA_MAX:,}")
        plain: dict[str, Any] = json.loads(text)
        Draft202012Validator.check_schema(plain)
        _refuse(plain, plain)
    except SchemaError as wrong:
        raise Unfit(f"its schema is not valid: {wrong.message[:200]}") from wrong
    except RecursionError as deep:
        raise Unfit("its schema is nested too deeply") from deep
    return plain


def _refuse(whole: dict[str, Any], thing: object) -> None:
    """Raise Unfit for a reference that leads outside or nowhere, and for what cannot be checked safely."""
    if isinstance(thing, list):
        for item in thing:
            _refuse(whole, item)
    if not isinstance(thing, dict):
        return
    if "$dynamicRef" in thing or "patternProperties" in thing:
        raise Unfit("it uses $dynamicRef or patternProperties")
    reference = thing.get("$ref")
    if isinstance(reference, str):
        _lookup(whole, reference)
    for name, value in thing.items():
        if name == "properties" and isinstance(value, dict):
            for inner in value.values():
                _refuse(whole, inner)
        elif name not in ("const", "default", "enum", "examples"):
            _refuse(whole, value)


def _lookup(whole: dict[str, Any], reference: str) -> None:
    place: Any = whole
    if not reference.startswith("#"):
        raise Unfit(f"it refers to {reference[:100]!r}, outside itself")
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(place, dict) or name not in place:
            raise Unfit(f"it refers to {reference[:100]!r}, which is not there")
        place = place[name]


def arguments_payload(name: str, schema: Mapping[str, Any]) -> Payload:
    """Objects that fit `schema`, which is `fit`."""
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415 see above
    from jsonschema.validators import extend  # noqa: PLC0415

    kind = extend(Draft202012Validator, dict.fromkeys(_PATTERNS, lambda *_: ()))
    validator = kind(dict(schema))

    def check(value: dict[str, Any]) -> dict[str, Any]:
        try:
            validator.validate(value)
        except ValidationError as wrong:
            where = ".".join(str(step) for step in wrong.absolute_path)
            raise ValueError(f"{where}: {wrong.message[:500]}" if where else wrong.message[:500]) from None
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        return value

    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[dict[str, Any], AfterValidator(check)])
    return Payload(name, adapter, schema, schema_digest(schema))
