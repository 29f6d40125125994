"""What every layout keeps to: nothing overlaps, lines meet their boxes, no line crosses a box."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations, pairwise

from designs import lending, random_design, retail
from hypothesis import given, settings
from hypothesis import strategies as st

from parti.design.graph import Design
from parti.drawings.cards import frame
from parti.drawings.crossings import crossings, reduce_crossings
from parti.drawings.flow import drawn_parts, links
from parti.drawings.layers import layered
from parti.drawings.layout import Box, Edge, Layout, Placed, lay_out
from parti.drawings.strokes import label_width
from parti.drawings.svg import draw_svg

NEAR = 1e-6


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], list[Edge]]:
    """Up to 24 boxes of many sizes with edges any way round, cycles and loose ends included."""
    count = draw(st.integers(1, 24))
    sizes = st.tuples(st.sampled_from([128.0, 170.0, 260.0, 500.0]), st.sampled_from([64.0, 74.0]))
    boxes = [Box(f"n{index}", *draw(sizes)) for index in range(count)]
    pairs = draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=2 * count))
    seen: set[frozenset[int]] = set()
    edges = []
    for tail, head in sorted(pairs):
        if tail != head and frozenset((tail, head)) not in seen:
            seen.add(frozenset((tail, head)))
            label = draw(st.sampled_from([0.0, 0.0, 70.0]))
            edges.append(Edge(f"n{tail}", f"n{head}", label, draw(st.sampled_from([1.0, 2.0]))))
    return boxes, edges


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_boxes_do_not_overlap_and_lie_within_the_picture(graph: tuple[list[Box], list[Edge]]) -> None:
    layout = lay_out(*graph)
    for one, other in combinations(layout.boxes.values(), 2):
        assert not overlap(one, other.x, other.y, other.x + other.width, other.y + other.height)
    for box in layout.boxes.values():
        assert -NEAR <= box.x <= box.x + box.width <= layout.width + NEAR
        assert -NEAR <= box.y <= box.y + box.height <= layout.height + NEAR


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_every_line_starts_and_ends_on_the_borders_of_its_boxes(graph: tuple[list[Box], list[Edge]]) -> None:
    layout = lay_out(*graph)
    assert [(route.tail, route.head) for route in layout.routes] == [(edge.tail, edge.head) for edge in graph[1]]
    for route in layout.routes:
        for name, (x, y) in ((route.tail, route.points[0]), (route.head, route.points[-1])):
            box = layout.boxes[name]
            assert min(abs(x - box.x), abs(x - box.x - box.width)) < NEAR
            assert box.y + 10 < y < box.y + box.height - 10


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_no_line_crosses_a_box(graph: tuple[list[Box], list[Edge]]) -> None:
    assert_free(lay_out(*graph))


def test_no_line_of_a_big_design_crosses_a_box() -> None:
    design = random_design(3, 120)
    straight = [link for link in links(design) if link.tail != link.head]
    boxes = [frame(part) for part in drawn_parts(design)]
    assert_free(lay_out(boxes, [Edge(link.tail, link.head, label_width(link)) for link in straight]))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_reordering_columns_never_adds_crossings(graph: tuple[list[Box], list[Edge]]) -> None:
    boxes, edges = graph
    number = {box.name: index for index, box in enumerate(boxes)}
    net = layered(len(boxes), [(number[edge.tail], number[edge.head]) for edge in edges])
    before = crossings(net)
    reduce_crossings(net)
    assert crossings(net) <= before


def test_a_shop_is_drawn_with_at_most_one_crossing_and_a_lending_desk_with_none() -> None:
    assert crossings_of(lending()) == 0
    assert crossings_of(retail()) <= 1


def test_a_chain_is_one_straight_line_also_past_a_shortcut() -> None:
    boxes = [Box(name, 128, 64) for name in "abcd"]
    layout = lay_out(boxes, [Edge("a", "b", weight=2), Edge("b", "c", weight=2), Edge("c", "d", weight=2)])
    assert {box.y for box in layout.boxes.values()} == {0.0}
    layout = lay_out(boxes, [Edge("a", "b"), Edge("b", "c"), Edge("c", "d"), Edge("a", "d")])
    inner = layout.routes[-1].points[1:-1]
    assert len({y for _, y in inner}) == 1


def test_data_flows_from_left_to_right_and_only_the_edge_that_closes_a_cycle_runs_back() -> None:
    boxes = [Box(name, 128, 64) for name in "sabc"]
    edges = [Edge("s", "a"), Edge("a", "b"), Edge("b", "c"), Edge("c", "a")]
    layout = lay_out(boxes, edges)
    back = [(route.tail, route.head) for route in layout.routes if route.points[0][0] > route.points[-1][0]]
    assert back == [("c", "a")]


def test_a_part_added_at_the_end_without_arrows_moves_nothing_else() -> None:
    design = lending()
    lonely = replace(random_design(1, 1).parts[0], name="lonely")
    more = replace(design, parts=(*design.parts, lonely))
    layouts = [
        lay_out([frame(part) for part in one.parts], [Edge(link.tail, link.head) for link in links(one)])
        for one in (design, more)
    ]
    assert layouts[0].boxes.items() <= layouts[1].boxes.items()


def test_two_hundred_parts_are_drawn_in_well_under_a_second() -> None:
    design = random_design(1, 200, 1.2)
    start = time.process_time()
    draw_svg(design)
    assert time.process_time() - start < 1.0


def crossings_of(design: Design) -> int:
    number = {part.name: index for index, part in enumerate(design.parts)}
    net = layered(len(number), [(number[link.tail], number[link.head]) for link in links(design)])
    reduce_crossings(net)
    return crossings(net)


def assert_free(layout: Layout) -> None:
    """No piece of a line, nor the frame around a bent piece, lies inside any box."""
    for route in layout.routes:
        for (x1, y1), (x2, y2) in pairwise(route.points):
            for name, box in layout.boxes.items():
                frame_of = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
                assert not overlap(box, *frame_of), f"{route.tail} → {route.head} crosses {name}"


def overlap(box: Placed, left: float, top: float, right: float, base: float) -> bool:
    across = left < box.x + box.width - NEAR and right > box.x + NEAR
    return across and top < box.y + box.height - NEAR and base > box.y + NEAR
