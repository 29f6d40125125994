"""Serving: attempts come through the rate into the queue, start, are completed, and are given up after their timeout."""

from __future__ import annotations

from typing import Any

from parti.sim import draws
from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import compiled, inlined
from parti.sim.engines import engine_arrives, engine_cancels
from parti.sim.moving import (
    attempt_failed,
    drop_job,
    end_badly,
    held_up,
    joined_all,
    move_on,
    new_job,
    notify,
    schedule,
)


@inlined
def clipped(reals: Any, begin: float, end: float) -> float:
    """How many seconds from `begin` to `end` lie in the window of the figures."""
    return max(0.0, min(end, reals[at.UNTIL]) - max(begin, reals[at.FROM]))


@inlined
def count(ints: Any, reals: Any, now: float, station: int, column: int) -> None:
    """One more in a column of the station's totals, if it is in the window."""
    if now >= reals[at.FROM] and now <= reals[at.UNTIL]:
        ints[station + at.OUTCOMES + column] += 1


@inlined
def span_of(ints: Any, reals: Any, request: int, call: int, turn: int, what: int, which: int) -> float:
    """A draw from the distribution number `which` for an attempt."""
    return draws.draw(ints, reals, which, ints[call + at.CALL_KEY], request, turn, what)


@inlined
def arrive(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int) -> None:
    """A branch comes to its call, or comes again: its next attempt begins unless it has to wait for others."""
    call, request = ints[job + of.CALL], ints[job + of.REQUEST]
    station = ints[call + at.OF]
    if ints[job + of.PLACE] == of.HELD_UP:
        if ints[at.PARTED]:
            parts[request, 4 * ints[call + at.COLUMN] + at.WAITING] += now - reals[job + of.CAME]
    elif ints[job + of.ATTEMPT] == 0 and (
        not joined_all(ints, reals, rows, parts, now, job) or held_up(ints, reals, now, job)
    ):
        return
    number = ints[call + at.COLUMN]
    ints[job + of.TURN] = rows[request, number]
    rows[request, number] += 1
    ints[job + of.ATTEMPT] += 1
    ints[job + of.BEFORE] = -2
    if ints[job + of.TURN] >= ints[at.VISITS_MAX]:
        count(ints, reals, now, station, at.FAILED)
        end_badly(ints, reals, rows, parts, now, job, at.FAILED)
        return
    reals[job + of.CAME] = now
    ints[of.HAPPENED] += 1
    if reals[station + at.TIMEOUT] < 1e300:
        reals[job + of.DEADLINE] = now + reals[station + at.TIMEOUT]
        watch(ints, reals, station, job)
    if ints[station + at.RATED] > 0:
        gate(ints, reals, rows, parts, now, station, job)
    else:
        enter(ints, reals, rows, parts, now, station, job)


@compiled
def gate(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """The token bucket: the job enters now or when its turn comes, or is rejected (the generic cell rate algorithm)."""
    due = reals[station + of.DUE]
    entry = max(now, due - reals[station + at.TOLERANCE])
    if entry > now and ints[station + at.RATED] == 2:
        turn_away(ints, reals, rows, parts, now, station, job)
        return
    reals[station + of.DUE] = max(due, entry) + reals[station + at.INTERVAL]
    if entry > now:
        ints[job + of.PLACE] = of.GATED
        schedule(ints, reals, entry, station, of.GATE, job)
    else:
        enter(ints, reals, rows, parts, now, station, job)


@compiled
def gated(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int) -> None:
    """The turn of a job has come."""
    if ints[job + of.FLAG] == of.GONE:
        drop_job(ints, job)
    else:
        enter(ints, reals, rows, parts, now, ints[ints[job + of.CALL] + at.OF], job)


@compiled
def turn_away(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """The attempt is rejected."""
    if ints[job + of.FLAG] == of.ABANDONED:
        drop_job(ints, job)
        return
    unwatch(ints, station, job)
    attempt_failed(ints, reals, rows, parts, now, job, at.REJECTED)


@inlined
def enter(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """The job comes to the station, if there is room."""
    if ints[station + of.WITHIN] >= ints[station + at.ROOM]:
        turn_away(ints, reals, rows, parts, now, station, job)
        return
    ints[station + of.WITHIN] += 1
    reals[job + of.READY] = now
    how = ints[station + at.HOW]
    if how == at.PLAIN:
        if ints[station + of.AT_WORK] < ints[station + at.SERVERS]:
            begin(ints, reals, rows, parts, now, station, job)
        else:
            enqueue(ints, station, job)
    elif how == at.ENGINE:
        engine_arrives(ints, reals, now, station, job)
    else:
        enqueue(ints, station, job)
        if ints[station + of.WAITS] >= ints[station + at.SIZE]:
            check_at(ints, reals, now, station)
        elif ints[station + of.WAITS] == 1:
            check_at(ints, reals, now + reals[station + at.LINGER], station)


@inlined
def enqueue(ints: Any, station: int, job: int) -> None:
    """The job stands last in the queue."""
    ints[job + of.PLACE], ints[job + of.LINK] = of.QUEUED, -1
    if ints[station + of.HEAD] < 0:
        ints[station + of.HEAD] = job
    else:
        ints[ints[station + of.TAIL] + of.LINK] = job
    ints[station + of.TAIL] = job
    ints[station + of.WAITS] += 1


@inlined
def first_of(ints: Any, station: int) -> int:
    """The first live job of the queue, which has one; those that are gone are dropped on the way."""
    job = ints[station + of.HEAD]
    while ints[job + of.FLAG] == of.GONE:
        ints[station + of.HEAD] = ints[job + of.LINK]
        drop_job(ints, job)
        job = ints[station + of.HEAD]
    return job


@inlined
def take_first(ints: Any, station: int) -> int:
    """Take the first live job out of the queue, which has one."""
    job = first_of(ints, station)
    ints[station + of.HEAD] = ints[job + of.LINK]
    ints[station + of.WAITS] -= 1
    return job


@compiled
def check_at(ints: Any, reals: Any, time: float, station: int) -> None:
    """See to it that the station looks at `time` whether a batch can start."""
    if time < reals[station + of.CHECK]:
        reals[station + of.CHECK] = time
        notify(ints, reals, time, station, of.DISPATCH, station)


@inlined
def begin(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """A plain server begins with a job."""
    call = ints[job + of.CALL]
    span = span_of(
        ints, reals, ints[job + of.REQUEST], call, ints[job + of.TURN], draws.SERVICE, ints[call + at.SERVICE_DRAW]
    )
    ints[job + of.PLACE] = of.SERVED_NOW
    reals[job + of.START], reals[job + of.FREE], reals[job + of.SPAN] = now, now, span
    ints[station + of.AT_WORK] += 1
    ints[of.HAPPENED] += 1
    reals[station + at.BUSY] += clipped(reals, now, now + span)
    reals[station + at.QUEUED] += clipped(reals, reals[job + of.CAME], now)
    if reals[station + at.PATIENCE] < span and ints[job + of.FLAG] == of.LIVE:
        reals[job + of.DEADLINE] = now + reals[station + at.PATIENCE]
        watch(ints, reals, station, job)
    schedule(ints, reals, now + span, station, of.COMPLETE, job)


@inlined
def complete(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int) -> None:
    """A plain server is done with a job, and begins with the next one."""
    if ints[job + of.FLAG] == of.GONE:  # its server was given back when it was cancelled
        drop_job(ints, job)
        return
    station = ints[ints[job + of.CALL] + at.OF]
    free_server(ints, reals, rows, parts, now, station)
    done(ints, reals, rows, parts, now, station, job)


@inlined
def free_server(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int) -> None:
    """A plain server is free: it takes the next job."""
    ints[station + of.AT_WORK] -= 1
    ints[station + of.WITHIN] -= 1
    if ints[station + of.WAITS] > 0:
        begin(ints, reals, rows, parts, now, station, take_first(ints, station))


@inlined
def done(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """An attempt was served: its branch moves on, unless nobody waits for it any more."""
    ints[of.HAPPENED] += 1
    count(ints, reals, now, station, at.SERVED)
    if ints[job + of.FLAG] != of.LIVE:
        drop_job(ints, job)
        return
    unwatch(ints, station, job)
    if came_to_nothing(ints, reals, station, job):
        attempt_failed(ints, reals, rows, parts, now, job, at.FAILED)
        return
    if ints[at.PARTED]:
        request, column = ints[job + of.REQUEST], 4 * ints[ints[job + of.CALL] + at.COLUMN]
        ready = max(reals[job + of.READY], reals[job + of.FREE])
        parts[request, column + at.WAITING] += ready - reals[job + of.CAME]
        parts[request, column + at.BATCHING] += reals[job + of.START] - ready
        parts[request, column + at.SERVICE] += reals[job + of.SPAN]
    move_on(ints, reals, rows, parts, now, job)


@inlined
def came_to_nothing(ints: Any, reals: Any, station: int, job: int) -> bool:
    """Whether an attempt that was served failed by chance, and another one may follow."""
    failing = reals[station + at.FAILING]
    if failing <= 0.0 or ints[job + of.ATTEMPT] >= ints[station + at.ATTEMPTS]:
        return False
    key, request = ints[ints[job + of.CALL] + at.CALL_KEY], ints[job + of.REQUEST]
    return bool(draws.unit(key, request, ints[job + of.TURN], draws.CHANCE, 0) < failing)


@inlined
def watch(ints: Any, reals: Any, station: int, job: int) -> None:
    """The deadline of a job, later than all before it, is watched."""
    last = ints[station + of.LAST]
    ints[job + of.BEFORE], ints[job + of.AFTER] = last, -1
    if last < 0:
        ints[station + of.SOONEST] = job
    else:
        ints[last + of.AFTER] = job
    ints[station + of.LAST] = job
    if ints[station + of.ALARMED] == 0:
        ints[station + of.ALARMED] = 1
        notify(ints, reals, reals[ints[station + of.SOONEST] + of.DEADLINE], station, of.EXPIRE, station)


@inlined
def unwatch(ints: Any, station: int, job: int) -> None:
    """The deadline of a job does not matter any more."""
    before, after = ints[job + of.BEFORE], ints[job + of.AFTER]
    if before == -2:
        return
    if before < 0:
        ints[station + of.SOONEST] = after
    else:
        ints[before + of.AFTER] = after
    if after < 0:
        ints[station + of.LAST] = before
    else:
        ints[after + of.BEFORE] = before
    ints[job + of.BEFORE] = -2


@compiled
def expire(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int) -> None:
    """The first deadline may have passed: its caller gives up, with or without taking the work back."""
    ints[station + of.ALARMED] = 0
    job = ints[station + of.SOONEST]
    if job >= 0 and reals[job + of.DEADLINE] <= now:
        unwatch(ints, station, job)
        again = new_job(ints, ints[job + of.REQUEST], ints[job + of.CALL], ints[job + of.SOURCE])
        ints[again + of.ATTEMPT], ints[again + of.TURN], ints[again + of.HOLDS] = (
            ints[job + of.ATTEMPT],
            ints[job + of.TURN],
            ints[job + of.HOLDS],
        )
        ints[job + of.HOLDS] = -1
        reals[again + of.CAME] = reals[job + of.CAME]
        if ints[station + at.CANCELS] == 1 or (
            ints[station + at.CANCELS] == 2 and ints[job + of.PLACE] != of.SERVED_NOW
        ):
            cancel(ints, reals, rows, parts, now, station, job)
        else:
            ints[job + of.FLAG] = of.ABANDONED
        attempt_failed(ints, reals, rows, parts, now, again, at.TIMED_OUT)
    if ints[station + of.SOONEST] >= 0:
        ints[station + of.ALARMED] = 1
        notify(ints, reals, max(now, reals[ints[station + of.SOONEST] + of.DEADLINE]), station, of.EXPIRE, station)


@compiled
def cancel(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, job: int) -> None:
    """Work that nobody waits for leaves the queue or its server; one that is served in a batch stays until the batch is done."""
    how = ints[station + at.HOW]
    ints[job + of.FLAG] = of.GONE
    if ints[job + of.PLACE] == of.QUEUED:
        reals[station + at.QUEUED] += clipped(reals, reals[job + of.CAME], now)
        ints[station + of.WITHIN] -= 1
        if how == at.ENGINE:
            ints[ints[job + of.SERVER] + of.E_WAITS] -= 1
        else:
            ints[station + of.WAITS] -= 1
            if ints[station + of.WAITS] > 0 and how != at.PLAIN:  # another is the first now, with a linger of its own
                head = reals[first_of(ints, station) + of.READY]
                check_at(ints, reals, max(now, head + reals[station + at.LINGER]), station)
    elif ints[job + of.PLACE] == of.SERVED_NOW and how == at.PLAIN:
        reals[station + at.BUSY] -= clipped(reals, now, reals[job + of.START] + reals[job + of.SPAN])
        free_server(ints, reals, rows, parts, now, station)
    elif ints[job + of.PLACE] == of.SERVED_NOW and how == at.FRAGILE and ints[station + at.SIZE] == 1:
        server = ints[job + of.SERVER]
        reals[station + at.BUSY] -= clipped(reals, now, reals[server + of.UP_TO])
        ints[server + of.DOING] = of.IDLE
        reals[server + of.SINCE] = reals[server + of.WARM] = now
        ints[station + of.AT_WORK] -= 1
        ints[station + of.WITHIN] -= 1
        drop_job(ints, job)
        check_at(ints, reals, now, station)
    elif ints[job + of.PLACE] == of.SERVED_NOW and how == at.ENGINE:
        reals[station + at.BUSY] += clipped(reals, reals[job + of.START], now)
        ints[station + of.WITHIN] -= 1
        engine_cancels(ints, reals, now, station, job)
