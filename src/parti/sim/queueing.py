"""One station at a time: all its arrivals are known, so its queue is a recursion over them; 10 to 40 ns an event when compiled.

Each kernel fills `depart`, when each arrival leaves (not a number where it was rejected), and `order`, the arrivals in the order
in which they leave, and gives how many do. Its bits are those of the event loop: the same sums in the same order.
Servers that are free are a heap of the times when they became so (Kiefer and Wolfowitz 1955).
"""

from __future__ import annotations

import math
from typing import Any

from parti.sim import draws
from parti.sim import layout as at
from parti.sim.compiled import compiled, kept, np
from parti.sim.serving import clipped, count, span_of


@kept
def gathered(ints: Any, rows: Any, requests: Any, calls: Any, sources: Any, turns: Any, kept_: Any) -> int:
    """Join branches: `kept_` gets the arrivals that begin an attempt, `turns` their turns; gives how many there are."""
    number = 0
    for index in range(len(requests)):
        request, call = requests[index], calls[index]
        column = ints[call + at.JOIN]
        if ints[call + at.JOINS] > 1:
            rows[request, column] += 1
            if rows[request, column] < ints[call + at.JOINS]:
                continue
            rows[request, column] = 0
        if ints[at.VIA] >= 0:
            rows[request, ints[at.VIA] + ints[call + at.COLUMN]] = sources[index]
        turns[number] = rows[request, ints[call + at.COLUMN]]
        rows[request, ints[call + at.COLUMN]] += 1
        kept_[number] = index
        number += 1
    return number


@kept
def gated_all(ints: Any, reals: Any, station: int, times: Any, entry: Any, passed: Any) -> int:
    """The token bucket before a station: when each arrival enters, which are `passed`, and how many."""
    due, number = -math.inf, 0
    for index in range(len(times)):
        enters = max(times[index], due - reals[station + at.TOLERANCE])
        if enters > times[index] and ints[station + at.RATED] == 2:
            count(ints, reals, times[index], station, at.REJECTED)
            passed[index] = False
            continue
        due = max(due, enters) + reals[station + at.INTERVAL]
        passed[index], entry[index] = True, enters
        number += 1
    return number


@kept
def chosen_targets(ints: Any, reals: Any, requests: Any, calls: Any, turns: Any, goes: Any) -> None:
    """Where each arrival goes afterwards, if its call has one target at a time."""
    for index in range(len(requests)):
        call = calls[index]
        target = ints[call + at.TARGET]
        if ints[call + at.NEXT_HOW] == at.CHOICE:
            share = draws.unit(ints[call + at.CALL_KEY], requests[index], turns[index], draws.ROUTE, 0)
            while share > reals[target]:
                target += 1
        goes[index] = ints[target]


@compiled
def served(ints: Any, reals: Any, parts: Any, station: int, call: int, request: int, came: float, ready: float, start: float, span: float) -> None:  # fmt: skip
    """Add up one service: where its time went, and the figures of the station."""
    reals[station + at.QUEUED] += clipped(reals, came, start)
    count(ints, reals, start + span, station, at.SERVED)
    if ints[at.PARTED]:
        column = 4 * ints[call + at.COLUMN]
        parts[request, column + at.WAITING] += ready - came
        parts[request, column + at.BATCHING] += start - ready
        parts[request, column + at.SERVICE] += span


@compiled
def sink(free: Any, who: Any, size: int, time: float, load: int) -> None:
    """Put a number in the place of the least of a heap of `size`."""
    spot = 0
    while True:
        child = 2 * spot + 1
        if child >= size:
            break
        if child + 1 < size and free[child + 1] < free[child]:
            child += 1
        if time <= free[child]:
            break
        free[spot], who[spot] = free[child], who[child]
        spot = child
    free[spot], who[spot] = time, load


@kept
def run_fifo(ints: Any, reals: Any, parts: Any, station: int, came: Any, entry: Any, requests: Any, calls: Any, turns: Any, depart: Any, order: Any) -> int:  # fmt: skip
    """A station of plain servers with room for all."""
    number = len(entry)
    servers = min(ints[station + at.SERVERS], number)
    free, who = np.full(servers, -math.inf), np.full(servers, -1)
    left = 0
    for index in range(number):
        call, request = calls[index], requests[index]
        span = span_of(ints, reals, request, call, turns[index], draws.SERVICE, ints[call + at.SERVICE_DRAW])
        start = entry[index]
        if servers < number:
            start = max(free[0], start)
            if who[0] >= 0:
                order[left] = who[0]
                left += 1
            sink(free, who, servers, start + span, index)
        depart[index] = start + span
        reals[station + at.BUSY] += clipped(reals, start, start + span)
        served(ints, reals, parts, station, call, request, came[index], start, start, span)
    if servers == number:
        order[:number] = np.argsort(depart[:number])
        return number
    while left < number:
        order[left] = who[0]
        left += 1
        sink(free, who, servers, math.inf, -1)
    return number


@kept
def run_batches(ints: Any, reals: Any, parts: Any, station: int, came: Any, entry: Any, requests: Any, calls: Any, turns: Any, depart: Any, order: Any) -> int:  # fmt: skip
    """A station that serves in batches, or has room for so many only, or both."""
    number, room, plain = len(entry), ints[station + at.ROOM], ints[station + at.HOW] == at.PLAIN
    servers, size = min(ints[station + at.SERVERS], number), ints[station + at.SIZE]
    free, who = np.full(servers, -math.inf), np.full(servers, -1)
    inside, within = np.empty(min(room, number) + 1), 0
    waits, head, tail = np.empty(number, np.int64), 0, 0
    for index in range(number + 1):
        now = entry[index] if index < number else math.inf
        while head < tail:
            full = entry[waits[head + size - 1]] if tail - head >= size else math.inf
            start = max(free[0], min(full, entry[waits[head]] + reals[station + at.LINGER]))
            if start > now or (start == now and not plain):
                break
            batch = min(size, tail - head)
            end = start_one(ints, reals, parts, station, waits, head, batch, free[0], start, came, entry, requests, calls, turns, depart)  # fmt: skip
            sink(free, who, servers, end, 0)
            head += batch
            if room <= number:
                for _ in range(batch):
                    within = put_in(inside, within, end)
        if index == number:
            break
        if room <= number:
            while within > 0 and inside[0] <= now:
                within = take_out(inside, within)
            if within + tail - head >= room:
                count(ints, reals, now, station, at.REJECTED)
                depart[index] = math.nan
                if ints[at.PARTED]:
                    column = 4 * ints[calls[index] + at.COLUMN]
                    parts[requests[index], column + at.RETRYING] += now - came[index]
                continue
        waits[tail] = index
        tail += 1
    order[:tail] = waits[:tail][np.argsort(depart[waits[:tail]], kind="mergesort")]
    return tail


@compiled
def start_one(ints: Any, reals: Any, parts: Any, station: int, waits: Any, head: int, batch: int, free: float, start: float, came: Any, entry: Any, requests: Any, calls: Any, turns: Any, depart: Any) -> float:  # fmt: skip
    """A batch starts; gives when it ends."""
    first = waits[head]
    call = calls[first]
    span = span_of(ints, reals, requests[first], call, turns[first], draws.SERVICE, ints[call + at.SERVICE_DRAW])
    span *= reals[ints[station + at.GROWTH] + batch - 1]
    reals[station + at.BUSY] += clipped(reals, start, start + span)
    for place in range(head, head + batch):
        index = waits[place]
        ready = max(entry[index], free)
        depart[index] = start + span
        served(ints, reals, parts, station, calls[index], requests[index], came[index], ready, start, span)
    return start + span


@compiled
def put_in(heap: Any, size: int, time: float) -> int:
    """Add a number to a heap of `size`; gives the new size."""
    spot = size
    while spot > 0 and heap[(spot - 1) >> 1] > time:
        heap[spot] = heap[(spot - 1) >> 1]
        spot = (spot - 1) >> 1
    heap[spot] = time
    return size + 1


@compiled
def take_out(heap: Any, size: int) -> int:
    """Take the least of a heap of `size`; gives the new size."""
    size -= 1
    time, spot = heap[size], 0
    while 2 * spot + 1 < size:
        child = 2 * spot + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if time <= heap[child]:
            break
        heap[spot] = heap[child]
        spot = child
    heap[spot] = time
    return size
