"""One link as SVG: a smooth line with its arrowheads, label and tooltip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from parti.drawings.flow import Link
from parti.drawings.layout import Placed, Point
from parti.drawings.letters import text_width
from parti.drawings.shapes import num

_HEAD: Final = 7.0
_STUB: Final = 6.0  # a line is level for at least so long at a box


def label_of(link: Link) -> str:
    """The text along a link: its kinds when there are more than one."""
    return " · ".join(link.kinds) if len(link.kinds) > 1 else ""


def label_width(link: Link) -> float:
    """The width of that text in pixels, 0 for none."""
    return text_width(label_of(link), 10, weight=0.92)


def stroke(link: Link, points: Sequence[Point]) -> str:
    """The SVG of a link along `points`, of which the first and last lie on the outlines of its parts."""
    first, last = points[0], points[-1]
    start, end = _sign(points[0], points[1]), _sign(points[-2], points[-1])
    inner = list(points)
    inner[-1] = (last[0] - end * (_HEAD - 1), last[1])
    heads = _head(last, end)
    if link.both:
        inner[0] = (first[0] + start * (_HEAD - 1), first[1])
        heads += _head(first, -start)
    return _group(link, path(inner), heads, _label(link, points, end))


def loop(link: Link, at: Placed) -> str:
    """The SVG of a part's link to itself: a small bow on its upper border."""
    x, y = at.x + at.width - 44, at.y
    line = f"M{num(x)} {num(y)}c0 -22 22 -22 22 -6"
    return _group(link, line, f"M{num(x + 22)} {num(y)}l-3.6 -7h7.2z", "")


def path(points: Sequence[Point]) -> str:
    """A path through `points`: straight where two are level, else a curve that is level at both."""
    x, y = points[0]
    text, pending = f"M{num(x)} {num(y)}", ""
    for (x1, y1), (x2, y2) in pairwise(points):
        if abs(y1 - y2) < 0.05:
            pending = f"H{num(x2)}"
            continue
        stub = min(_STUB, abs(x2 - x1) / 8) * (1 if x2 > x1 else -1)
        bend = (x2 - x1 - 2 * stub) * 0.56
        text += f"H{num(x1 + stub)}" if stub else ""
        text += f"C{num(x1 + stub + bend)} {num(y1)} {num(x2 - stub - bend)} {num(y2)} {num(x2 - stub)} {num(y2)}"
        pending = f"H{num(x2)}"
    return text + pending


def _group(link: Link, line: str, heads: str, label: str) -> str:
    style = f"arrow {link.manner}" + (" may" if link.may else "")
    ends = f"data-source={quoteattr(link.tail)} data-target={quoteattr(link.head)}"
    return (
        f'<g class="{style}" {ends} data-kind="{" ".join(link.kinds)}"><title>{escape(_tooltip(link))}</title>'
        f'<path class="hit" d="{line}"/><path class="line" d="{line}"/><path class="head" d="{heads}"/>{label}</g>'
    )


def _tooltip(link: Link) -> str:
    return "\n".join(
        f"{arrow.source} {'may ' if arrow.may else ''}{arrow.kind} {arrow.target}  {arrow.place}"
        for arrow in link.arrows
    )


def _sign(before: Point, after: Point) -> int:
    return 1 if after[0] >= before[0] else -1


def _head(tip: Point, way: int) -> str:
    x, y = tip
    return f"M{num(x)} {num(y)}l{num(-way * _HEAD)} -3.8v7.6z"


def _label(link: Link, points: Sequence[Point], way: int) -> str:
    """The text at the end of a line, on the side that the line does not come from."""
    text = label_of(link)
    if not text:
        return ""
    x, y = points[-1]
    before = next((height for _, height in reversed(points) if abs(height - y) > 0.05), y)
    drop = 12.5 if before < y else -5
    anchor = "end" if way > 0 else "start"
    return (
        f'<text class="label" x="{num(x - way * 11)}" y="{num(y + drop)}" text-anchor="{anchor}">{escape(text)}</text>'
    )
