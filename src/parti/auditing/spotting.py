"""Spotting: which marks stand in a text, whole or in part, as they are or written in another way.

Whoever copies a text may cut it, change its case, split it or encode it. What is undone: letter case, spaces and signs in
between, and two layers of JSON and URL escapes, HTML entities, base64 (also URL-safe, at any offset), hexadecimal digits and reversal.
A summary, a translation, a hash and what is encrypted carry no mark: see docs/labels.md.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote_plus

from parti.auditing.marks import LENGTHS, PIECES, Marks, Source

LAYERS: Final = 2
TEXT_MAX: Final = 200_000
"""Characters of one text that are looked through; of a longer one, so many from its beginning and its end."""

_RUN: Final = re.compile(r"[a-z0-9]{10,}")
_READABLE: Final = re.compile(r"[\x20-\x7e]{10,}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{14,}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}[\s:]?){10,}")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")

Spotted = dict[Source, str]
"""How each mark that was spotted is written."""


def spot(text: str, marks: Marks) -> Spotted:
    """The sources whose marks stand in `text`, each with the plainest form in which it does."""
    if len(text) > TEXT_MAX:
        text = f"{text[: TEXT_MAX // 2]}\n{text[-TEXT_MAX // 2 :]}"
    found: Spotted = {}
    layer = [(text, "")]
    for _ in range(LAYERS + 1):
        for written, form in layer:
            for source, how in _plainly(written, marks).items():
                found.setdefault(source, ", ".join(filter(None, (form, how))) or "as it is")
        layer = [
            (undone, f"{form}, {name}" if form else name)
            for written, form in layer
            for name, undo in _UNDO
            if undo is not _reversed or name not in form
            for undone in undo(written)
        ]
    return found


def _plainly(text: str, marks: Marks) -> Spotted:
    """Marks that need no decoding: in any case, whole or in part, with anything but letters and digits in between."""
    found: Spotted = {}
    folded = text.casefold()
    for source, piece in _pieces(folded, marks):
        if source not in found:
            found[source] = _manner(text, folded, source, piece, marks)
    joined = re.sub(r"[\W_]+", "", folded)
    if joined != folded:
        for source, _ in _pieces(joined, marks):
            found.setdefault(source, "split")
    return found


def _pieces(text: str, marks: Marks) -> Iterator[tuple[Source, str]]:
    for run in _RUN.findall(text):
        for size in PIECES.values():
            for start in range(len(run) - size + 1):
                source = marks.pieces.get(run[start : start + size])
                if source is not None:
                    yield source, run[start : start + size]
    for whole, source in marks.wholes.items():
        if whole in text:
            yield source, whole


def _manner(text: str, folded: str, source: Source, piece: str, marks: Marks) -> str:
    """Whether a mark stands there whole, and in its own case; said only where it does not."""
    cased = "" if piece in text else "in another case"
    whole = piece in marks.wholes or any(marks.text(source.slot, script) in folded for script in LENGTHS)
    return ", ".join(filter(None, (cased, "" if whole else "in part")))


def _escapes(text: str) -> Iterator[str]:
    if "\\u" in text or "\\x" in text:
        yield _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _percent(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote_plus(text)


def _entities(text: str) -> Iterator[str]:
    if "&" in text and (undone := html.unescape(text)) != text:
        yield undone


def _base64(text: str) -> Iterator[str]:
    """Each run of its alphabet (line breaks are left out), at each of the four offsets at which it may begin."""
    for run in _BASE64.findall(re.sub(r"[\r\n]+", "", text)):
        plain = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            chunk = plain[start : len(plain) - (len(plain) - start) % 4]
            yield from _readable(base64.b64decode(chunk))
            rest = (len(plain) - start) % 4
            if rest > 1:  # the last letters, which no padding follows
                yield from _readable(base64.b64decode(plain[start:] + "=" * (4 - rest)))


def _hex(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        digits = re.sub(r"[\s:]", "", match[0])
        for start in (0, 1):
            try:
                yield from _readable(binascii.unhexlify(digits[start : len(digits) - (len(digits) - start) % 2]))
            except binascii.Error:
                continue


def _readable(body: bytes) -> Iterator[str]:
    """What can be read in bytes: most decode to noise, in which there is nothing to look for."""
    found = _READABLE.findall(body.decode("latin-1"))
    if found:
        yield "\n".join(found)


def _reversed(text: str) -> Iterator[str]:
    yield text[::-1]


_UNDO: Final[tuple[tuple[str, Callable[[str], Iterator[str]]], ...]] = (
    ("escaped", _escapes), ("URL-encoded", _percent), ("as HTML entities", _entities), ("in base64", _base64),
    ("in hexadecimal", _hex), ("reversed", _reversed),
)  # fmt: skip
