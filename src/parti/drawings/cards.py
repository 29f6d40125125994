"""One part as SVG: its outline, glyph, kind, name and subtitle, in a frame that fits them."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from parti.design.graph import Part
from parti.drawings.flow import kind_of
from parti.drawings.layout import Box, Placed
from parti.drawings.letters import shortened, text_width
from parti.drawings.palette import LOOKS
from parti.drawings.shapes import detail, num, outline
from parti.drawings.subtitle import subtitle

HEIGHT: Final = 64.0
_BADGE: Final = 28.0
_PAD: Final = 13.0
_LID: Final = 10.0  # the room that a drum's lid takes
_LEAST: Final = 128.0
_LONGEST: Final = 64  # letters of a name; a longer one is shortened, and whole in the tooltip
_LEAD: Final = {"flag": 13.0, "hexagon": 7.0, "tube": 4.0, "pill": 6.0, "chip": 4.0}
_TRAIL: Final = {"arrow": 8.0, "hexagon": 8.0, "tube": 16.0, "pill": 8.0}


def frame(part: Part) -> Box:
    """The least frame that holds the texts of `part`."""
    shape = LOOKS[kind_of(part)].shape
    kind, name, more = _texts(part)
    text = max(
        text_width(kind, 9.5) + len(kind) * 0.86,
        text_width(name, 14),
        text_width(more, 11, weight=0.92),
    )
    width = _lead(shape) + _BADGE + 10 + text + _PAD + _TRAIL.get(shape, 0)
    return Box(part.name, max(round(width), _LEAST), HEIGHT + (_LID if shape == "drum" else 0))


def card(part: Part, at: Placed, *, group: str = "", opaque: str = "") -> str:
    """The SVG of `part`. `group` names its group of writers; `opaque` says what of it could not be read."""
    kind = kind_of(part)
    look = LOOKS[kind]
    path = outline(look.shape, at.x, at.y, at.width, at.height)
    line = detail(look.shape, at.x, at.y, at.width, at.height)
    left, middle = at.x + _lead(look.shape), at.y + at.height / 2 + (_LID / 2 if look.shape == "drum" else 0)
    text = left + _BADGE + 10
    words = "".join(
        f'<text class="{style}" x="{num(text)}" y="{num(middle + drop)}"{_fitted(content, style)}>{escape(content)}</text>'
        for style, content, drop in zip(("kind", "name", "more"), _texts(part), (-13, 4.5, 20), strict=True)
    )
    pins = (_pin(f"group {shortened(group, 16)}", at) if group else "") + (_doubt(at) if opaque else "")
    return (
        f'<g id={quoteattr("part-" + part.name)} class="part {kind}" data-part={quoteattr(part.name)}>'
        f"<title>{escape(_tooltip(part, group, opaque))}</title>"
        f'<path class="shape" d="{path}"/><path class="tint" d="{path}"/>'
        + (f'<path class="detail" d="{line}"/>' if line else "")
        + badge(kind, left, middle - _BADGE / 2, _BADGE)
        + f"{words}{pins}</g>"
    )


def badge(kind: str, x: float, y: float, side: float) -> str:
    """The glyph of a kind on a tinted square."""
    scale = side / _BADGE
    inner = f"translate({num(x + 6 * scale)} {num(y + 6 * scale)})" + (f" scale({scale:.2f})" if scale != 1 else "")
    return (
        f'<rect class="badge" x="{num(x)}" y="{num(y)}" width="{num(side)}" height="{num(side)}" rx="{num(side / 4)}"/>'
        f'<path class="glyph" transform="{inner}" d="{LOOKS[kind].glyph}"/>'
    )


def _lead(shape: str) -> float:
    return _PAD + _LEAD.get(shape, 0.0)


def _texts(part: Part) -> tuple[str, str, str]:
    return kind_of(part).upper(), shortened(part.name, _LONGEST), shortened(subtitle(part), 46)


def _fitted(content: str, style: str) -> str:
    """Long names are held to their width, should the reader's font be wider than the one that was measured."""
    if style != "name" or len(content) <= 26:
        return ""
    return f' textLength="{num(text_width(content, 14) * 0.97)}" lengthAdjust="spacingAndGlyphs"'


def _tooltip(part: Part, group: str, opaque: str) -> str:
    lines = [f"{kind_of(part)} {part.name}", subtitle(part), str(part.place)]
    lines += [part.about] if part.about else []
    lines += [f"group {group}: one writer per key"] if group else []
    lines += [f"could not be read: {opaque}"] if opaque else []
    return "\n".join(lines)


def _pin(text: str, at: Placed) -> str:
    """A small tag on the upper border, at its right end."""
    width = round(text_width(text, 9.5)) + 14
    x = at.x + at.width - width - 12
    return (
        f'<rect class="pin" x="{num(x)}" y="{num(at.y - 10)}" width="{width}" height="16" rx="8"/>'
        f'<text class="tag" x="{num(x + width / 2)}" y="{num(at.y + 1.4)}" text-anchor="middle">{escape(text)}</text>'
    )


def _doubt(at: Placed) -> str:
    x, y = at.x + at.width - 16, at.y + at.height
    return (
        f'<circle class="pin" cx="{num(x)}" cy="{num(y)}" r="8"/>'
        f'<text class="tag" x="{num(x)}" y="{num(y + 3.4)}" text-anchor="middle">?</text>'
    )
