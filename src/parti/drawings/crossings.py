"""Fewer crossings: the order of the nodes within each column, by barycentre sweeps and swaps of neighbours."""

from __future__ import annotations

from bisect import bisect_right, insort

from parti.drawings.layers import Net, walk

_SWEEPS = 12
_SWAPS = 6


def reduce_crossings(net: Net) -> None:
    """Reorder `net.layers` in place. Of equally good orders the first found wins, so equal nets come out equal."""
    best, least = _copy(net.layers), _cost(net)
    for start in _starts(net):
        net.layers[:] = _copy(start)
        for sweep in range(_SWEEPS):
            _sweep(net, rightwards=sweep % 2 == 0, late=sweep % 4 > 1)
            if sweep % 3 == 2:
                _swap(net)
            cost = _cost(net)
            if cost < least:
                best, least = _copy(net.layers), cost
    net.layers[:] = best
    _swap(net)


def _starts(net: Net) -> list[list[list[int]]]:
    """Orders to begin with: what belongs together close together, seen from either side, and as declared."""
    walks = [range(len(net.left)), walk(net.right, net.left), walk(net.left, net.right), walk(_both(net), net.left)]
    column = {node: index for index, layer in enumerate(net.layers) for node in layer}
    starts = []
    for order in walks:
        layers: list[list[int]] = [[] for _ in net.layers]
        for node in order:
            layers[column[node]].append(node)
        starts.append(layers)
    return starts


def _both(net: Net) -> list[list[int]]:
    return [[*right, *left] for right, left in zip(net.right, net.left, strict=True)]


def _cost(net: Net) -> tuple[int, float]:
    """Crossings first; then how far neighbours lie apart."""
    position = net.positions()
    middle = {node: (len(layer) - 1) / 2 for layer in net.layers for node in layer}
    apart = sum(
        abs(position[node] - middle[node] - position[other] + middle[other])
        for node, others in enumerate(net.right)
        for other in others
    )
    return crossings(net), apart


def crossings(net: Net) -> int:
    """How many pairs of edge pieces cross."""
    position = net.positions()
    total = 0
    for layer in net.layers:
        seen: list[int] = []
        for node in layer:
            ends = sorted(position[other] for other in net.right[node])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _copy(layers: list[list[int]]) -> list[list[int]]:
    return [list(layer) for layer in layers]


def _sweep(net: Net, *, rightwards: bool, late: bool) -> None:
    """Sort each column by the mean position of the neighbours in the column before it; others keep their place.

    Of two with one mean the upper one stays first, or with `late` the lower one.
    """
    position = net.positions()
    near = net.left if rightwards else net.right
    bias = -1 if late else 1
    for layer in net.layers if rightwards else reversed(net.layers):
        means = {node: sum(position[o] for o in near[node]) / len(near[node]) for node in layer if near[node]}
        movable = iter(sorted(means, key=lambda node: (means[node], bias * position[node])))
        layer[:] = [next(movable) if node in means else node for node in layer]
        for index, node in enumerate(layer):
            position[node] = index


def _swap(net: Net) -> None:
    """Exchange neighbours in a column as long as that takes crossings away."""
    position = net.positions()
    for _ in range(_SWAPS):
        improved = False
        for layer in net.layers:
            for index in range(len(layer) - 1):
                upper, lower = layer[index], layer[index + 1]
                if _gain(net, position, upper, lower) > 0:
                    layer[index], layer[index + 1] = lower, upper
                    position[upper], position[lower] = index + 1, index
                    improved = True
        if not improved:
            return


def _gain(net: Net, position: list[int], upper: int, lower: int) -> int:
    """Crossings that exchanging `upper` and `lower` takes away."""
    gain = 0
    for near in (net.left, net.right):
        for a in near[upper]:
            for b in near[lower]:
                gain += (position[a] > position[b]) - (position[a] < position[b])
    return gain
