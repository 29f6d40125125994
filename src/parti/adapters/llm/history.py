"""Conversations already translated, so that each turn costs what is new in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic_ai.messages import ModelMessage

from parti.adapters.llm.messages import translate
from parti.ports.llm import Answered, Message, Returned

CONVERSATIONS_MAX: Final = 512

CHARACTERS_MAX: Final = 16_000_000
"""How much text is held in all."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A conversation as far as it is translated, and about how many characters it has."""

    messages: tuple[Message, ...]
    translated: list[ModelMessage]
    size: int


class History:
    """Translates conversations, and remembers them, the latest longest, within both bounds above.

    A conversation is known by how it begins, up to its first answer: that never changes while it grows, and two that
    run at the same time hardly share it. What does not continue what is remembered is translated as a whole.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Message, ...], _Known] = OrderedDict()
        self._size = 0

    def translate(self, messages: tuple[Message, ...]) -> list[ModelMessage]:
        """All of `messages`, of which only those that are new are translated; the list is the caller's own."""
        beginning = _beginning(messages)
        if not beginning:
            return translate(messages)
        known = self._known.get(beginning)
        if known is None or messages[: len(known.messages)] != known.messages:
            known = _Known((), [], 0)
        new = messages[len(known.messages) :]
        translated = translate(new, after=known.translated)
        self._remember(beginning, _Known(messages, translated, known.size + sum(map(_size, new))))
        return list(translated)

    def _remember(self, beginning: tuple[Message, ...], now: _Known) -> None:
        before = self._known.pop(beginning, None)
        self._size += now.size - (before.size if before else 0)
        self._known[beginning] = now
        while self._known and (len(self._known) > CONVERSATIONS_MAX or self._size > CHARACTERS_MAX):
            _, gone = self._known.popitem(last=False)
            self._size -= gone.size


def _beginning(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages up to the first answer; none where nothing is answered yet, which is nothing worth remembering."""
    for index, message in enumerate(messages):
        if isinstance(message, Answered):
            return tuple(messages[: index + 1])
    return ()


def _size(message: Message) -> int:
    if isinstance(message, Answered):
        return len(message.text) + len(message.raw) + sum(len(call.arguments) for call in message.calls)
    return len(message.text) + (len(message.tool) if isinstance(message, Returned) else 0)
