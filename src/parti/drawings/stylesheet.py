"""The style sheet inside an SVG drawing: one set of colours for light pages, one for dark ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from parti.drawings.palette import LINES, LOOKS

FONT: Final = (
    "Inter,ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans',sans-serif"
)

# page, hairline, surface of a box, name, other text
_LIGHT: Final = ("#fbfcfe", "#e3e8f0", "#ffffff", "#17202e", "#5c6879")
_DARK: Final = ("#10151d", "#263040", "#19212d", "#eef2f8", "#98a5b8")

_FIXED: Final = (
    f".parti text{{font-family:{FONT}}}"
    ".parti .line{fill:none;stroke-width:1.6}"
    ".parti .event .line{stroke-dasharray:6 4}"
    ".parti .may .line{stroke-dasharray:.1 4.6;stroke-linecap:round;stroke-width:2}"
    ".parti .head{stroke:none}"
    ".parti .hit{fill:none;stroke:#000;stroke-opacity:0;stroke-width:12}"
    ".parti .shape{stroke-width:1.5;stroke-linejoin:round}"
    ".parti .detail{fill:none;stroke-width:1.2;stroke-opacity:.55}"
    ".parti .tint{stroke:none;fill-opacity:.055}"
    ".parti .badge{fill-opacity:.13}"
    ".parti .glyph{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}"
    ".parti .kind{font-size:9.5px;font-weight:700;letter-spacing:.09em}"
    ".parti .name{font-size:14px;font-weight:600}"
    ".parti .more{font-size:11px}"
    ".parti .label{font-size:10px;paint-order:stroke;stroke-width:4px;stroke-linejoin:round}"
    ".parti .title{font-size:22px;font-weight:700;letter-spacing:-.01em}"
    ".parti .tag{font-size:9.5px;font-weight:600}"
)


def stylesheet(kinds: Iterable[str]) -> str:
    """The rules for the kinds of part in use, for a drawing that stands alone."""
    kinds = list(kinds)
    return f"{_FIXED}{_light(kinds)}@media (prefers-color-scheme:dark){{{_dark(kinds)}}}"


def page_stylesheet() -> str:
    """The rules for every kind of part, for a page whose root says which scheme: ``data-theme="dark"``, or "light"."""
    return f"{_FIXED}{_light(LOOKS)}" + _dark(LOOKS).replace(".parti ", '[data-theme="dark"] .parti ')


def _light(kinds: Iterable[str]) -> str:
    return _scheme(_LIGHT, {kind: LOOKS[kind].light for kind in kinds}, {name: line[1] for name, line in LINES.items()})


def _dark(kinds: Iterable[str]) -> str:
    return _scheme(_DARK, {kind: LOOKS[kind].dark for kind in kinds}, {name: line[2] for name, line in LINES.items()})


def _scheme(base: tuple[str, ...], kinds: dict[str, str], lines: dict[str, str]) -> str:
    page, hairline, surface, name, text = base
    rules = [
        f".parti .page{{fill:{page};stroke:{hairline}}}",
        f".parti .rule{{stroke:{hairline}}}",
        f".parti .shape{{fill:{surface}}}",
        f".parti .name,.parti .title{{fill:{name}}}",
        f".parti .more,.parti .label,.parti .tag{{fill:{text}}}",
        f".parti .label{{stroke:{page}}}",
        f".parti .pin{{fill:{surface};stroke:{text};stroke-opacity:.45}}",
    ]
    for kind, colour in kinds.items():
        rules.append(f".parti .{kind} .shape,.parti .{kind} .detail,.parti .{kind} .glyph{{stroke:{colour}}}")
        rules.append(f".parti .{kind} .kind,.parti .{kind} .badge,.parti .{kind} .tint{{fill:{colour}}}")
    for manner, colour in lines.items():
        rules.append(f".parti .{manner} .line{{stroke:{colour}}}.parti .{manner} .head{{fill:{colour}}}")
    return "".join(rules)
