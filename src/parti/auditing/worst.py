"""The worst language model: it obeys whatever it reads, calls every tool it has, and repeats every mark that it has seen.

No prompt or better model can be assumed to do worse, so a field that it cannot bring a mark into is one that no model can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from parti.auditing.making import Fill, Maker, Schema
from parti.auditing.marks import Marks, Source
from parti.auditing.spotting import spot
from parti.design.agent import name_for_model
from parti.design.llm import Llm
from parti.ports.llm import Answer, Answered, LlmFailure, Message, Request, Tell, ToolCall, ToolSpec

CALLS_AT_ONCE: Final = 16
ANSWERS_MAX: Final = 2_000
"""Answers in one audit: what loops until a model says something else ends here."""

GIVEN_MAX: Final = 5
"""Inputs of one tool that it is called with."""


Call = tuple[str, dict[str, Any]]
"""A tool's name, and its arguments by their names."""


@dataclass(slots=True)
class WorstModel:
    """Implements ports.llm.Provider. `inputs` are arguments, by name, that a tool can be called with."""

    marks: Marks
    inputs: Mapping[str, Sequence[dict[str, Any]]]
    answers: int = 0
    _variants: dict[tuple[Message, ...], int] = field(default_factory=dict)
    _spotted: dict[str, tuple[Source, ...]] = field(default_factory=dict)

    async def answer(self, llm: Llm, request: Request, *, tell: Tell | None = None) -> Answer:
        """See ports.llm.Provider: every tool is called twice, plainly and with all that was read; then that is repeated."""
        self.answers += 1
        if self.answers > ANSWERS_MAX:
            what = f"a language model was asked more than {ANSWERS_MAX:,} times in one audit"
            raise LlmFailure("P701", what, lasting=True, fix="bound the loop that asks it")
        read = self._read(request)
        turn = sum(bool(one.calls) for one in request.messages if isinstance(one, Answered))
        turns = [*_turns(self._plain(request.tools)), *_turns(self._obeying(request.tools, read))]
        if turn < len(turns):
            wanted = turns[turn]
            made = tuple(ToolCall(f"c{turn}.{n}", name, json.dumps(given)) for n, (name, given) in enumerate(wanted))
            return Answer("", made, "tools", "the worst", tokens_in=1, tokens_out=1)
        text = self._said(request, read)
        if tell is not None:
            tell(text)
        return Answer(text, model="the worst", tokens_in=1, tokens_out=1)

    async def close(self) -> None:
        """Nothing is held."""

    def _read(self, request: Request) -> list[str]:
        """Every mark that stands in the conversation, in whatever form."""
        found: dict[Source, None] = {}
        for message in request.messages:
            texts = [message.text, *(call.arguments for call in getattr(message, "calls", ()))]
            for text in texts:
                if text not in self._spotted:
                    self._spotted[text] = tuple(spot(text, self.marks))
                found.update(dict.fromkeys(self._spotted[text]))
        return [self.marks.text(source.slot) for source in sorted(found, key=lambda source: source.slot)]

    def _plain(self, tools: Sequence[ToolSpec]) -> list[Call]:
        """A call of each tool, or one with each of its inputs, to see what they give."""
        known = {name_for_model(name): given for name, given in self.inputs.items()}
        return [
            (tool.name, given)
            for tool in tools
            for given in known.get(tool.name, ())[:GIVEN_MAX] or [Maker(tool.schema).make()]
        ]

    def _obeying(self, tools: Sequence[ToolSpec], read: Sequence[str]) -> list[Call]:
        """A call of each tool with all that was read."""
        return [
            (tool.name, Maker(tool.schema, filled(read, number), number=number + 2).make())
            for number, tool in enumerate(tools)
        ]

    def _said(self, request: Request, read: Sequence[str]) -> str:
        """All that was read; where that was refused, one of it; and then nothing, so that work goes on."""
        variant = min(self._variants.get(request.messages[:-2], -1) + 1, 2)
        self._variants[request.messages] = variant
        said = [*read] if variant == 0 else [*read[:1]] if variant == 1 else []
        if request.output is None:
            return " ".join(said) or "text"
        return json.dumps(Maker(request.output.schema, filled(said, self.answers)).make())


def _turns(calls: list[Call]) -> list[list[Call]]:
    return [calls[start : start + CALLS_AT_ONCE] for start in range(0, len(calls), CALLS_AT_ONCE)]


def filled(read: Sequence[str], number: int) -> Fill:
    """What to write into texts: as many marks as there is room for, beginning with another one each time."""

    def fill(schema: Schema) -> str | None:
        if not read or schema.get("format"):
            return None
        room = schema.get("maxLength", 4_000)
        start = number % len(read)
        turned = [*read[start:], *read[:start]]
        text = turned[0][:room]
        for more in turned[1:]:
            if len(text) + len(more) < room:
                text = f"{text} {more}"
        for said in (text, turned[0], turned[0].upper()):
            if "pattern" not in schema or _matches(schema["pattern"], said):
                return said.ljust(schema.get("minLength", 0), ".")
        return None

    return fill


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
