"""The layers of a graph: cycles broken, each node in a column, long edges cut into pieces of one column each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Edge = tuple[int, int]
_ROUNDS = 12


@dataclass(slots=True)
class Net:
    """A layered graph. Nodes below `real` are boxes, the others are bends of long edges.

    `layers` holds the nodes of each column from top to bottom; `left` and `right` are each node's neighbours in the
    column before and after; `chains` gives, per edge, its nodes from left to right.
    """

    real: int
    layers: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    chains: list[list[int]] = field(default_factory=list)

    def positions(self) -> list[int]:
        """The index of each node within its column."""
        position = [0] * len(self.left)
        for layer in self.layers:
            for index, node in enumerate(layer):
                position[node] = index
        return position


def layered(count: int, edges: Sequence[Edge]) -> Net:
    """`edges` (no loops) between nodes 0 … count - 1 as a net. Edges that close a cycle run from right to left."""
    forward = _acyclic(count, edges)
    column = _columns(count, forward)
    net = Net(count, [[] for _ in range(max(column, default=-1) + 1)], [[] for _ in column], [[] for _ in column])
    for tail, head in forward:
        chain = [tail]
        for layer in range(column[tail] + 1, column[head]):
            column.append(layer)
            net.left.append([])
            net.right.append([])
            chain.append(len(column) - 1)
        chain.append(head)
        net.chains.append(chain)
        for before, after in pairwise(chain):
            net.right[before].append(after)
            net.left[after].append(before)
    for node in walk(net.right, net.left):
        net.layers[column[node]].append(node)
    return net


def _acyclic(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """`edges` with those turned round that lead back to a node the walk from the sources is still below of."""
    after: list[list[int]] = [[] for _ in range(count)]
    entered = [0] * count
    for tail, head in edges:
        after[tail].append(head)
        entered[head] += 1
    back: set[Edge] = set()
    state = [0] * count  # 0 new, 1 on the path, 2 done
    for root in sorted(range(count), key=lambda node: (entered[node] > 0, node)):
        path = [(root, iter(after[root]))] if not state[root] else []
        state[root] = state[root] or 1
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                path.pop()
            elif state[following] == 1:
                back.add((node, following))
            elif state[following] == 0:
                state[following] = 1
                path.append((following, iter(after[following])))
    return [(head, tail) if (tail, head) in back else (tail, head) for tail, head in edges]


def _columns(count: int, edges: Sequence[Edge]) -> list[int]:
    """A column per node: the longest path first, then each node pulled to where its edges are shortest in sum."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        before[head].append(tail)
        after[tail].append(head)
    order = _sorted(before, after)
    column = [0] * count
    for node in order:
        column[node] = max((column[other] + 1 for other in before[node]), default=0)
    for _ in range(_ROUNDS):
        moved = False
        for node in reversed(order):
            if after[node] and len(after[node]) >= len(before[node]):
                best = min(column[other] for other in after[node]) - 1
                moved |= best != column[node]
                column[node] = best
        if not moved:
            break
    used = {value: index for index, value in enumerate(sorted(set(column)))}
    return [used[value] for value in column]


def _sorted(before: list[list[int]], after: list[list[int]]) -> list[int]:
    """The nodes in an order in which every edge leads on."""
    missing = [len(nodes) for nodes in before]
    order = [node for node, count in enumerate(missing) if not count]
    for node in order:
        for other in after[node]:
            missing[other] -= 1
            if not missing[other]:
                order.append(other)
    return order


def walk(onward: list[list[int]], behind: list[list[int]]) -> list[int]:
    """All nodes, depth first from those with nothing behind them, so that what belongs together comes together."""
    seen = [False] * len(onward)
    order: list[int] = []
    for root in sorted(range(len(onward)), key=lambda node: (bool(behind[node]), node)):
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if not seen[node]:
                seen[node] = True
                order.append(node)
                waiting.extend(reversed(onward[node]))
    return order
