"""Answers of the board: JSON that no cache keeps."""

from __future__ import annotations

from pydantic_core import to_json
from starlette.responses import Response

from parti.board.queries.as_json import as_json


def json_answer(value: object, status: int = 200) -> Response:
    """`value`, a read model or plain values, as JSON."""
    return Response(to_json(as_json(value)), status, {"cache-control": "no-store"}, media_type="application/json")
