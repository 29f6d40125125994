"""A front as an SVG picture: what plans cost against how long they take, with the one that was chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from parti.drawings.shapes import num
from parti.units import HOURS_A_MONTH, duration_text

WIDTH: Final = 720.0
HEIGHT: Final = 420.0
LEFT: Final = 84.0
RIGHT: Final = 32.0
TOP: Final = 56.0
BOTTOM: Final = 64.0
TICKS: Final = 5

Point = tuple[float, float, float]
"""USD per hour, p99 in seconds, and quality (0 to 1)."""

_STYLE: Final = """
svg{--ink:#1c2733;--soft:#5a6b80;--line:#d5dde6;--paper:#fff;--plan:#2466d8;--chosen:#cf5a1c;--promise:#2f8a4c}
@media (prefers-color-scheme:dark){svg{--ink:#e6edf5;--soft:#a5b4c8;--line:#334155;--paper:#0f172a;--plan:#74a9ff;--chosen:#ff9a62;--promise:#5cc98a}}
text{font:13px system-ui,sans-serif;fill:var(--soft)} .title{font-size:17px;font-weight:600;fill:var(--ink)}
.axis{stroke:var(--line)} .stairs{fill:none;stroke:var(--plan);stroke-width:1.5;opacity:.45} .plan{fill:var(--plan)}
.chosen{fill:none;stroke:var(--chosen);stroke-width:3} .name{fill:var(--chosen);font-weight:600}
.promise{stroke:var(--promise);stroke-dasharray:5 4} .said{fill:var(--promise)}
"""


def draw_front(points: Sequence[Point], chosen: tuple[float, float], promised: float) -> str:
    """The picture of a front, as the text of an SVG file. `chosen` is (USD per hour, p99); `promised` a p99 in seconds.

    Costs are shown a month; both axes are logarithmic where values differ by more than ten times. Infinite values are left out.
    """
    shown = [point for point in points if math.isfinite(point[1])]
    drawn = chosen if math.isfinite(chosen[1]) else None
    xs = _Axis(
        [point[0] * HOURS_A_MONTH for point in shown] + ([drawn[0] * HOURS_A_MONTH] if drawn else []),
        LEFT,
        WIDTH - RIGHT,
    )
    ys = _Axis([point[1] for point in shown] + [promised] + ([drawn[1]] if drawn else []), HEIGHT - BOTTOM, TOP)
    body = [
        f'<rect width="{num(WIDTH)}" height="{num(HEIGHT)}" fill="var(--paper)"/>',
        f'<text class="title" x="{num(LEFT)}" y="30">What a lower p99 costs</text>',
        *_grid(xs, ys),
        *_promise(ys, promised),
        *_plans(shown, xs, ys),
        *(_chosen(drawn, xs, ys) if drawn else ()),
    ]
    size = f'viewBox="0 0 {num(WIDTH)} {num(HEIGHT)}" width="{num(WIDTH)}" height="{num(HEIGHT)}"'
    title = "<title>Cost a month against p99, of the plans that no other beats</title>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{_STYLE}</style>{title}{"".join(body)}</svg>\n'


class _Axis:
    """Values on a line from `start` to `end` (pixels)."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        known = [value for value in values if value > 0] or [1.0]
        low, high = min(known), max(known)
        self._log = high > 10 * low
        if self._log:
            self.low, self.high = low / 1.15, high * 1.15
        else:
            room = 0.08 * (high - low) or 0.5 * high
            self.low, self.high = max(0.0, low - room), high + room
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        """Where a value lies."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self._log:
            low, high, here = math.log(low), math.log(high), math.log(here)
        return self._start + (self._end - self._start) * (here - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round values to write beside it."""
        if self._log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            known = [first * 10.0**power for power in powers for first in (1, 2, 5)]
        else:
            step = _round_step((self.high - self.low) / TICKS)
            known = [step * number for number in range(math.floor(self.high / step) + 1)]
        return [value for value in known if self.low <= value <= self.high]


def _round_step(least: float) -> float:
    """The least step of 1, 2 or 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(first * power for first in (1, 2, 5, 10) if first * power >= least * (1 - 1e-9))


def _grid(xs: _Axis, ys: _Axis) -> list[str]:
    found = []
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in xs.ticks():
        x = num(xs.at(value))
        found.append(f'<line class="axis" x1="{x}" y1="{num(TOP)}" x2="{x}" y2="{num(bottom)}"/>')
        found.append(f'<text x="{x}" y="{num(bottom + 22)}" text-anchor="middle">${value:,.4g}</text>')
    for value in ys.ticks():
        y = num(ys.at(value))
        found.append(f'<line class="axis" x1="{num(LEFT)}" y1="{y}" x2="{num(right)}" y2="{y}"/>')
        label = duration_text(value) if value > 0 else "0"
        found.append(f'<text x="{num(LEFT - 10)}" y="{num(ys.at(value) + 4)}" text-anchor="end">{label}</text>')
    found.append(f'<text x="{num((LEFT + right) / 2)}" y="{num(HEIGHT - 14)}" text-anchor="middle">USD a month</text>')
    found.append(f'<text x="{num(LEFT - 10)}" y="{num(TOP - 14)}" text-anchor="end">p99</text>')
    return found


def _promise(ys: _Axis, promised: float) -> list[str]:
    y = ys.at(promised)
    return [
        f'<line class="promise" x1="{num(LEFT)}" y1="{num(y)}" x2="{num(WIDTH - RIGHT)}" y2="{num(y)}"/>',
        f'<text class="said" x="{num(WIDTH - RIGHT)}" y="{num(y - 6)}" text-anchor="end">promised</text>',
    ]


def _plans(points: Sequence[Point], xs: _Axis, ys: _Axis) -> list[str]:
    """A dot for each plan, and stairs along those that no other of at least their quality beats."""
    places = [(xs.at(cost * HOURS_A_MONTH), ys.at(p99)) for cost, p99, _ in sorted(points)]
    steps = "".join(f"H{num(x)}V{num(y)}" for x, y in places[1:])
    stairs = [f'<path class="stairs" d="M{num(places[0][0])} {num(places[0][1])}{steps}"/>'] if len(places) > 1 else []
    same = len({quality for *_, quality in points}) < 2
    dots = [
        f'<circle class="plan" cx="{num(xs.at(cost * HOURS_A_MONTH))}" cy="{num(ys.at(p99))}" r="4">'
        f"<title>${cost * HOURS_A_MONTH:,.2f} a month, p99 {duration_text(p99)}, quality {quality:.3g}</title></circle>"
        for cost, p99, quality in points
    ]
    return (stairs if same else []) + dots


def _chosen(chosen: tuple[float, float], xs: _Axis, ys: _Axis) -> list[str]:
    x, y = xs.at(chosen[0] * HOURS_A_MONTH), ys.at(chosen[1])
    right = x > WIDTH / 2
    at, anchor = (x - 14, "end") if right else (x + 14, "start")
    return [
        f'<circle class="chosen" cx="{num(x)}" cy="{num(y)}" r="9"/>',
        f'<text class="name" x="{num(at)}" y="{num(y - 10)}" text-anchor="{anchor}">the plan</text>',
    ]
