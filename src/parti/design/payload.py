"""A payload type: how values of it become bytes and come back, and the schema that says what they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from parti.design.labels import Labelled
from parti.errors import PayloadError


@dataclass(frozen=True, slots=True)
class Payload:
    """A type that crosses a boundary as JSON, with its JSON schema (draft 2020-12) and the schema's digest."""

    name: str
    adapter: TypeAdapter[Any] = field(repr=False, compare=False)
    schema: Mapping[str, Any] = field(repr=False, compare=False)
    digest: str
    kind: Any = field(default=None, repr=False, compare=False)
    """The type as the program writes it."""
    labels: Labelled = field(default=(), repr=False, compare=False)
    """The labels that its fields declare, by path."""

    def encode(self, value: Any) -> bytes:
        """`value` as JSON, about 0.5 µs for a small one. Raises P401 when it cannot be serialised as this type."""
        try:
            # The validator refuses what does not fit five times faster than the serialiser's own strict mode.
            fit = self.adapter.validator.validate_python(value)
            return self.adapter.serializer.to_json(fit, by_alias=True, warnings=False)
        except (PydanticSerializationError, ValueError, TypeError, RecursionError) as wrong:
            raise PayloadError(
                "P401",
                f"a {type(value).__name__} cannot be serialised as {self.name}: {_cause(wrong)}",
                fix=f"return or pass a value of type {self.name}",
            ) from wrong

    def decode(self, body: bytes | str) -> Any:
        """The value that `body` (JSON) holds. Raises P402 naming the first field that does not fit."""
        try:
            return self.adapter.validator.validate_json(body)
        except ValidationError as wrong:
            raise self._misfit(wrong) from wrong

    def coerce(self, value: Any) -> Any:
        """`value`, already in Python, checked against the type. Raises P402 naming the first field that does not fit."""
        try:
            return self.adapter.validator.validate_python(value)
        except ValidationError as wrong:
            raise self._misfit(wrong) from wrong

    def settle(self, value: Any) -> tuple[bytes, Any]:
        """`value` as bytes, and as whoever reads the bytes will see it: what a replay gives is what the first run got."""
        if type(value) is float and not isfinite(value):
            raise PayloadError("P401", f"{value} cannot be kept as JSON", fix="return None, or a finite number")
        body = self.encode(value)
        return body, self.decode(body)

    def _misfit(self, wrong: ValidationError) -> PayloadError:
        details = wrong.errors(include_url=False)
        place = ".".join(str(part) for part in details[0]["loc"]) or "the value"
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        error = PayloadError(
            "P402",
            f"{place} of {self.name}: {details[0]['msg']}{more}",
            fix=f"send what the schema of {self.name} asks for",
        )
        error.__notes__ = [json.dumps([{"field": list(d["loc"]), "error": d["msg"]} for d in details], default=str)]
        return error


def schema_digest(schema: Mapping[str, Any]) -> str:
    """A short, stable name for a JSON schema: 16 hex digits of BLAKE2b over its canonical text."""
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _cause(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return ".".join([*map(str, first["loc"]), first["msg"]])
    return (str(error).splitlines() or [type(error).__name__])[0]
