"""Stations that serve in batches, whose replicas fail or are cold, and engines: what happens when they are looked after."""

from __future__ import annotations

import math
from typing import Any

from parti.sim import draws
from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import compiled
from parti.sim.engines import begin_stretch, purge, put_slot, reading_seconds, take_slot, tokens_after_first
from parti.sim.moving import attempt_failed, drop_job, notify, schedule
from parti.sim.serving import check_at, clipped, done, first_of, span_of, take_first, unwatch, watch


@compiled
def dispatch(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int) -> None:
    """Everything that arrives at this instant is queued: batches start while servers are idle and the queue is due."""
    if reals[station + of.CHECK] <= now:
        reals[station + of.CHECK] = math.inf
    while ints[station + of.WAITS] > 0:
        if ints[station + of.WAITS] < ints[station + at.SIZE]:
            due = reals[first_of(ints, station) + of.READY] + reals[station + at.LINGER]
            if due > now:
                check_at(ints, reals, due, station)
                return
        fragile = ints[station + at.HOW] == at.FRAGILE
        server, since = warmest(ints, reals, station) if fragile else longest_idle(ints, reals, station)
        if server < 0:
            return
        start_batch(ints, reals, rows, parts, now, station, server, since)


@compiled
def longest_idle(ints: Any, reals: Any, station: int) -> tuple[int, float]:
    """Any idle server (0, or -1 if there is none), and since when one was idle. It counts as taken."""
    servers = ints[station + at.SERVERS]
    if ints[station + of.AT_WORK] >= servers:
        return -1, 0.0
    since = reals[ints[station + at.FIRST] + ints[station + of.RING] * of.SERVER_CELLS + of.SINCE]
    ints[station + of.RING] = (ints[station + of.RING] + 1) % servers
    return 0, since


@compiled
def warmest(ints: Any, reals: Any, station: int) -> tuple[int, float]:
    """The idle server that worked last (-1 if none is idle), and since when any was idle."""
    first = ints[station + at.FIRST]
    best, since = -1, math.inf
    for server in range(first, first + ints[station + at.SERVERS] * of.SERVER_CELLS, of.SERVER_CELLS):
        if ints[server + of.DOING] == of.IDLE:
            since = min(since, reals[server + of.SINCE])
            if best < 0 or reals[server + of.WARM] > reals[best + of.WARM]:
                best = server
    return best, since


@compiled
def start_batch(
    ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, server: int, since: float
) -> None:
    """A server begins with as many as wait, up to the largest batch; the first one's draw says how long it takes."""
    number = min(ints[station + of.WAITS], ints[station + at.SIZE])
    first = take_first(ints, station)
    call = ints[first + of.CALL]
    span = span_of(
        ints, reals, ints[first + of.REQUEST], call, ints[first + of.TURN], draws.SERVICE, ints[call + at.SERVICE_DRAW]
    )
    span *= reals[ints[station + at.GROWTH] + number - 1]
    if ints[station + at.HOW] == at.FRAGILE:
        span = occupy(ints, reals, now, station, server, first, span)
    else:
        schedule(ints, reals, now + span, station, of.COMPLETE, first)
    ints[station + of.AT_WORK] += 1
    reals[station + at.BUSY] += clipped(reals, now, now + span)
    job = first
    for left in range(number, 0, -1):
        ints[job + of.PLACE], ints[job + of.SERVER] = of.SERVED_NOW, server
        reals[job + of.START], reals[job + of.FREE], reals[job + of.SPAN] = now, since, span
        reals[station + at.QUEUED] += clipped(reals, reals[job + of.CAME], now)
        if reals[station + at.PATIENCE] < 1e300 and ints[job + of.BEFORE] == -2 and ints[job + of.FLAG] == of.LIVE:
            reals[job + of.DEADLINE] = now + reals[station + at.PATIENCE]
            watch(ints, reals, station, job)
        after = take_first(ints, station) if left > 1 else -1
        ints[job + of.LINK] = after
        job = after
    ints[of.HAPPENED] += number


@compiled
def occupy(ints: Any, reals: Any, now: float, station: int, server: int, first: int, span: float) -> float:
    """A server that may fail or be cold begins; gives how long it takes, with the cold start."""
    cold = ints[station + at.COLD_DRAW]
    if cold >= 0 and now - reals[server + of.WARM] > reals[station + at.IDLE]:
        span += span_of(
            ints, reals, ints[first + of.REQUEST], ints[first + of.CALL], ints[first + of.TURN], draws.COLD, cold
        )
    ints[server + of.DOING], ints[server + of.BATCH] = of.WORKING, first
    reals[server + of.UP_TO] = now + span
    notify(ints, reals, now + span, station, of.COMPLETE, server)
    return span


@compiled
def complete_batch(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, first: int) -> None:
    """A batch is done, and whoever served it is idle."""
    if ints[station + at.HOW] == at.BATCHES:
        servers = ints[station + at.SERVERS]
        tail = (ints[station + of.RING] + servers - ints[station + of.AT_WORK]) % servers
        reals[ints[station + at.FIRST] + tail * of.SERVER_CELLS + of.SINCE] = now
    ints[station + of.AT_WORK] -= 1
    if ints[station + of.WAITS] > 0:
        check_at(ints, reals, now, station)
    job = first
    while job >= 0:
        after = ints[job + of.LINK]
        ints[station + of.WITHIN] -= 1
        done(ints, reals, rows, parts, now, station, job)
        job = after


@compiled
def complete_server(ints: Any, reals: Any, rows: Any, parts: Any, now: float, server: int) -> None:
    """A server that may fail or be cold is done, unless it failed meanwhile."""
    if ints[server + of.DOING] == of.WORKING and reals[server + of.UP_TO] == now:
        ints[server + of.DOING] = of.IDLE
        reals[server + of.SINCE] = reals[server + of.WARM] = now
        complete_batch(ints, reals, rows, parts, now, ints[server + of.AT], ints[server + of.BATCH])


@compiled
def fail(ints: Any, reals: Any, rows: Any, parts: Any, now: float, server: int) -> None:
    """The replica that begins with this server goes down with what its servers had in hand."""
    station = ints[server + of.AT]
    for each in range(server, server + ints[station + at.PLACES] * of.SERVER_CELLS, of.SERVER_CELLS):
        if ints[each + of.DOING] == of.WORKING:
            lose(ints, reals, rows, parts, now, station, each)
        ints[each + of.DOING] = of.DOWN
    replica, cycle = server - ints[station + at.FIRST], ints[server + of.CYCLE]
    span = replica_span(ints, reals, station, replica, cycle, draws.DOWN, ints[station + at.DOWN_DRAW])
    notify(ints, reals, now + span, station, of.REPAIR, server)
    if ints[station + of.WAITS] > 0:
        check_at(ints, reals, now, station)


@compiled
def lose(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, server: int) -> None:
    """What a failed server had in hand waits again before all others, or that attempt has failed."""
    job = ints[server + of.BATCH]
    reals[station + at.BUSY] -= clipped(reals, now, reals[server + of.UP_TO])
    ints[station + of.AT_WORK] -= 1
    last = -1
    while job >= 0:
        after, flag = ints[job + of.LINK], ints[job + of.FLAG]
        if flag == of.GONE or ints[station + at.LOSES]:
            ints[station + of.WITHIN] -= 1
            if flag == of.LIVE:
                unwatch(ints, station, job)
                attempt_failed(ints, reals, rows, parts, now, job, at.FAILED)
            else:
                drop_job(ints, job)
        else:
            reals[station + at.QUEUED] -= clipped(reals, reals[job + of.START], now)
            last = put_back(ints, station, job, last)
        job = after


@compiled
def put_back(ints: Any, station: int, job: int, last: int) -> int:
    """The job stands in the queue behind `last`, or first; gives the job."""
    ints[job + of.PLACE] = of.QUEUED
    if last < 0:
        ints[job + of.LINK] = ints[station + of.HEAD]
        ints[station + of.HEAD] = job
    else:
        ints[job + of.LINK] = ints[last + of.LINK]
        ints[last + of.LINK] = job
    if ints[job + of.LINK] < 0:
        ints[station + of.TAIL] = job
    ints[station + of.WAITS] += 1
    return job


@compiled
def repair(ints: Any, reals: Any, now: float, server: int) -> None:
    """A replica is up again, and cold."""
    station = ints[server + of.AT]
    for each in range(server, server + ints[station + at.PLACES] * of.SERVER_CELLS, of.SERVER_CELLS):
        ints[each + of.DOING] = of.IDLE
        reals[each + of.SINCE], reals[each + of.WARM] = now, -math.inf
    if ints[station + of.WAITS] > 0:
        check_at(ints, reals, now, station)
    ints[server + of.CYCLE] += 1
    set_failure(ints, reals, now, station, server)


@compiled
def set_failure(ints: Any, reals: Any, now: float, station: int, server: int) -> None:
    """When the replica that begins with this server fails next."""
    replica, cycle = server - ints[station + at.FIRST], ints[server + of.CYCLE]
    span = replica_span(ints, reals, station, replica, cycle, draws.UP, ints[station + at.UP_DRAW])
    notify(ints, reals, now + span, station, of.FAIL, server)


@compiled
def replica_span(ints: Any, reals: Any, station: int, replica: int, cycle: int, what: int, which: int) -> float:
    """How long a replica is up, or down."""
    return draws.draw(ints, reals, which, ints[station + at.STATION_KEY], replica, cycle, what)


@compiled
def wake(ints: Any, reals: Any, rows: Any, parts: Any, now: float, engine: int) -> None:
    """An engine is between two steps: what has ended leaves, one prompt is begun, or a stretch of steps begins."""
    if reals[engine + of.WAKE] != now:  # it was put off or brought forward
        return
    station = ints[engine + of.E_STATION]
    if ints[engine + of.READING] >= 0:
        first_token(ints, reals, rows, parts, now, station, engine)
    elif ints[engine + of.ACTIVE] > 0:
        ints[engine + of.STEPS] += ints[engine + of.STRETCH]
        while ints[engine + of.ACTIVE] > 0 and ints[engine + of.SLOTS] <= ints[engine + of.STEPS]:
            job = ints[engine + of.SLOTS + 1]
            take_slot(ints, engine, ints[engine + of.ACTIVE])
            ints[engine + of.ACTIVE] -= 1
            written(ints, reals, rows, parts, now, station, job)
    if ints[engine + of.PURGE]:
        purge(ints, engine)
    if ints[engine + of.ACTIVE] < ints[station + at.PLACES] and ints[engine + of.E_WAITS] > 0:
        read_prompt(ints, reals, rows, parts, now, station, engine)
    else:
        begin_stretch(ints, reals, station, engine, now)
    if reals[engine + of.WAKE] < math.inf:
        notify(ints, reals, reals[engine + of.WAKE], station, of.WAKE_UP, engine)


@compiled
def read_prompt(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, engine: int) -> None:
    """The first in line is admitted."""
    job = ints[engine + of.E_HEAD]
    while ints[job + of.FLAG] == of.GONE:
        ints[engine + of.E_HEAD] = ints[job + of.LINK]
        drop_job(ints, job)
        job = ints[engine + of.E_HEAD]
    ints[engine + of.E_HEAD] = ints[job + of.LINK]
    ints[engine + of.E_WAITS] -= 1
    ints[engine + of.READING] = job
    ints[job + of.PLACE] = of.SERVED_NOW
    reals[job + of.START] = reals[job + of.FREE] = now
    reals[station + at.QUEUED] += clipped(reals, reals[job + of.CAME], now)
    ints[of.HAPPENED] += 1
    span = reading_seconds(ints, reals, station, ints[job + of.REQUEST], ints[job + of.CALL], ints[job + of.TURN])
    reals[engine + of.WAKE] = now + span


@compiled
def first_token(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, engine: int) -> None:
    """A prompt is read: its sequence has its first token, and is written on or done."""
    job = ints[engine + of.READING]
    ints[engine + of.READING] = -1
    if ints[job + of.FLAG] == of.GONE:
        drop_job(ints, job)
        return
    more = tokens_after_first(ints, reals, ints[job + of.REQUEST], ints[job + of.CALL], ints[job + of.TURN])
    if more == 0:
        written(ints, reals, rows, parts, now, station, job)
    else:
        put_slot(ints, engine, ints[engine + of.ACTIVE], ints[engine + of.STEPS] + more, job)
        ints[engine + of.ACTIVE] += 1


@compiled
def written(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """A sequence is complete."""
    if ints[job + of.FLAG] == of.GONE:
        drop_job(ints, job)
        return
    ints[station + of.WITHIN] -= 1
    reals[job + of.SPAN] = now - reals[job + of.START]
    reals[station + at.BUSY] += clipped(reals, reals[job + of.START], now)
    done(ints, reals, rows, parts, now, station, job)
