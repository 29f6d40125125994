"""A script in place of a language model: tests say what it answers, and see what it was asked."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from typing import Any

from parti.design.llm import Llm
from parti.ports.llm import Answer, LlmFailure, Request, Tell, ToolCall

Line = Answer | Exception | str | dict[str, Any]
"""What is answered: a text, the JSON of an output, a whole Answer, or an error to raise."""

Play = Callable[[Request], Any]


class Script:
    """Answers requests line by line, or by a function of the request (which may be async). Implements ports.llm.Provider.

    Where the lines are over it fails for good. `asked` are the requests so far. Texts cost a token a word.
    """

    def __init__(self, lines: Iterable[Line] | Play) -> None:
        self.asked: list[Request] = []
        self._play = lines if callable(lines) else None
        self._lines = iter(()) if callable(lines) else iter(lines)

    async def answer(self, llm: Llm, request: Request, *, tell: Tell | None = None) -> Answer:
        """See ports.llm.Provider."""
        self.asked.append(request)
        line = self._play(request) if self._play else next(self._lines, _OVER)
        if inspect.isawaitable(line):
            line = await line
        if isinstance(line, Exception):
            raise line
        answer = line if isinstance(line, Answer) else said(line)
        if tell is not None:
            for word in answer.text.split(" "):
                tell(word if word == answer.text.split(" ")[0] else f" {word}")
        return answer

    async def close(self) -> None:
        """Nothing is held."""


def said(line: str | dict[str, Any] | list[Any]) -> Answer:
    """An answer that says a text, or the JSON of an output."""
    text = line if isinstance(line, str) else json.dumps(line)
    return Answer(text, tokens_in=10, tokens_out=len(text.split()), model="script")


def calls(*wanted: tuple[str, dict[str, Any]], text: str = "") -> Answer:
    """An answer that asks for calls of tools: ``calls(("look", {"id": "a"}))``."""
    made = tuple(ToolCall(f"c{number}", name, json.dumps(given)) for number, (name, given) in enumerate(wanted))
    return Answer(text, made, "tools", "script", tokens_in=10, tokens_out=5)


_OVER = LlmFailure("P701", "the script is over", lasting=True, fix="give the script another line")
