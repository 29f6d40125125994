"""One request and one answer, over ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import to_json

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json"


class Answer(NamedTuple):
    """What is sent back: the status, the whole body, and headers beyond its type and length."""

    status: int
    body: bytes
    headers: Headers = ()
    kind: bytes = JSON


@dataclass(slots=True)
class Request:
    """What came in. `params` are the decoded values of the path's placeholders."""

    scope: Scope
    receive: Receive
    params: dict[str, str] = field(default_factory=dict)
    _headers: dict[bytes, bytes] | None = None

    @property
    def method(self) -> str:
        """GET, POST and so on, in capitals."""
        method: str = self.scope["method"]
        return method

    @property
    def query(self) -> str:
        """What follows the question mark, still encoded."""
        text: bytes = self.scope["query_string"]
        return text.decode("latin-1")

    def header(self, name: bytes) -> str | None:
        """The header of that lower-case name; None when it is missing, joined by ", " when it is repeated."""
        if self._headers is None:
            self._headers = _joined(self.scope["headers"])
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")


def _joined(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found = dict(headers)
    if len(found) != len(headers):
        found = {name: b", ".join(value for key, value in headers if key == name) for name in found}
    return found


Handler = Callable[[Request], Awaitable[Answer]]


class ClientGone(Exception):
    """The other side hung up before its request was complete; there is nobody left to answer."""


def json_answer(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """`value` as JSON. Numbers that JSON does not know become null."""
    return Answer(status, to_json(value, inf_nan_mode="null"), headers)


async def send_answer(send: Send, answer: Answer) -> None:
    """Hand the answer to the server, which leaves out the body of a HEAD request."""
    headers = [
        (b"content-type", answer.kind),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-content-type-options", b"nosniff"),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
