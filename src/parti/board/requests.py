"""What the board asks of a request before it answers: that its own page sent it, and a body of JSON within a bound."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from pydantic_core import from_json
from starlette.requests import Request

from parti.errors import PayloadError, UsageError
from parti.units import Bytes, size_text

MARK: Final = "parti-board"
"""The header that the page sends with each change: no page of another origin can, unless a server lets it."""

BODY_BYTES: Final[Bytes] = 1024 * 1024


def check_origin(request: Request) -> None:
    """Raise P511 for a request that another site's page made, or one of another port of this machine.

    `Sec-Fetch-Site` is set by every browser and by no script (W3C Fetch Metadata); "none" is an address that somebody typed.
    """
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    if site not in ("same-origin", "none"):
        raise _foreign(f"the request was made by a page of another site ({site})")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise _foreign(f"the request was made by a page of {origin}")


def check_change(request: Request) -> None:
    """Raise P511 for a change that the board's page did not ask for, P504 for one that is not JSON."""
    if MARK not in request.headers:
        raise _foreign(f"a change lacks the header {MARK}")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UsageError("P504", "the body of a change is JSON", fix="send content-type: application/json")


async def json_object(request: Request) -> dict[str, Any]:
    """The body of a change, a JSON object. Raises P504 for anything else, P404 for one over BODY_BYTES."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES:
            raise PayloadError("P404", f"the body is larger than {size_text(BODY_BYTES)}", fix="send less at a time")
    try:
        value = from_json(bytes(body))
    except ValueError as wrong:
        raise UsageError("P504", f"the body is not JSON: {wrong}", fix="send one JSON object") from None
    if not isinstance(value, dict):
        raise UsageError("P504", "the body is no JSON object", fix='send {"name": value}')
    return value


def text_of(body: dict[str, Any], name: str) -> str:
    """The text of that name in a body. Raises P504 where there is none."""
    value = body.get(name)
    if not isinstance(value, str):
        raise UsageError("P504", f"the body has no text `{name}`", fix=f'send {{"{name}": "..."}}')
    return value


def _foreign(what: str) -> UsageError:
    return UsageError("P511", what, fix="use the board's own page, or the routes under /-/ with the operator's token")
