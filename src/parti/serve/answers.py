"""What is sent back: JSON, never to be taken by a browser for anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

Headers = Mapping[str, str]
Handler = Callable[[Request], Awaitable[Response]]


class Answer(Response):
    """A whole body, which is JSON unless `media_type` says otherwise."""

    media_type = "application/json"

    def init_headers(self, headers: Headers | None = None) -> None:
        """The headers of every response, and one that keeps browsers from guessing at the type."""
        super().init_headers(headers)
        self.raw_headers.append((b"x-content-type-options", b"nosniff"))


def json_answer(value: Any, status: int = 200, headers: Headers | None = None) -> Answer:
    """`value` as JSON. Numbers that JSON does not know become null."""
    return Answer(to_json(value, inf_nan_mode="null"), status, headers)
