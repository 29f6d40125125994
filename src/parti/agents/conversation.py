"""A conversation: the messages of one task, its digest, and what of it the journal has not seen yet.

The digest of a request follows from that of the request before and what was added since, and only that is journaled:
a conversation of n turns costs O(n) bytes and hashing, not O(n²).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from parti.design.llm import Llm
from parti.ports.llm import Answered, Message, OutputSpec, Request, Said, ToolSpec


class Conversation:
    """What was said so far. What stays the same in each request, its tools and output, is part of every digest."""

    __slots__ = ("_digest", "_fresh", "_left_out", "_size", "_tools", "messages", "output", "prompt")

    def __init__(self, tools: tuple[ToolSpec, ...], output: OutputSpec | None, prompt: str) -> None:
        self.messages: list[Message] = []
        self.output = output
        self.prompt = prompt
        self._tools = tools
        self._fresh: list[tuple[Message, str]] = []
        """Each message that the journal has not seen, and its JSON."""
        self._left_out: list[Mapping[str, Any]] = []
        self._size = 0
        facts = [[tool.name, tool.schema] for tool in tools], output.schema if output else None
        self._digest = hash_of(json.dumps(facts, sort_keys=True).encode())

    def add(self, message: Message) -> None:
        """Somebody said something, or a tool returned."""
        written = _json(message)
        self.messages.append(message)
        self._fresh.append((message, written))
        self._size += size_of(message)
        self._digest = hash_of(f"{self._digest}[{written}]".encode())

    def go_on(self, *messages: Message) -> None:
        """Go on from what was said in earlier runs: their journals have it."""
        for message in messages:
            self.add(message)
        self._fresh = self._fresh[: len(self._fresh) - len(messages)]

    def shorten(self, messages: Iterable[tuple[Message, Message]]) -> None:
        """Go on with fewer or shorter messages: each as it was, and as it is now. None of them is journaled once more."""
        fresh, kept = {id(message) for message, _ in self._fresh}, list(messages)
        self.messages = [now for _, now in kept]
        self._fresh = [(now, _json(now)) for was, now in kept if id(was) in fresh]
        self._size = sum(map(size_of, self.messages))
        self._digest = hash_of(self._digest.encode() + as_json(self.messages))

    def tell_left_out(self, facts: Mapping[str, Any]) -> None:
        """Have it journaled with the next request what is gone: `facts`, as JSON."""
        self._left_out.append(facts)

    @property
    def size(self) -> int:
        """How many bytes of text its messages hold, about."""
        return self._size

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """What each request offers."""
        return self._tools

    def request(self, llm: Llm, settings: Mapping[str, Any]) -> Request:
        """All of it, as the next request to `llm`."""
        return Request(tuple(self.messages), self._tools, self.output, llm.max_tokens, settings, self._size)

    def digest(self) -> str:
        """The name of the next request."""
        return self._digest

    def shown(self) -> bytes:
        """What is journaled of the next request: what was not shown before, what is gone, and which instructions it follows.

        The model's own turns are left out: they stand in the journal as its answers.
        """
        fresh = ", ".join(written for message, written in self._fresh if not isinstance(message, Answered))
        facts: dict[str, Any] = {"left_out": self._left_out} if self._left_out else {}
        facts |= {"after": len(self.messages) - len(self._fresh), "prompt": self.prompt}
        self._fresh, self._left_out = [], []
        return f'{json.dumps(facts)[:-1]}, "messages": [{fresh}]}}'.encode()


def size_of(message: Message) -> int:
    """How many bytes of text a message holds, about."""
    if isinstance(message, Said):
        return _bytes(message.text)
    if isinstance(message, Answered):
        calls = sum(_bytes(call.arguments) + len(call.name) + len(call.id) for call in message.calls)
        return _bytes(message.text) + calls + _bytes(message.raw)
    return _bytes(message.text) + len(message.tool) + len(message.call)


def as_json(messages: Iterable[Message]) -> bytes:
    """Messages as JSON: the kind of each, and its fields in their order."""
    return f"[{', '.join(map(_json, messages))}]".encode()


def _json(message: Message) -> str:
    """One message. Field by field: `dataclasses.astuple` copies what cannot change, and takes ten times as long."""
    facts: list[Any]
    if isinstance(message, Said):
        facts = ["said", message.role, message.text]
    elif isinstance(message, Answered):
        calls = [[call.id, call.name, call.arguments] for call in message.calls]
        facts = ["answered", message.text, calls, message.raw]
    else:
        facts = ["returned", message.call, message.tool, message.text, message.failed]
    return _encode(facts)


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def hash_of(content: bytes) -> str:
    """A short name for a request: 16 hex digits."""
    return blake2b(content, digest_size=8).hexdigest()
