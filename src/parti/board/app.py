"""The board's application: the page and its files, what the page asks for, and who may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message, Receive, Scope, Send

from parti.board.asked import Asked
from parti.board.assets import assets
from parti.board.changes import CHANGES, Change
from parti.board.encoding import json_answer
from parti.board.misfits import Misfits
from parti.board.pulse import Pulse
from parti.board.requests import check_change, check_origin, json_object, text_of
from parti.board.sessions import COOKIE, Sessions
from parti.board.shown import Shown
from parti.board.views import views
from parti.errors import UsageError

PREFIX: Final = "/-/board"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types drawing"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer: the browser runs and asks nothing but what this server sends."""

Answering = Callable[[Request], Awaitable[Response]]


class Board:
    """Answers every request under PREFIX. Failures are raised as coded errors, for the server around to answer.

    The files of the page are open to everybody, since they say nothing of the system; all else needs `token`, unless
    `everybody` may look, as on loopback.
    """

    def __init__(self, shown: Shown, *, token: str, everybody: bool) -> None:
        clock = shown.operations.clock
        self._shown = shown
        self._sessions = Sessions(token, clock, everybody=everybody)
        self._views = views(shown)
        self._pulse = Pulse(self._picture, clock, shown.operations.chance.token()[:12].replace("-", "_"))
        self._answers: Mapping[tuple[str, str], Answering] = {
            ("GET", "session"): self._session,
            ("POST", "sign-in"): self._sign_in,
            ("POST", "sign-out"): self._sign_out,
            ("GET", "live"): self._live,
        }

    @property
    def pulse(self) -> Pulse:
        """The stream that pages share."""
        return self._pulse

    def routes(self) -> list[BaseRoute]:
        """What to put among the routes of a server."""
        return [Route(PREFIX, _to_page), Mount(PREFIX, self)]

    def stop_listening(self) -> None:
        """End the streams of pages that look, before the server waits for requests under way."""
        self._pulse.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises P502, P507, P511 and what the views raise."""
        request = Request(scope, receive)
        path = scope["path"].removeprefix(PREFIX + "/")
        response = await self._answer(request, path)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        await response(scope, receive, send_with_headers)

    async def _answer(self, request: Request, path: str) -> Response:
        if not path.startswith("api/"):
            return self._file(request, path or "index.html")
        check_origin(request)
        method, name = request.method, path.removeprefix("api/")
        if method != "GET":
            check_change(request)
        if name not in ("session", "sign-in"):
            self._sessions.check(request)
        if answer := self._answers.get((method, name)):
            return await answer(request)
        if method == "GET" and (view := self._views.get(name)):
            return json_answer(await view(Asked(request.query_params)))
        if method == "POST" and (change := CHANGES.get(name)):
            return await self._changed(change, request)
        raise _nothing(request)

    async def _changed(self, change: Change, request: Request) -> Response:
        try:
            return json_answer(await change(self._shown, await json_object(request)))
        except Misfits as wrong:  # answered here, since only this page asks for all of its fields
            return json_answer(wrong.as_json(), 422)

    def _file(self, request: Request, path: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise _nothing(request)
        if path == "drawing.css":
            return Response(self._shown.style, media_type="text/css", headers={"cache-control": "no-cache"})
        if (asset := assets().get(path)) is None:
            raise _nothing(request)
        return asset.answer(request.headers.get("if-none-match"))

    async def _session(self, request: Request) -> Response:
        known = self._sessions.knows(request)
        asks = self._sessions.asks(request)
        return json_answer(
            {"signed_in": known, "asks": asks, "system": self._shown.operations.design.name if known else ""}
        )

    async def _sign_in(self, request: Request) -> Response:
        answer = json_answer({"signed_in": True})
        token = text_of(await json_object(request), "token")
        self._sessions.sign_in(token, answer, path=PREFIX, secure=request.url.scheme == "https")
        return answer

    async def _sign_out(self, _: Request) -> Response:
        answer = json_answer({"signed_in": False})
        answer.delete_cookie(COOKIE, path=PREFIX, httponly=True, samesite="strict")
        return answer

    async def _live(self, request: Request) -> Response:
        self._pulse.check_room()
        last = request.query_params.get("last") or request.headers.get("last-event-id", "")
        beats = self._pulse.listen(last)
        return StreamingResponse(beats, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _picture(self) -> bytes:
        return bytes(json_answer(await self._views["picture"](Asked({}))).body)


async def _to_page(_: Request) -> Response:
    return RedirectResponse(PREFIX + "/")


def _nothing(request: Request) -> UsageError:
    what = f"nothing of the board answers {request.method} {request.scope['path']}"
    return UsageError("P507", what, fix=f"open {PREFIX}/")
