"""The files of the page, as they lie in the package, with what a browser needs to keep and check them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.responses import Response

TYPES: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"""What is served, by the ending of its name; other files of the folder (types, licences) are not."""


class Asset:
    """One file: its bytes, its type, and a tag that changes with the bytes."""

    __slots__ = ("_body", "_headers", "_tag")

    def __init__(self, body: bytes, kind: str) -> None:
        self._body = body
        self._tag = f'"{sha256(body).hexdigest()[:20]}"'
        self._headers = {"content-type": TYPES[kind], "etag": self._tag, "cache-control": "no-cache"}

    def answer(self, known: str | None) -> Response:
        """The file; 304 without it for a browser that has it under the tag `known`."""
        if known is not None and self._tag in known:
            return Response(status_code=304, headers=self._headers)
        return Response(self._body, headers=self._headers)


@cache
def assets() -> Mapping[str, Asset]:
    """Every file of the page by its path below the folder, read once."""
    return dict(_found(files("parti.board") / "page", ""))


def _found(folder: Traversable, below: str) -> Iterator[tuple[str, Asset]]:
    for item in folder.iterdir():
        path = below + item.name
        if item.is_dir():
            yield from _found(item, path + "/")
        elif (kind := item.name.rpartition(".")[2]) in TYPES:
            yield path, Asset(item.read_bytes(), kind)
