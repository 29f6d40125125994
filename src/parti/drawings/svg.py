"""A design as an SVG picture that stands alone: light and dark, with tooltips, ids to animate, and a legend."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final
from xml.sax.saxutils import escape

from parti.design.graph import Design, Part
from parti.drawings.cards import card, frame
from parti.drawings.flow import Link, drawn_parts, kind_of, links
from parti.drawings.layout import Edge, Layout, Placed, Point, Route, lay_out
from parti.drawings.legend import entries, legend
from parti.drawings.letters import text_width
from parti.drawings.palette import LOOKS
from parti.drawings.shapes import inset, num
from parti.drawings.strokes import label_width, loop, stroke
from parti.drawings.stylesheet import stylesheet
from parti.units import duration_text

_MARGIN: Final = 32.0
_HEADER: Final = 98.0
_LEAST_WIDTH: Final = 560.0


def draw_svg(design: Design, *, styled: bool = True) -> str:
    """`design` as the text of an SVG file. Equal designs give equal bytes. A page that brings `page_stylesheet` leaves out
    the style with `styled=False`.

    Each part is a group with the id ``part-<name>``; each link a group with `data-source`, `data-target` (in the
    direction of the data) and `data-kind`, whose line has the class ``line``.
    """
    parts = drawn_parts(design)
    drawn = links(design)
    straight = [link for link in drawn if link.tail != link.head]
    layout = lay_out(
        [frame(part) for part in parts],
        [Edge(link.tail, link.head, label_width(link), 2.0 if link.manner == "event" else 1.0) for link in straight],
    )
    width = max(layout.width, _LEAST_WIDTH, text_width(design.name, 22))
    layout = _moved(layout, _MARGIN + (width - layout.width) / 2, _HEADER)
    kinds = {part.name: kind_of(part) for part in parts}
    groups = _groups(design)
    listed = entries(kinds.values(), drawn, grouped=bool(groups), opaque=bool(design.opaque))
    bottom = _HEADER + layout.height + (34 if parts else 0)
    key, key_height = legend(listed, _MARGIN, bottom + 24, width)
    total_width, total_height = width + 2 * _MARGIN, bottom + 24 + key_height + 28
    used = set(kinds.values())
    style = f"<style>{stylesheet(kind for kind in LOOKS if kind in used)}</style>\n" if styled else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="parti" viewBox="0 0 {num(total_width)} {num(total_height)}"'
        f' width="{num(total_width)}" height="{num(total_height)}" role="img">\n'
        f"<title>{escape(design.name)}</title>\n"
        f"{style}"
        f'<rect class="page" x=".5" y=".5" width="{num(total_width - 1)}" height="{num(total_height - 1)}" rx="16"/>\n'
        f"{_header(design, parts)}\n"
        f'<g class="arrows">\n{_arrows(drawn, layout, kinds)}</g>\n'
        f'<g class="parts">\n{_cards(design, parts, layout, groups)}</g>\n'
        f'<path class="rule" d="M{num(_MARGIN)} {num(bottom)}h{num(width)}"/>\n'
        f'<g class="legend">{key}</g>\n'
        "</svg>\n"
    )


def _moved(layout: Layout, x: float, y: float) -> Layout:
    boxes = {name: replace(box, x=box.x + x, y=box.y + y) for name, box in layout.boxes.items()}
    routes = tuple(
        Route(route.tail, route.head, tuple((a + x, b + y) for a, b in route.points)) for route in layout.routes
    )
    return replace(layout, boxes=boxes, routes=routes)


def _header(design: Design, parts: list[Part]) -> str:
    facts = [f"{len(parts)} part{'' if len(parts) == 1 else 's'}"]
    if design.slo:
        facts.append(f"99 % within {duration_text(design.slo.p99)}")
        facts.append(f"{design.slo.availability * 100:.6g} % available")
    return (
        f'<text class="title" x="{num(_MARGIN)}" y="48">{escape(design.name)}</text>'
        f'<text class="more" x="{num(_MARGIN)}" y="67">{" · ".join(facts)}</text>'
    )


def _groups(design: Design) -> dict[str, str]:
    """The group of each part that shares one with another."""
    sizes = Counter(design.groups.values())
    return {name: group for name, group in design.groups.items() if sizes[group] > 1}


def _cards(design: Design, parts: list[Part], layout: Layout, groups: dict[str, str]) -> str:
    doubts: dict[str, list[str]] = {}
    for spot in design.opaque:
        doubts.setdefault(spot.part, []).append(f"{spot.why} ({spot.place})")
    return "".join(
        card(
            part,
            layout.boxes[part.name],
            group=groups.get(part.name, ""),
            opaque="; ".join(doubts.get(part.name, [])),
        )
        + "\n"
        for part in parts
    )


def _arrows(drawn: list[Link], layout: Layout, kinds: dict[str, str]) -> str:
    routes = {(route.tail, route.head): route for route in layout.routes}
    lines = []
    for link in drawn:
        if link.tail == link.head:
            lines.append(loop(link, layout.boxes[link.tail]))
        else:
            lines.append(stroke(link, _on_outlines(routes[link.tail, link.head], layout, kinds)))
    return "".join(line + "\n" for line in lines)


def _on_outlines(route: Route, layout: Layout, kinds: dict[str, str]) -> list[Point]:
    """The points of a route with its ends moved from the frames of its boxes on to their outlines."""
    points = list(route.points)
    for index, name in ((0, route.tail), (-1, route.head)):
        points.insert(index if index == 0 else len(points), _touch(points[index], layout.boxes[name], kinds[name]))
    return points


def _touch(point: Point, box: Placed, kind: str) -> Point:
    x, y = point
    left = abs(x - box.x) < abs(x - box.x - box.width)
    depth = inset(LOOKS[kind].shape, "left" if left else "right", y - box.y - box.height / 2, box.height)
    return (x + depth if left else x - depth), y
