"""Which handler answers a method and path: Starlette's routes, the most literal first, with values exactly as meant."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from parti.errors import DeclarationError
from parti.serve.answers import Handler
from parti.serve.refusals import Refusal, problem, stopping

PLACEHOLDER: Final = re.compile(r"{(\w+)(?::(\w+))?}")
_KINDS: Final = ("literal", "str", "path")
"""What a segment may be, the most literal first; the last two are Starlette's names."""


def routes(table: Iterable[tuple[str, str, Handler]]) -> list[ExactRoute]:
    """The routes of (method, path, handler). In a path, ``{id}`` is one segment, ``{file:path}`` all that is left.

    A literal segment goes before a placeholder, whatever the order; of two equal paths the last answers. Raises P105
    for a placeholder that is not a whole segment.
    """
    found = [ExactRoute(method, path, handler) for method, path, handler in table]
    # The first that matches answers, and the sort keeps the order of equals.
    found = sorted(reversed(found), key=lambda route: route.rank)
    for route in found:
        route.siblings = found
    return found


class ExactRoute(Route):
    """A route that matches the path of `exact_path`, so that its values may hold an encoded slash."""

    def __init__(self, method: str, path: str, handler: Handler) -> None:
        segments: list[str] = []
        self.rank: list[int] = []
        self._names: dict[str, str] = {}
        for text, name, kind in _segments(path):
            self.rank.append(_KINDS.index(kind))
            # Numbered, as Starlette takes fewer names for placeholders than Python for parameters.
            number = f"value{len(segments)}"
            self._names |= {number: name} if name else {}
            segments.append(f"{{{number}:{kind}}}" if name else _escaped(text))
        super().__init__("/" + "/".join(segments), _until_stopped(handler), methods=[method])
        self.siblings = [self]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As every route does; the values are decoded."""
        match, found = super().matches(scope)
        if match is not Match.NONE:
            values = found["path_params"]
            found["path_params"] = {name: unquote(values[number]) for number, name in self._names.items()}
        return match, found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises Refusal 405 (P507) that names the methods of all routes of this path."""
        if self._answers(scope):
            await self.app(scope, receive, send)
            return
        matching = [route for route in self.siblings if route.matches(scope)[0] is not Match.NONE]
        methods = ", ".join(sorted({method for route in matching for method in route.methods or ()}))
        what = f"{scope['path']} does not answer {scope['method']}"
        raise Refusal(problem(405, "P507", what, fix=f"use {methods}", headers={"allow": methods}))

    def _answers(self, scope: Scope) -> bool:
        return self.methods is not None and scope["method"] in self.methods


def exact_path(scope: Scope) -> str:
    """The path, decoded but for ``%``, line feeds, and slashes inside segments. Raises Refusal 400 (P504).

    Servers decode a path whole, after which a slash within a value and one between two look alike.
    """
    raw: bytes = scope["raw_path"]
    text = raw.decode("latin-1")
    if "%" not in text:
        return text
    try:
        return "/".join(_escaped(unquote(segment, errors="strict")) for segment in text.split("/"))
    except UnicodeDecodeError:
        raise Refusal(problem(400, "P504", "the path is not UTF-8", fix="percent-encode it as UTF-8")) from None


def _escaped(segment: str) -> str:
    return segment.replace("%", "%25").replace("/", "%2F").replace("\n", "%0A")


def _until_stopped(handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except asyncio.CancelledError:
            # The server cancels what is still under way when its time to drain is over: the last word is an answer.
            raise Refusal(stopping()) from None

    return answer


def _segments(path: str) -> Iterable[tuple[str, str, str]]:
    """Each segment with the name of its placeholder, or "", and its kind."""
    segments = path[1:].split("/")
    for index, segment in enumerate(segments):
        match = PLACEHOLDER.fullmatch(segment)
        if match is None:
            if "{" in segment or "}" in segment:
                raise _bad_path(path, f"{segment!r} mixes text and placeholder")
            yield segment, "", "literal"
        elif match[2] == "path":
            if index != len(segments) - 1:
                raise _bad_path(path, f"something follows {segment!r}")
            yield segment, match[1], "path"
        else:
            yield segment, match[1], "str"


def _bad_path(path: str, why: str) -> DeclarationError:
    fix = 'let each placeholder be a whole segment: "/orders/{id}"'
    return DeclarationError("P105", f"in the path {path}, {why}", fix=fix)
