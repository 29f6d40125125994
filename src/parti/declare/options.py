"""Options of parts: what is of another type than it must be is refused with P105 and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parti.errors import DeclarationError

Kinds = type[Any] | tuple[type[Any], ...]


def refuse_unless(kinds: Kinds, fix: str, **options: object) -> None:
    """Raise P105 for the first of `options` that is none of `kinds`. True and False are no numbers."""
    for name, value in options.items():
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise DeclarationError("P105", f"{name}={value!r} is not what it takes", fix=fix)


def refuse_unless_given(kinds: Kinds, fix: str, **options: object) -> None:
    """Like `refuse_unless`, for options that may be None."""
    refuse_unless(kinds, fix, **{name: value for name, value in options.items() if value is not None})


def refuse_unless_texts(fix: str, **options: object) -> None:
    """Raise P105 for the first of `options` that is no mapping from texts to texts, nor None."""
    for name, value in options.items():
        refuse_unless_given(Mapping, fix, **{name: value})
        for part in (*value, *value.values()) if isinstance(value, Mapping) else ():
            if not isinstance(part, str):
                raise DeclarationError("P105", f"{name}= holds {part!r}, which is not a text", fix=fix)


def refuse_unless_listed(fix: str, **options: object) -> None:
    """Raise P105 for the first of `options` that is no list or tuple (or other sequence), such as one thing by itself."""
    for name, value in options.items():
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise DeclarationError("P105", f"{name}={value!r} is not a list", fix=fix)
