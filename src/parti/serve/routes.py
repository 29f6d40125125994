"""Which handler answers a method and path: a tree of path segments, so that a look-up does not grow with the routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from parti.errors import DeclarationError
from parti.serve.asgi import Handler, Request
from parti.serve.refusals import Refusal, problem

PLACEHOLDER: Final = re.compile(r"{(\w+)(?::(\w+))?}")
Leaf = dict[str, tuple[Handler, tuple[str, ...]]]
"""By method: the handler, and the names of the placeholders on the way."""


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    rest: Leaf = field(default_factory=dict)
    leaf: Leaf = field(default_factory=dict)


class Routes:
    """Routes with placeholders: ``{id}`` is one segment, ``{file:path}`` all that is left.

    A literal segment goes before a placeholder, whatever the order of declaration. Segments are split before they are
    decoded, so that a value may hold an encoded slash.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Let `handler` answer `method` at `path`. Raises P105 for a placeholder that is not a whole segment."""
        node, names = self._root, []
        segments = path[1:].split("/")
        for index, segment in enumerate(segments):
            match = PLACEHOLDER.fullmatch(segment)
            if match is None:
                if "{" in segment or "}" in segment:
                    raise _bad_path(path, f"{segment!r} mixes text and placeholder")
                node = node.literal.setdefault(segment, _Node())
                continue
            names.append(match[1])
            if match[2] == "path":
                if index != len(segments) - 1:
                    raise _bad_path(path, f"something follows {segment!r}")
                node.rest[method] = (handler, tuple(names))
                return
            node.any = node.any or _Node()
            node = node.any
        node.leaf[method] = (handler, tuple(names))

    def find(self, request: Request) -> Handler:
        """The handler of the request, whose `params` are filled. Raises Refusal 404, 405 (P507) or 400 (P504)."""
        method = "GET" if request.method == "HEAD" else request.method
        allowed: set[str] = set()
        for leaf, values in _leaves(self._root, _segments(request), 0, ()):
            found = leaf.get(method)
            if found is not None:
                request.params = dict(zip(found[1], values, strict=True))
                return found[0]
            allowed.update(leaf)
        raise _not_allowed(request, allowed) if allowed else _not_found(request)


def _leaves(
    node: _Node, segments: Sequence[str], at: int, values: tuple[str, ...]
) -> Iterator[tuple[Leaf, tuple[str, ...]]]:
    """Every leaf that the path leads to, the most literal first."""
    if at == len(segments):
        if node.leaf:
            yield node.leaf, values
        return
    segment = segments[at]
    if segment in node.literal:
        yield from _leaves(node.literal[segment], segments, at + 1, values)
    if node.any is not None and segment:
        yield from _leaves(node.any, segments, at + 1, (*values, segment))
    if node.rest:
        yield node.rest, (*values, "/".join(segments[at:]))


def _segments(request: Request) -> list[str]:
    raw: bytes = request.scope["raw_path"]
    text = raw.decode("latin-1")[1:]
    if "%" not in text:
        return text.split("/")
    try:
        return [unquote(segment, errors="strict") for segment in text.split("/")]
    except UnicodeDecodeError:
        raise Refusal(problem(400, "P504", "the path is not UTF-8", fix="percent-encode it as UTF-8")) from None


def _not_found(request: Request) -> Refusal:
    what = f"nothing answers {request.method} {request.scope['path']}"
    return Refusal(problem(404, "P507", what, fix="GET /docs shows what does"))


def _not_allowed(request: Request, allowed: set[str]) -> Refusal:
    methods = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    what = f"{request.scope['path']} does not answer {request.method}"
    return Refusal(problem(405, "P507", what, fix=f"use {methods}", headers=((b"allow", methods.encode()),)))


def _bad_path(path: str, why: str) -> DeclarationError:
    fix = 'let each placeholder be a whole segment: "/orders/{id}"'
    return DeclarationError("P105", f"in the path {path}, {why}", fix=fix)
