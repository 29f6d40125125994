"""Planting: a mark goes into every field that carries a label, wherever its type lets one in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from parti.auditing.flows import Flows
from parti.auditing.leaves import Leaf, argument_leaves, leaves, replaced
from parti.auditing.making import of_pattern, pattern_at
from parti.auditing.marks import Marks, candidates
from parti.design.dataflow import Port, Slot
from parti.design.function import Function, schema_of
from parti.design.labels import Tags
from parti.design.payload import Payload
from parti.errors import PayloadError

DRAWS = 8
"""Texts that are drawn of a pattern, to see whether it leaves room for a mark."""


@dataclass(slots=True)
class Planter:
    """Plants the marks of an audit. `unmarked` says of fields why none is in them; `plants=False` leaves all as it is."""

    flows: Flows
    marks: Marks
    plants: bool = True
    unmarked: dict[Slot, str] = field(default_factory=dict)

    def value(self, part: str, port: Port, payload: Payload, value: Any) -> Any:
        """`value`, JSON of a type, with a mark in each of its labelled fields. Raises P402 where it does not fit itself."""
        payload.decode(to_json(value))

        def fits(body: Any) -> bool:
            return _fits(payload, body)

        return self._planted(part, port, leaves(payload.kind, value), value, fits, payload.schema)

    def arguments(self, part: str, function: Function, values: Sequence[Any]) -> list[Any]:
        """The same for the arguments of a function, in the order of its parameters."""
        function.arguments.decode(to_json(values))

        def fits(body: Any) -> bool:
            return _fits(function.arguments, body)

        schema = schema_of(function)
        whole = {"prefixItems": [*schema["properties"].values()], "$defs": schema.get("$defs", {})}
        found = self._planted(part, "in", argument_leaves(function, values), list(values), fits, whole)
        return list(found)

    def text(self, part: str, port: Port, text: str) -> str:
        """A text without a type, marked where strangers may have written it."""
        tags = self.flows.tags(Slot(part, port))
        if not tags or not self.plants:
            return text
        source = self.marks.of(Slot(part, port), tags)
        return f"{text} {self.marks.text(source.slot)}"

    def _planted(
        self,
        part: str,
        port: Port,
        found: Iterable[Leaf],
        value: Any,
        fits: Callable[[Any], bool],
        schema: Mapping[str, Any],
    ) -> Any:
        for leaf in list(found):
            slot = Slot(part, port, leaf.path)
            tags = self.flows.tags(slot)
            reached = leaf.steps or not isinstance(value, dict | list)  # the name in a mapping is no place for a mark
            if tags and reached and self.plants:
                value = self._into(slot, tags, leaf, value, fits, schema)
        return value

    def _into(
        self, slot: Slot, tags: Tags, leaf: Leaf, value: Any, fits: Callable[[Any], bool], schema: Mapping[str, Any]
    ) -> Any:
        if not isinstance(leaf.value, str):
            kind = {type(None): "nothing", bool: "a flag"}.get(type(leaf.value), "a number")
            self.unmarked.setdefault(slot, f"{kind} stands there, which holds no mark")
            return value
        for text in candidates(self.marks, slot, leaf.value):
            marked = replaced(value, leaf.steps, text)
            if fits(marked):
                self.marks.of(slot, tags)
                return marked
        for text in self._drawn(slot, pattern_at(schema, leaf.steps)):
            marked = replaced(value, leaf.steps, text)
            if fits(marked):
                self.marks.add_whole(text, self.marks.of(slot, tags))
                return marked
        self.unmarked.setdefault(slot, "its type leaves no room for a mark")
        return value

    def _drawn(self, slot: Slot, pattern: str) -> Iterator[str]:
        """A text that fits the pattern, where that leaves so much room that no two draws are the same."""
        if not pattern:
            return
        drawn = [of_pattern(pattern, f"{self.marks.seed} {slot} {number}") for number in range(DRAWS)]
        if len(set(drawn)) == DRAWS and len(drawn[0]) >= 10:
            yield drawn[0]


def _fits(payload: Payload, body: Any) -> bool:
    try:
        payload.decode(to_json(body))
    except PayloadError:
        return False
    return True
