"""Heights in a layered graph: long edges straight, boxes beside what they belong to, nothing overlapping.

After Brandes and Köpf, "Fast and simple horizontal coordinate assignment", 2001, turned by 90 degrees: four
extreme alignments, of which the middle is taken. Then each box slides to where its edges bend least.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from parti.drawings.layers import Net

Gap = Callable[[int, int], float]
"""The least distance between the centres of two nodes, one directly below the other."""

Rise = Callable[[int, int], float]

_SLIDES = 12
_LEVEL = 0.01
_FAR = 1e9


def align(net: Net, gap: Gap) -> list[float]:
    """The centre of each node, in the net's own order from top to bottom; the least is not always 0."""
    conflicts = _conflicts(net)
    candidates = []
    for rightwards in (True, False):
        for downwards in (True, False):
            layers = [layer if downwards else layer[::-1] for layer in net.layers]
            near = net.left if rightwards else net.right
            root = _blocks(layers if rightwards else layers[::-1], near, conflicts)
            heights = _compact(layers, root, gap if downwards else _swapped(gap))
            candidates.append(heights if downwards else [-height for height in heights])
    if not net.left:
        return []
    spans = [(max(heights) - min(heights), index) for index, heights in enumerate(candidates)]
    narrow = candidates[min(spans)[1]]
    for index, heights in enumerate(candidates):
        end = min if index % 2 == 0 else max
        shift = end(narrow) - end(heights)
        candidates[index] = [height + shift for height in heights]
    return [sum(sorted(values)[1:3]) / 2 for values in zip(*candidates, strict=True)]


def _swapped(gap: Gap) -> Gap:
    return lambda upper, lower: gap(lower, upper)


def _conflicts(net: Net) -> set[tuple[int, int]]:
    """Pieces that cross a piece between two bends, which has the right to be straight."""
    position = net.positions()
    found: set[tuple[int, int]] = set()
    for layer in net.layers[1:]:
        inner = [(position[n], position[net.left[n][0]]) for n in layer if _is_inner(net, n)]
        for node in layer:
            mine = _is_inner(net, node)
            for other in net.left[node]:
                # Of two crossing inner pieces the upper one gives way.
                if any(
                    (position[node] - a) * (position[other] - b) < 0 and (not mine or position[node] < a)
                    for a, b in inner
                ):
                    found.add((other, node))
    return found


def _is_inner(net: Net, node: int) -> bool:
    return node >= net.real and net.left[node][0] >= net.real


def _blocks(layers: Sequence[list[int]], near: list[list[int]], conflicts: set[tuple[int, int]]) -> list[int]:
    """The block of each node, named by its first member: each node joins its median neighbour where that is free."""
    position = {node: index for layer in layers for index, node in enumerate(layer)}
    root = list(range(len(near)))
    for layer in layers:
        limit = -1
        for node in layer:
            others = sorted(near[node], key=position.__getitem__)
            middle = len(others) - 1
            for other in others[middle // 2 : middle // 2 + 1 + middle % 2]:
                free = (other, node) not in conflicts and (node, other) not in conflicts
                if root[node] == node and free and limit < position[other]:
                    root[node] = root[other]
                    limit = position[other]
    return root


def _compact(layers: Sequence[list[int]], root: list[int], gap: Gap) -> list[float]:
    """The least height of each node such that blocks are straight and keep their distance, then slack taken out."""
    above: dict[int, dict[int, float]] = {block: {} for block in root}
    below: dict[int, dict[int, float]] = {block: {} for block in root}
    for layer in layers:
        for upper, lower in pairwise(layer):
            a, b = root[upper], root[lower]
            least = max(gap(upper, lower), above[b].get(a, 0.0))
            above[b][a] = below[a][b] = least
    order = _topological(above, below)
    height: dict[int, float] = {}
    for block in order:
        height[block] = max((height[other] + least for other, least in above[block].items()), default=0.0)
    for block in reversed(order):
        if below[block]:
            room = min(height[other] - least for other, least in below[block].items())
            height[block] = max(height[block], room)
    return [height[block] for block in root]


def _topological(above: Mapping[int, Mapping[int, float]], below: Mapping[int, Mapping[int, float]]) -> list[int]:
    missing = {block: len(others) for block, others in above.items()}
    order = [block for block, count in missing.items() if not count]
    for block in order:
        for other in below[block]:
            missing[other] -= 1
            if not missing[other]:
                order.append(other)
    return order


def slide(net: Net, heights: list[float], gap: Gap, rise: Rise, weight: Rise) -> None:
    """Move boxes and straight runs, in place, within the room they have, to where their edges bend least.

    First each alone, then all that straight edges hold together as one. `rise(node, other)` is how much lower the
    edge to `other` ends there than it starts here when both centres are level; `weight` says how much its bend counts.
    """
    above, below = _neighbours(net)
    for turn in range(_SLIDES):
        units = _runs(net, heights)
        if turn % 2:
            units = _held_together(net, heights, units, rise)
        unit_of = {node: index for index, unit in enumerate(units) for node in unit}
        for unit in units if turn % 4 < 2 else reversed(units):
            index = unit_of[unit[0]]
            wanted = [
                (heights[other] - heights[node] + rise(node, other), weight(node, other))
                for node in unit
                for other in (*net.left[node], *net.right[node])
                if unit_of[other] != index
            ]
            up = [heights[above[n]] + gap(above[n], n) - heights[n] for n in unit if _outside(above, n, unit_of)]
            down = [heights[below[n]] - gap(n, below[n]) - heights[n] for n in unit if _outside(below, n, unit_of)]
            shift = min(max(_median(wanted), *up, -_FAR), *down, _FAR)
            for node in unit:
                heights[node] += shift


def _outside(beside: dict[int, int], node: int, unit_of: dict[int, int]) -> bool:
    return node in beside and unit_of[beside[node]] != unit_of[node]


def _held_together(net: Net, heights: list[float], runs: list[list[int]], rise: Rise) -> list[list[int]]:
    """The runs joined along the edges that are straight."""
    run_of = {node: index for index, run in enumerate(runs) for node in run}
    seen: set[int] = set()
    units = []
    for start in range(len(runs)):
        waiting, unit = [start], []
        while waiting:
            index = waiting.pop()
            if index in seen:
                continue
            seen.add(index)
            unit += runs[index]
            for node in runs[index]:
                for other in (*net.left[node], *net.right[node]):
                    if abs(heights[other] - heights[node] + rise(node, other)) < _LEVEL:
                        waiting.append(run_of[other])
        units += [unit] if unit else []
    return units


def _runs(net: Net, heights: list[float]) -> list[list[int]]:
    """Each box alone, and the bends of each long edge as far as they lie on one line."""
    runs = [[node] for node in range(net.real)]
    for chain in net.chains:
        previous = None
        for node in chain[1:-1]:
            if previous is not None and abs(heights[node] - heights[previous]) < _LEVEL:
                runs[-1].append(node)
            else:
                runs.append([node])
            previous = node
    return runs


def _neighbours(net: Net) -> tuple[dict[int, int], dict[int, int]]:
    above, below = {}, {}
    for layer in net.layers:
        for upper, lower in pairwise(layer):
            above[lower], below[upper] = upper, lower
    return above, below


def _median(wanted: list[tuple[float, float]]) -> float:
    """The shift nearest to 0 at which the weighted sum of distances to the wanted shifts is least."""
    wanted = sorted(wanted)
    half = sum(weight for _, weight in wanted) / 2
    passed = 0.0
    for index, (shift, weight) in enumerate(wanted):
        passed += weight
        if passed > half:
            return shift
        if passed == half:
            return min(max(0.0, shift), wanted[index + 1][0])
    return 0.0
