"""Misfits: why a value that a person wrote does not fit, field by field, so that a form shows each reason at its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parti.design.payload import Payload
from parti.errors import PayloadError

MOST: Final = 50
"""Misfits that are told at once."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong, and in which field: names and indices from the outside in, none for the whole."""

    field: tuple[str | int, ...]
    error: str


class Misfits(PayloadError):
    """A value does not fit (P402); `misfits` say where."""

    def __init__(self, misfits: Sequence[Misfit], *, fix: str) -> None:
        first = misfits[0]
        place = ".".join(map(str, first.field))
        more = f" (and {len(misfits) - 1} more)" if len(misfits) > 1 else ""
        super().__init__("P402", f"{f'{place}: ' if place else ''}{first.error}{more}", fix=fix)
        self.misfits = tuple(misfits[:MOST])

    def as_json(self) -> dict[str, Any]:
        """The facts of the error, and one entry a field, as every door of Parti writes them."""
        errors = [{"field": list(one.field), "error": one.error} for one in self.misfits]
        return {**super().as_json(), "errors": errors}


def check_payload(payload: Payload, body: bytes) -> None:
    """Raise Misfits unless `body`, as JSON, is a value of the type."""
    try:
        payload.decode(body)
    except PayloadError as wrong:
        if not getattr(wrong, "__notes__", None):
            raise
        found = [Misfit(tuple(one["field"]), str(one["error"])) for one in json.loads(wrong.__notes__[0])]
        raise Misfits(found, fix=wrong.fix) from wrong


def check_schema(value: Any, schema: Mapping[str, Any]) -> None:
    """Raise Misfits unless `value` fits a JSON schema (draft 2020-12)."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 heavy, and only people's answers need it

    found: dict[Misfit, None] = {}
    for wrong in Draft202012Validator(schema).iter_errors(value):
        found.update(dict.fromkeys(_misfits(wrong)))
        if len(found) > MOST:
            break
    if found:
        raise Misfits(sorted(found, key=lambda one: [str(part) for part in one.field]), fix="correct the fields named")


def _misfits(wrong: Any) -> list[Misfit]:
    """Those of one error of a schema; of a choice, those of the alternative that the value was meant for."""
    at = tuple(wrong.absolute_path)
    if wrong.validator == "required":
        return [Misfit((*at, name), "Field required") for name in wrong.validator_value if name not in wrong.instance]
    if wrong.validator in ("anyOf", "oneOf") and (meant := _meant(wrong)):
        return [misfit for inner in meant for misfit in _misfits(inner)]
    return [Misfit(at, wrong.message[:400])]


def _meant(wrong: Any) -> list[Any]:
    """The errors of the alternative whose kind of value it is; of several, those of the one with the fewest."""
    alternatives: dict[int, list[Any]] = {}
    for inner in wrong.context:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    likely = [
        inners
        for inners in alternatives.values()
        if not any(inner.validator in _KIND and inner.absolute_path == wrong.absolute_path for inner in inners)
    ]
    return min(likely, key=len, default=[])


_KIND: Final = ("type", "const", "enum")
"""What tells that a value is of another kind altogether."""
