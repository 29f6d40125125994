"""Masking: a JSON value or a request with the labelled values in it behind tokens, and an answer with them back in place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import from_json

from parti.design.labelling import at_path, cleared_at
from parti.design.labels import Label, Labelled, Tags
from parti.ports.llm import Answer, Answered, Message, Request, Returned, Said, Tell, ToolCall
from parti.trust.keeping import canonical
from parti.trust.tokens import TOKEN_MAX
from parti.trust.veil import Veil


class Unmaskable(Exception):
    """A labelled value stands where no token can."""


@dataclass(slots=True)
class Cover:
    """One masking: of which labels at which path, and what was masked so far.

    `fixed` are paths at which no token may stand. With `but_free` free texts are not masked whole.
    """

    veil: Veil
    tags: Tags
    cleared: Labelled = ()
    fixed: frozenset[str] = frozenset()
    but_free: bool = False
    times: Counter[str] = field(default_factory=Counter)

    def text(self, text: str) -> str:
        """A text that has no path."""
        return self.veil.cover(text, self.tags, self.times, but_free=self.but_free)

    def value(self, value: Any, path: str = "") -> Any:
        """A JSON value. Raises Unmaskable where one that is labelled is no text, or stands at a fixed path."""
        match value:
            case None:
                return None
            case str():
                return self._leaf(value, path)
            case list():
                return [self.value(item, path) for item in value]
            case dict():
                return {self._leaf(key, path): self.value(item, deeper(path, key)) for key, item in value.items()}
        if self.veil.holds(canonical(value), self._tags_at(path)):
            raise Unmaskable(f"`{path}` has a labelled value that is no text, and no token is a {_name_of(value)}")
        return value

    def named(self, values: list[Any], names: tuple[str, ...]) -> list[Any]:
        """JSON values of arguments, which have names."""
        return [self.value(value, name) for value, name in zip(values, names, strict=True)]

    def _leaf(self, text: str, path: str) -> str:
        tags = self._tags_at(path)
        covered = self.veil.cover(text, tags, self.times, but_free=self.but_free) if tags else text
        if covered != text and self._is_fixed(path):
            raise Unmaskable(f"`{path}` decides what is done, and means nothing behind a token")
        return covered

    def _is_fixed(self, path: str) -> bool:
        return any(path == one or path.startswith(f"{one}.") for one in self.fixed)

    def _tags_at(self, path: str) -> Tags:
        return self.tags - cleared_at(self.cleared, path) if self.cleared else self.tags

    # Requests

    def request(self, request: Request) -> Request:
        """A request as it may leave."""
        return replace(request, messages=tuple(map(self.message, request.messages)), size=None)

    def message(self, message: Message) -> Message:
        """One message of it."""
        match message:
            case Said():
                return replace(message, text=self.text(message.text))
            case Returned():
                return replace(message, text=self._perhaps_json(message.text))
            case Answered():
                calls = tuple(replace(one, arguments=self._perhaps_json(one.arguments)) for one in message.calls)
                aside = replace(self, times=Counter())
                raw = message.raw if aside._perhaps_json(message.raw) == message.raw else ""
                return replace(message, text=self._perhaps_json(message.text), calls=calls, raw=raw)
        raise AssertionError(f"{message} is no message")

    def _perhaps_json(self, text: str) -> str:
        """A text, of which the single texts are masked where it is JSON: so it stays what it is."""
        parsed = json_in(text)
        if parsed is None:
            return self.text(text)
        covered = _each_text(parsed, lambda one, _: self.text(one))
        return self.text(text if covered == parsed else _as_json(covered))


def uncovered(answer: Answer, veil: Veil, labels: Labelled, of_tool: Callable[[str], Labelled]) -> Answer:
    """An answer with values in the place of their tokens: PII in any text, a secret where the type of the field says SECRET.

    `labels` are those of the output's type, `of_tool` those of a tool's arguments.
    """
    calls = tuple(_uncovered_call(call, veil, of_tool(call.name)) for call in answer.calls)
    return replace(answer, text=_uncovered(answer.text, veil, labels), calls=calls)


def _uncovered_call(call: ToolCall, veil: Veil, labels: Labelled) -> ToolCall:
    return replace(call, arguments=_uncovered(call.arguments, veil, labels))


def _uncovered(text: str, veil: Veil, labels: Labelled) -> str:
    def back(one: str, path: str) -> str:
        may = at_path(labels, path)
        return veil.uncover(one, lambda tags: Label.SECRET not in tags or Label.SECRET in may)

    parsed = json_in(text)
    if parsed is None:
        return back(text, "")
    whole = _each_text(parsed, back)
    return text if whole == parsed else _as_json(whole)


class Uncovering:
    """Tells a stream with values in the place of tokens: the beginning of what may be one is held back until it is whole."""

    def __init__(self, tell: Tell, veil: Veil) -> None:
        self._tell, self._veil, self._held = tell, veil, ""

    def __call__(self, piece: str) -> None:
        text = self._held + piece
        at = text.rfind("[")
        cut = at if at >= 0 and "]" not in text[at:] and len(text) - at <= TOKEN_MAX else len(text)
        self._held = text[cut:]
        self._say(text[:cut])

    def end(self) -> None:
        """Tell what is held back."""
        self._say(self._held)
        self._held = ""

    def _say(self, text: str) -> None:
        if text:
            self._tell(_uncovered_plain(text, self._veil))


def _uncovered_plain(text: str, veil: Veil) -> str:
    return veil.uncover(text, lambda tags: Label.SECRET not in tags)


def texts_of(request: Request) -> Iterator[str]:
    """What of a request may be free text of people: all but the program's own instructions."""
    for message in request.messages:
        if not (isinstance(message, Said) and message.role == "system"):
            yield message.text


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts_in(item)
        case dict():
            yield from texts_in(list(value.values()))


def json_in(text: str) -> Any:
    """The JSON object or list that a text is; None where it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = from_json(text)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def deeper(path: str, name: str) -> str:
    """The path of a field."""
    return f"{path}.{name}" if path else name


def _each_text(value: Any, change: Callable[[str, str], str], path: str = "") -> Any:
    match value:
        case str():
            return change(value, path)
        case list():
            return [_each_text(item, change, path) for item in value]
        case dict():
            return {change(key, path): _each_text(item, change, deeper(path, key)) for key, item in value.items()}
    return value


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name_of(value: Any) -> str:
    return {bool: "flag", int: "number", float: "number"}.get(type(value), type(value).__name__)
