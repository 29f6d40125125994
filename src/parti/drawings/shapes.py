"""The outlines of the parts, and how far inside its frame an outline lies where a line meets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Final

_SLANT = 12.0  # how far the points of a hexagon and an arrow stick out
_BULGE = 9.0  # how far the ends of a tube are round
_LID = 6.0  # half the height of a drum's lid
_CUT = 10.0
_FOLD = 14.0


def num(value: float) -> str:
    """A number as short as it can be written, to a tenth of a pixel."""
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def outline(shape: str, x: float, y: float, width: float, height: float) -> str:
    """The path of a shape in the frame whose top left corner is (x, y)."""
    return _OUTLINES[shape](x, y, width, height)


def inset(shape: str, side: str, away: float, height: float) -> float:
    """How far inside the frame the outline lies on its ``left`` or ``right``, `away` pixels from the middle."""
    half = height / 2
    share = min(abs(away) / half, 1.0)
    match shape, side:
        case ("hexagon", _) | ("arrow", "right"):
            return _SLANT * share
        case ("flag", "left"):
            return _SLANT * (1 - share)
        case ("tube", _):
            return _BULGE * (1 - sqrt(1 - share * share))
        case ("pill", _) | ("chip", "left"):
            radius = min(half, 32.0)
            over = max(abs(away) - (half - radius), 0.0)
            return radius - sqrt(max(radius * radius - over * over, 0.0))
    return 0.0


def detail(shape: str, x: float, y: float, width: float, height: float) -> str:
    """A second line that some shapes have: a lid, an end, a fold. Empty for the others."""
    n = num
    match shape:
        case "drum":
            return f"M{n(x)} {n(y + _LID)}a{n(width / 2)} {n(_LID)} 0 0 0 {n(width)} 0"
        case "tube":
            top = x + width - _BULGE
            return f"M{n(top)} {n(y)}a{n(_BULGE)} {n(height / 2)} 0 0 0 0 {n(height)}"
        case "sheet":
            return f"M{n(x + width - _FOLD)} {n(y)}v{n(_FOLD)}h{n(_FOLD)}"
    return ""


def _rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
    return _round_left(x, y, width, height, radius, radius)


def _round_left(x: float, y: float, width: float, height: float, left: float, right: float) -> str:
    n, r, s = num, left, right
    return (
        f"M{n(x + r)} {n(y)}H{n(x + width - s)}a{n(s)} {n(s)} 0 0 1 {n(s)} {n(s)}V{n(y + height - s)}"
        f"a{n(s)} {n(s)} 0 0 1 {n(-s)} {n(s)}H{n(x + r)}a{n(r)} {n(r)} 0 0 1 {n(-r)} {n(-r)}V{n(y + r)}"
        f"a{n(r)} {n(r)} 0 0 1 {n(r)} {n(-r)}z"
    )


def _polygon(*points: tuple[float, float]) -> str:
    return "M" + "L".join(f"{num(x)} {num(y)}" for x, y in points) + "z"


def _cut(x: float, y: float, w: float, h: float) -> str:
    c, right, base = _CUT, x + w, y + h
    return _polygon(
        (x + c, y),
        (right - c, y),
        (right, y + c),
        (right, base - c),
        (right - c, base),
        (x + c, base),
        (x, base - c),
        (x, y + c),
    )


def _hexagon(x: float, y: float, w: float, h: float) -> str:
    s, middle = _SLANT, y + h / 2
    return _polygon((x + s, y), (x + w - s, y), (x + w, middle), (x + w - s, y + h), (x + s, y + h), (x, middle))


def _arrow(x: float, y: float, w: float, h: float) -> str:
    return _polygon((x, y), (x + w - _SLANT, y), (x + w, y + h / 2), (x + w - _SLANT, y + h), (x, y + h))


def _flag(x: float, y: float, w: float, h: float) -> str:
    return _polygon((x, y), (x + w, y), (x + w, y + h), (x, y + h), (x + _SLANT, y + h / 2))


def _sheet(x: float, y: float, w: float, h: float) -> str:
    return _polygon((x, y), (x + w - _FOLD, y), (x + w, y + _FOLD), (x + w, y + h), (x, y + h))


def _drum(x: float, y: float, w: float, h: float) -> str:
    n, lid = num, f"{num(w / 2)} {num(_LID)}"
    return f"M{n(x)} {n(y + _LID)}a{lid} 0 0 1 {n(w)} 0v{n(h - 2 * _LID)}a{lid} 0 0 1 {n(-w)} 0z"


def _tube(x: float, y: float, w: float, h: float) -> str:
    n, end = num, f"{num(_BULGE)} {num(h / 2)}"
    return (
        f"M{n(x + _BULGE)} {n(y)}h{n(w - 2 * _BULGE)}a{end} 0 0 1 0 {n(h)}h{n(2 * _BULGE - w)}a{end} 0 0 1 0 {n(-h)}z"
    )


_OUTLINES: Final[Mapping[str, Callable[[float, float, float, float], str]]] = {
    "card": lambda x, y, w, h: _rounded(x, y, w, h, 12),
    "plain": lambda x, y, w, h: _rounded(x, y, w, h, 3),
    "pill": lambda x, y, w, h: _rounded(x, y, w, h, min(h / 2, 32)),
    "chip": lambda x, y, w, h: _round_left(x, y, w, h, min(h / 2, 32), 8),
    "cut": _cut,
    "hexagon": _hexagon,
    "arrow": _arrow,
    "flag": _flag,
    "sheet": _sheet,
    "drum": _drum,
    "tube": _tube,
}
