"""The legend of an SVG drawing: only the kinds and lines that it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from parti.drawings.cards import badge
from parti.drawings.flow import Link
from parti.drawings.letters import text_width
from parti.drawings.palette import LINES, LOOKS
from parti.drawings.shapes import num

_ROW: Final = 26.0
_SPACE: Final = 24.0

Entry = tuple[str, str, str]
"""The class of an entry, its sample (``part``, ``line`` or ``pin``), its words."""


def entries(kinds: Iterable[str], links: Sequence[Link], *, grouped: bool, opaque: bool) -> list[Entry]:
    """What the legend of a drawing with these kinds and links lists."""
    used = set(kinds)
    found: list[Entry] = [(kind, "part", f"{kind}: {look.about}") for kind, look in LOOKS.items() if kind in used]
    manners = {link.manner for link in links if not link.may}
    found += [(manner, "line", words) for manner, (words, _, _) in LINES.items() if manner in manners]
    found += [("call may", "line", "may happen")] if any(link.may for link in links) else []
    found += [("group", "pin", "handlers that write one table: one writer per key")] if grouped else []
    found += [("opaque", "?", "some of its code could not be read")] if opaque else []
    return found


def legend(listed: Sequence[Entry], x: float, y: float, width: float) -> tuple[str, float]:
    """The legend as SVG from (x, y) on, in rows of at most `width`, and its height."""
    out, left, top = [], x, y
    for style, sample, words in listed:
        mark = {"part": 18.0, "line": 30.0, "pin": 42.0, "?": 16.0}[sample]
        wide = mark + 8 + text_width(words, 11, weight=0.92)
        if left > x and left + wide > x + width:
            left, top = x, top + _ROW
        out.append(f'<g class="{style}">{_sample(style, sample, left, top)}')
        out.append(f'<text class="more" x="{num(left + mark + 8)}" y="{num(top + 13)}">{words}</text></g>')
        left += wide + _SPACE
    return "".join(out), (top - y + 18 if listed else 0.0)


def _sample(style: str, sample: str, x: float, y: float) -> str:
    middle = y + 9
    match sample:
        case "part":
            return badge(style, x, y, 18)
        case "line":
            return (
                f'<path class="line" d="M{num(x)} {num(middle)}h24"/>'
                f'<path class="head" d="M{num(x + 30)} {num(middle)}l-7 -3.8v7.6z"/>'
            )
        case "pin":
            return (
                f'<rect class="pin" x="{num(x)}" y="{num(y + 1)}" width="42" height="16" rx="8"/>'
                f'<text class="tag" x="{num(x + 21)}" y="{num(middle + 3.4)}" text-anchor="middle">group</text>'
            )
    return (
        f'<circle class="pin" cx="{num(x + 8)}" cy="{num(middle)}" r="8"/>'
        f'<text class="tag" x="{num(x + 8)}" y="{num(middle + 3.4)}" text-anchor="middle">?</text>'
    )
