"""Incompatible change: what was stored, trained or agreed with callers under the other version does not fit this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parti.design.compatibility import misfits
from parti.design.diff import Change
from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each thing that does not fit. Finds nothing where no other version was given."""
    if case.before is None:
        return
    dead = {topic.dead_letters for topic in case.design.all(Topic)}
    for change in case.before.changes:
        if change.part in dead:
            continue  # it changes with its topic
        part = case.design.by_name.get(change.part)
        if change.how == "changed" and part is not None:
            yield from _changed(change, upcast=getattr(part, "upcast", None) is not None)
        elif change.how != "added" and change.kind == "endpoint":
            what = f"{change}: those who call it get no answer any more"
            yield Hit(change.part, change.place, what)


def _changed(change: Change, *, upcast: bool) -> Iterator[Hit]:
    said = None
    match change.kind, change.fact:
        case "topic" | "table", "payload" if change.misfits and not upcast:
            said = f"what `{change.part}` holds cannot be read: {_first(change.misfits)}"
        case ("topic", "key" | "partitions") | ("table", "key"):
            said = f"{change}: what is stored lies under the old one"
        case "memory", "shared":
            said = f"{change}: facts lie under other scopes than are looked in"
        case "model", "inputs" if _fields(change.before) != _fields(change.after):
            said = f"the versions of `{change.part}` that are stored learned from other inputs"
        case "model", "output" if change.misfits:
            said = f"the versions of `{change.part}` that are stored answer otherwise: {_first(change.misfits)}"
        case "endpoint", "requests" if change.misfits:
            said = f"what callers of `{change.part}` send does not fit: {_first(change.misfits)}"
        case "endpoint", "returns":
            lost = misfits(change.after["schema"], change.before["schema"])
            fields = ", ".join(dict.fromkeys(field for field, _ in lost))
            said = (
                f"callers of `{change.part}` would not find {fields} as it was in what it returns" if fields else None
            )
        case "endpoint", "path" | "method":
            said = f"{change}: those who call the old one get no answer any more"
    if said:
        yield Hit(change.part, change.place, said)


def _first(found: tuple[tuple[str, str], ...]) -> str:
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{found[0][0]} {found[0][1]}{more}"


def _fields(payload: Any) -> Any:
    """The names and types of a model's inputs, without their descriptions."""
    schema = payload["schema"]
    fields = schema.get("properties", {"": schema})
    return {name: {key: one.get(key) for key in ("type", "anyOf", "enum", "$ref")} for name, one in fields.items()}


RULE = Rule(
    code="R405",
    name="incompatible-change",
    severity="high",
    says="A type, key or address changed so that what is stored, or what callers send, does not fit any more.",
    why="The system would not start on its store (P403), or work that others count on would fail.",
    standard="Kleppmann, Designing Data-Intensive Applications (2017), ch. 4; Kreps, The Log (2013)",
    fix="give a new field a default, keep the type, declare upcast=, or add a new part beside the old one",
    look=look,
)
