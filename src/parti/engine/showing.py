"""Showing: arguments as a person is shown them, cut so that no long value hides another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from unicodedata import category

from pydantic_core import to_json

SHOWN_MAX: Final = 2_000
"""Characters that the values share. More are shown only where there are very many of them."""

UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Zl", "Zp"})
"""Unicode's categories of control and format characters, of what nobody has given a meaning, and of line separators."""

SHORT: Final = 64
"""Characters of a value that are shown always."""


def shown(name: str, value: Any, room: int = SHOWN_MAX) -> str:
    """A JSON value of that name in about `room` characters: of objects every name stays, of long values the beginning.

    What is left out is counted beside the value that it was left out of.
    """
    text = to_json(value).decode()
    if len(text) <= max(room, SHORT):
        return text
    if isinstance(value, dict):
        sizes = [len(to_json(item)) for item in value.values()]
        parts = zip(value.items(), fair_shares(sizes, room), strict=True)
        inner = (f"{to_json(key).decode()}:{shown(f'{name}.{key}', item, share)}" for (key, item), share in parts)
        return f"{{{','.join(inner)}}}"
    if isinstance(value, list) and len(value) * SHORT <= room:
        parts_of_list = zip(value, fair_shares([len(to_json(item)) for item in value], room), strict=True)
        items = (shown(f"{name}[{index}]", item, share) for index, (item, share) in enumerate(parts_of_list))
        return f"[{','.join(items)}]"
    if isinstance(value, str):
        kept = value[: max(room, SHORT)]
        return f"{to_json(kept).decode()} [{len(value) - len(kept)} more characters of {name}]"
    return f"{text[: max(room, SHORT)]} [{len(text) - max(room, SHORT)} more characters of {name}]"


def legible(text: str) -> str:
    """The text with what no eye can see, and what turns the direction of writing, as its escape: ``\\u202e``."""
    if text.isascii():
        return text
    return "".join(f"\\u{ord(one):04x}" if category(one) in UNSEEN else one for one in text)


def fair_shares(sizes: Sequence[int], room: int) -> list[int]:
    """How much of `room` each of `sizes` gets: the short ones all they need, the long ones as much as each other."""
    shares = [0] * len(sizes)
    for left, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[index] = max(0, min(sizes[index], room // (len(sizes) - left)))
        room -= shares[index]
    return shares
