"""Where everything lies: boxes in columns from left to right, and for each edge the points it passes.

The layered method of Sugiyama, Tagawa and Toda, 1981: break cycles, assign columns, reduce crossings, align, route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from parti.drawings.alignment import align, slide
from parti.drawings.crossings import reduce_crossings
from parti.drawings.layers import Net, layered

Point = tuple[float, float]
HeightAt = Callable[[int, int], float]
"""The height at which the line from a node to a neighbour leaves it."""

_BOX_GAP: Final = 26.0  # between boxes of one column
_LINE_GAP: Final = 16.0  # between two lines that pass a column
_PORT_GAP: Final = 15.0  # between two lines at a box
_LABEL_GAP: Final = 30.0  # the same where one of them has a label
_PORT_EDGE: Final = 20.0  # from a box's corner to its first line
_EVEN_WIDTH: Final = 230.0  # boxes of one column are as wide as the widest, up to this
_COLUMN_GAP: Final = 50.0
_COLUMN_GAP_MAX: Final = 130.0
_PART_GAP: Final = 44.0  # between unconnected parts of the graph
_SHELF: Final = 1120.0  # unconnected parts are set side by side up to this width


@dataclass(frozen=True, slots=True)
class Box:
    """A box to place: its least width and height."""

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge to route. `label` is the width of the text along its end, 0 for none; a heavy one is kept straighter."""

    tail: str
    head: str
    label: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A box in its place: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge from its tail to its head.

    Between two points of one height it is a straight line, between others a curve that is level at both of them.
    """

    tail: str
    head: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes and routes within 0 … width and 0 … height. Routes are in the order of the edges given."""

    boxes: dict[str, Placed]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(boxes: Sequence[Box], edges: Sequence[Edge]) -> Layout:
    """Place `boxes` and route `edges` (no loops, one per pair). Boxes grow where many edges meet."""
    placed: dict[str, Placed] = {}
    routes: dict[tuple[str, str], Route] = {}
    x = y = width = shelf = 0.0
    for group in _components(boxes, edges):
        names = {box.name for box in group}
        inside = _connected(group, [edge for edge in edges if edge.tail in names])
        if x and x + inside.width > max(width, _SHELF):
            x, y, shelf = 0.0, y + shelf + _PART_GAP, 0.0
        for name, box in inside.boxes.items():
            placed[name] = Placed(box.x + x, box.y + y, box.width, box.height)
        for route in inside.routes:
            points = tuple((a + x, b + y) for a, b in route.points)
            routes[route.tail, route.head] = Route(route.tail, route.head, points)
        width, shelf = max(width, x + inside.width), max(shelf, inside.height)
        x += inside.width + _PART_GAP
    ordered = {box.name: placed[box.name] for box in boxes}
    return Layout(ordered, tuple(routes[edge.tail, edge.head] for edge in edges), width, y + shelf)


def _components(boxes: Sequence[Box], edges: Iterable[Edge]) -> list[list[Box]]:
    """The connected parts, by their first box; boxes without edges last."""
    near: dict[str, list[str]] = {box.name: [] for box in boxes}
    for edge in edges:
        near[edge.tail].append(edge.head)
        near[edge.head].append(edge.tail)
    leader: dict[str, str] = {}
    for box in boxes:
        waiting = [box.name] if box.name not in leader else []
        while waiting:
            name = waiting.pop()
            if name not in leader:
                leader[name] = box.name
                waiting.extend(near[name])
    groups: dict[str, list[Box]] = {}
    for box in boxes:
        groups.setdefault(leader[box.name], []).append(box)
    return sorted(groups.values(), key=lambda group: len(group) == 1)


def _connected(boxes: Sequence[Box], edges: Sequence[Edge]) -> Layout:
    number = {box.name: index for index, box in enumerate(boxes)}
    net = layered(len(boxes), [(number[edge.tail], number[edge.head]) for edge in edges])
    reduce_crossings(net)
    labelled = {pair for edge, chain in zip(edges, net.chains, strict=True) for pair in _labelled(edge, chain, number)}
    ports = _ports(net, labelled)
    tall = _tall(boxes, net, ports)
    centre = _centres(net, tall, ports, edges)

    def height_at(node: int, other: int) -> float:
        return centre[node] + ports.get((node, other), 0.0)

    left, widths = _columns(boxes, net, edges, height_at)
    placed = {}
    for column, layer in enumerate(net.layers):
        for node in layer:
            if node < net.real:
                width = max(boxes[node].width, min(widths[column], _EVEN_WIDTH))
                top = centre[node] - tall[node] / 2
                placed[boxes[node].name] = Placed(left[column], top, width, tall[node])
    column_of = _column_of(net)
    routes = []
    for edge, chain in zip(edges, net.chains, strict=True):
        columns = [(left[column_of[node]], left[column_of[node]] + widths[column_of[node]]) for node in chain]
        points = _points(chain, columns, height_at)
        first = placed[boxes[chain[0]].name]
        points.insert(0, (first.x + first.width, points[0][1]))
        if chain[0] != number[edge.tail]:
            points.reverse()
        routes.append(Route(edge.tail, edge.head, tuple(dict.fromkeys(points))))
    height = max(middle + tall[node] / 2 for node, middle in enumerate(centre))
    right = max(box.x + box.width for box in placed.values())
    return Layout(placed, tuple(routes), right, height)


def _labelled(edge: Edge, chain: list[int], number: dict[str, int]) -> list[tuple[int, int]]:
    """The end of an edge at which its label lies, as (box, neighbour)."""
    if not edge.label:
        return []
    return [(chain[-1], chain[-2]) if chain[-1] == number[edge.head] else (chain[0], chain[1])]


def _centres(
    net: Net, tall: Sequence[float], ports: dict[tuple[int, int], float], edges: Sequence[Edge]
) -> list[float]:
    """The middle of each node; the topmost box begins at 0."""
    weights: dict[tuple[int, int], float] = {}
    for edge, chain in zip(edges, net.chains, strict=True):
        for before, after in pairwise(chain):
            heavy = edge.weight * (1 if len(chain) == 2 else 2)
            weights[before, after] = weights[after, before] = heavy

    def gap(upper: int, lower: int) -> float:
        lines = (upper >= net.real) + (lower >= net.real)
        return (tall[upper] + tall[lower]) / 2 + (_BOX_GAP, _LINE_GAP + 6, _LINE_GAP)[lines]

    def rise(node: int, other: int) -> float:
        return ports.get((other, node), 0.0) - ports.get((node, other), 0.0)

    centre = align(net, gap)
    slide(net, centre, gap, rise, lambda node, other: weights[node, other])
    top = min(middle - tall[node] / 2 for node, middle in enumerate(centre))
    return [middle - top for middle in centre]


def _ports(net: Net, labelled: set[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """How far from the centre of a box its line to a neighbour starts, in the neighbours' order."""
    position = net.positions()
    found: dict[tuple[int, int], float] = {}
    for node in range(net.real):
        for near in (net.left[node], net.right[node]):
            ordered = sorted(near, key=position.__getitem__)
            at, heights = 0.0, []
            for index, other in enumerate(ordered):
                if index:
                    wide = (node, other) in labelled or (node, ordered[index - 1]) in labelled
                    at += _LABEL_GAP if wide else _PORT_GAP
                heights.append(at)
            found.update({(node, other): height - at / 2 for other, height in zip(ordered, heights, strict=True)})
    return found


def _tall(boxes: Sequence[Box], net: Net, ports: dict[tuple[int, int], float]) -> list[float]:
    """The height of each node: enough for its lines; 0 for a bend."""
    heights = [0.0] * len(net.left)
    for node, box in enumerate(boxes):
        reach = max((ports[node, other] for other in (*net.left[node], *net.right[node])), default=0.0)
        heights[node] = max(box.height, 2 * (_PORT_EDGE + reach))
    return heights


def _columns(
    boxes: Sequence[Box], net: Net, edges: Sequence[Edge], height_at: HeightAt
) -> tuple[list[float], list[float]]:
    """The left side and the width of each column. Steep lines and labels get wider gaps."""
    column_of = _column_of(net)
    gaps = [_COLUMN_GAP] * len(net.layers)
    for node, others in enumerate(net.right):
        for other in others:
            steep = abs(height_at(node, other) - height_at(other, node))
            wanted = min(_COLUMN_GAP + 0.14 * steep, _COLUMN_GAP_MAX)
            gaps[column_of[node]] = max(gaps[column_of[node]], wanted)
    number = {box.name: index for index, box in enumerate(boxes)}
    for edge, chain in zip(edges, net.chains, strict=True):
        for end, other in _labelled(edge, chain, number):
            column = min(column_of[end], column_of[other])
            gaps[column] = max(gaps[column], edge.label + 28)
    widths = [max((boxes[node].width for node in layer if node < net.real), default=0.0) for layer in net.layers]
    left, x = [], 0.0
    for width, room in zip(widths, gaps, strict=True):
        left.append(x)
        x += width + room
    return left, widths


def _column_of(net: Net) -> dict[int, int]:
    return {node: column for column, layer in enumerate(net.layers) for node in layer}


def _points(chain: list[int], columns: list[tuple[float, float]], height_at: HeightAt) -> list[Point]:
    """The points of one edge, from its left end to its right end; `columns` holds the sides of each node's column."""
    points: list[Point] = []
    for index, (left, right) in enumerate(columns):
        if index:
            points.append((left, height_at(chain[index], chain[index - 1])))
        if index < len(chain) - 1:
            points.append((right, height_at(chain[index], chain[index + 1])))
    return points
