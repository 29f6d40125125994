"""Summarising: messages that must go are told to a language model, whose summary stands in their place."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from parti.agents.conversation import as_json, hash_of
from parti.design.llm import Llm
from parti.design.overflow import BYTES_A_TOKEN, tokens_of
from parti.errors import StepFailed
from parti.ports.context import Context
from parti.ports.llm import Answer, Answered, Message, Request, Returned, Said

TRIES: Final = 4
"""How often a request is made shorter because the provider finds it too long, where the estimate did not."""

TOKENS_A_WORD: Final = 2
"""More than most words have, so that a model that keeps to so many is not cut off."""

PIECE_MIN: Final = 300
"""Bytes of messages that a request must have room for: with less, one text would take too many requests."""


@dataclass(frozen=True, slots=True)
class Summariser:
    """The model `llm` at summarising for `agent`: requests have at most `room` tokens beside a summary of `tokens`."""

    agent: str
    llm: Llm
    room: int
    tokens: int
    instructions: str
    paid: Callable[[Answer], None]
    """Is told each answer, which the agent pays for."""

    async def summary(self, here: Context, messages: Sequence[Message], earlier: str) -> str:
        """The summary of `earlier` and of the messages after it, one part after the other where they are many.

        A part that the model finds too long is asked again in smaller ones. Raises StepFailed: P70x as the model fails, P703
        where it has no room or finds that too long as well, P704 for what is no whole summary; BudgetSpent.
        """
        waiting, room, tries = deque(map(_line, messages)), self.room, 0
        longer: StepFailed | None = None
        while waiting:
            left, size = waiting.copy(), self._bytes_left(earlier, room)
            if size < PIECE_MIN:
                raise longer or self._no_room(size)
            lines = _next_part(left, size)
            asked = self._messages(earlier, lines)
            try:
                earlier = await self._asked(here, asked, len(lines))
            except StepFailed as refused:
                if refused.code != "P703" or tries == TRIES:
                    raise
                longer = refused
                room, tries = min(room, _tokens(asked)) * 3 // 4, tries + 1  # it counts more than the estimate does
            else:
                waiting, longer = left, None
        return earlier

    def _bytes_left(self, earlier: str, room: int) -> int:
        """Bytes of lines that a request may have."""
        frame = sum(len(message.text.encode()) for message in self._messages(earlier, []))
        return (room - tokens_of(frame, 3)) * BYTES_A_TOKEN

    def _messages(self, earlier: str, lines: Sequence[str]) -> tuple[Said, ...]:
        before = f"Summary so far:\n{earlier}\n\nWhat was said next:" if earlier else "What was said, oldest first:"
        now = f"Summarise {'both' if earlier else 'it'} now in at most {self.tokens // TOKENS_A_WORD} words."
        asked = "\n".join([before, *lines, "", now])
        return Said("system", self.instructions), Said("user", asked)

    async def _asked(self, here: Context, messages: tuple[Said, ...], count: int) -> str:
        request = Request(messages, max_tokens=self.tokens, settings=self.llm.settings)
        facts = {"summarises": {"messages": count, "tokens": _tokens(messages)}, "for": self.agent}
        digest = hash_of(f"{self.tokens} ".encode() + as_json(messages))
        answer = await here.consult(self.llm, request, digest=digest, shown=json.dumps(facts).encode())
        self.paid(answer)
        if answer.finish == "length":
            raise self._none(f"it was cut off after {answer.tokens_out} tokens", "give it more tokens=")
        if answer.finish == "refused" or not answer.text.strip():
            raise self._none(
                "it refused" if answer.finish == "refused" else "it is empty", "let another model summarise"
            )
        return answer.text.strip()

    def _no_room(self, size: int) -> StepFailed:
        said = f"`{self.llm.name}` has room for {max(0, size):,} bytes beside the summary so far, and {PIECE_MIN} are too few"
        fix = "give the summary fewer tokens=, or let a model with a larger window summarise"
        return StepFailed("P703", said, place=self.llm.place, fix=fix, kind="parti.errors.LlmError")

    def _none(self, why: str, fix: str) -> StepFailed:
        what = f"`{self.llm.name}` gave no summary: {why}"
        fix = f"{fix}, or declare Summarise(otherwise=Truncate())"
        return StepFailed("P704", what, place=self.llm.place, fix=fix, kind="parti.errors.LlmError")


def _next_part(waiting: deque[str], size: int) -> list[str]:
    """As many of the lines as `size` bytes hold; a line longer than that comes in pieces."""
    lines = [waiting.popleft()]
    if _size(lines[0]) > size:
        whole = lines[0]
        lines[0] = whole.encode()[:size].decode(errors="ignore")
        waiting.appendleft(f"…{whole[len(lines[0]) :]}")
    left = size - _size(lines[0])
    while waiting and (needed := _size(waiting[0])) <= left:
        left -= needed
        lines.append(waiting.popleft())
    return lines


def _tokens(messages: Sequence[Said]) -> int:
    return tokens_of(sum(len(message.text.encode()) for message in messages), len(messages))


def _line(message: Message) -> str:
    """A message as the summarising model reads it: who, and the text in quotes, so that no text can pose as another message."""
    match message:
        case Said(role, text):
            return f"{role}: {_quoted(text)}"
        case Returned(tool=tool, text=text):
            return f"result of {tool}: {_quoted(text)}"
        case Answered(text, calls):
            asked = [f"calls {call.name} with {_quoted(call.arguments)}" for call in calls]
            return f"assistant: {', '.join([_quoted(text), *asked] if text or not asked else asked)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _size(line: str) -> int:
    return len(line.encode()) + 1
