"""Moving jobs between stations: arrivals to come, routes, forks, joins, limits, new attempts and ends."""

from __future__ import annotations

from typing import Any

from parti.sim import draws
from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import compiled, inlined
from parti.sim.heap import push


@inlined
def key_of(ints: Any, station: int, kind: int, request: int, call: int, source: int) -> int:
    """The order of an event among those of its instant: rank of the station, kind, request, call, where it comes from."""
    return int(((ints[station + at.RANK] * 8 + kind) << 50) | (request << 20) | (call << 10) | (source + 1))


@inlined
def schedule(ints: Any, reals: Any, time: float, station: int, kind: int, job: int) -> None:
    """An event for a job."""
    number = ints[ints[job + of.CALL] + at.NUMBER]
    key = key_of(ints, station, kind, ints[job + of.REQUEST], number, ints[job + of.SOURCE])
    push(ints, reals, time, key, job)


@compiled
def notify(ints: Any, reals: Any, time: float, station: int, kind: int, load: int) -> None:
    """An event for a station, one of its servers or engines."""
    push(ints, reals, time, key_of(ints, station, kind, load, 0, 0), load)


@inlined
def new_job(ints: Any, request: int, call: int, source: int) -> int:
    """A free row for an attempt. The event loop sees to it that there is one."""
    job = ints[of.UNUSED]
    ints[of.UNUSED] = ints[job + of.LINK]
    ints[of.FREE_JOBS] -= 1
    ints[job + of.REQUEST], ints[job + of.CALL], ints[job + of.SOURCE] = request, call, source
    ints[job + of.TURN], ints[job + of.ATTEMPT], ints[job + of.LINK], ints[job + of.PLACE] = 0, 0, -1, of.AWAY
    ints[job + of.FLAG], ints[job + of.BEFORE], ints[job + of.SERVER], ints[job + of.HOLDS] = of.LIVE, -2, -1, -1
    return job


@inlined
def drop_job(ints: Any, job: int) -> None:
    """The row is free again."""
    ints[job + of.LINK] = ints[of.UNUSED]
    ints[of.UNUSED] = job
    ints[of.FREE_JOBS] += 1


@inlined
def come(ints: Any, reals: Any, now: float, job: int) -> None:
    """The job arrives at its call at this instant: at once if nothing comes before, else in order."""
    if ints[of.AT_ONCE] < 0:
        ints[of.AT_ONCE] = job
    else:
        schedule(ints, reals, now, ints[ints[job + of.CALL] + at.OF], of.ARRIVE, job)


@inlined
def move_on(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int) -> None:
    """A branch is done with its call: it goes where the route says, as one or as several."""
    call, request = ints[job + of.CALL], ints[job + of.REQUEST]
    first, how = ints[call + at.TARGET], ints[call + at.NEXT_HOW]
    holds = ints[job + of.HOLDS]
    if how == at.FORK:
        for index in range(1, ints[call + at.TARGETS]):
            branch = new_job(ints, request, call, call)
            ints[of.BRANCHES] += 1
            send(ints, reals, rows, parts, now, branch, call, ints[first + index], holds)
    elif how == at.CHOICE:
        share = draws.unit(ints[call + at.CALL_KEY], request, ints[job + of.TURN], draws.ROUTE, 0)
        while share > reals[first]:
            first += 1
    send(ints, reals, rows, parts, now, job, call, ints[first], holds)
    if holds >= 0:
        let_go(ints, reals, now, holds)


@inlined
def send(
    ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int, source: int, target: int, holds: int
) -> None:
    """A branch goes from a call to a target: another call, out of the stage, or to the end."""
    request = ints[job + of.REQUEST]
    if target == at.END_CALL or ints[target + at.INSIDE] == 0:
        gone = ints[of.OUTS] + ints[of.OUT] * of.GONE_CELLS
        reals[gone] = now
        ints[gone + of.GONE_REQUEST], ints[gone + of.GONE_WHERE] = request, target
        ints[gone + of.GONE_SOURCE] = ints[source + at.NUMBER]
        ints[of.OUT] += 1
        ints[of.BRANCHES] -= 1
        drop_job(ints, job)
        return
    ints[job + of.CALL], ints[job + of.SOURCE] = target, ints[source + at.NUMBER]
    ints[job + of.ATTEMPT], ints[job + of.PLACE] = 0, of.AWAY
    ints[job + of.HOLDS] = -1
    if holds >= 0 and ints[target + at.LIMIT] == ints[holds + of.LIMITED]:
        ints[job + of.HOLDS] = holds
        ints[holds + of.SHARED] += 1
    come(ints, reals, now, job)


@compiled
def end_badly(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int, outcome: int) -> None:
    """A branch is over without having reached the end."""
    gone = ints[of.ENDS] + ints[of.ENDED] * of.GONE_CELLS
    reals[gone] = now
    ints[gone + of.GONE_REQUEST], ints[gone + of.GONE_WHERE] = ints[job + of.REQUEST], outcome
    ints[of.ENDED] += 1
    leave(ints, reals, rows, parts, now, job)


@compiled
def leave(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int) -> None:
    """A branch is over: its row and its hold are given back."""
    holds = ints[job + of.HOLDS]
    ints[of.BRANCHES] -= 1
    drop_job(ints, job)
    if holds >= 0:
        let_go(ints, reals, now, holds)


@compiled
def let_go(ints: Any, reals: Any, now: float, hold: int) -> None:
    """One branch fewer shares a hold; with the last its slot goes to whoever has waited longest."""
    ints[hold + of.SHARED] -= 1
    if ints[hold + of.SHARED] > 0:
        return
    limit = ints[hold + of.LIMITED]
    drop_job(ints, hold)
    ints[limit + of.USED] -= 1
    while ints[limit + of.L_HEAD] >= 0 and ints[limit + of.USED] < ints[limit + of.L_SLOTS]:
        job = ints[limit + of.L_HEAD]
        ints[limit + of.L_HEAD] = ints[job + of.LINK]
        if ints[job + of.LINK] < 0:
            ints[limit + of.L_TAIL] = -1
        take_hold(ints, job, limit)
        schedule(ints, reals, now, ints[ints[job + of.CALL] + at.OF], of.ARRIVE, job)


@compiled
def take_hold(ints: Any, job: int, limit: int) -> None:
    """The branch is under the limit now, with a slot that it shares with those that it forks into there."""
    hold = new_job(ints, ints[job + of.REQUEST], limit, -1)
    ints[hold + of.SHARED] = 1
    ints[limit + of.USED] += 1
    ints[job + of.HOLDS] = hold


@compiled
def held_up(ints: Any, reals: Any, now: float, job: int) -> bool:
    """Whether the job has to wait for its call's limit; it stands in line then."""
    limit, hold = ints[ints[job + of.CALL] + at.LIMIT], ints[job + of.HOLDS]
    if limit < 0 or (hold >= 0 and ints[hold + of.LIMITED] == limit):
        return False
    if ints[limit + of.USED] < ints[limit + of.L_SLOTS]:
        take_hold(ints, job, limit)
        return False
    ints[job + of.PLACE], ints[job + of.LINK] = of.HELD_UP, -1
    reals[job + of.CAME] = now
    tail = ints[limit + of.L_TAIL]
    if tail < 0:
        ints[limit + of.L_HEAD] = job
    else:
        ints[tail + of.LINK] = job
    ints[limit + of.L_TAIL] = job
    return True


@compiled
def joined_all(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int) -> bool:
    """Whether all branches that the call joins have come; a branch before the last is over."""
    call, request = ints[job + of.CALL], ints[job + of.REQUEST]
    column = ints[call + at.JOIN]
    if column >= 0:
        rows[request, column] += 1
        if rows[request, column] < ints[call + at.JOINS]:
            leave(ints, reals, rows, parts, now, job)
            return False
        rows[request, column] = 0
    if ints[at.VIA] >= 0:
        rows[request, ints[at.VIA] + ints[call + at.COLUMN]] = ints[job + of.SOURCE]
    return True


@compiled
def attempt_failed(ints: Any, reals: Any, rows: Any, parts: Any, now: float, job: int, outcome: int) -> None:
    """An attempt came to nothing: the next one follows after a pause, or the branch ends badly."""
    call, request, attempt = ints[job + of.CALL], ints[job + of.REQUEST], ints[job + of.ATTEMPT]
    station = ints[call + at.OF]
    if now >= reals[at.FROM] and now <= reals[at.UNTIL]:
        ints[station + at.OUTCOMES + outcome] += 1
    later = now
    if attempt < ints[station + at.ATTEMPTS]:
        pause = reals[station + at.BACKOFF]
        for _ in range(1, attempt):
            pause *= reals[station + at.FACTOR]
        pause = min(pause, reals[station + at.LONGEST])
        if reals[station + at.JITTER_SHARE] > 0.0:
            pause *= 1.0 - reals[station + at.JITTER_SHARE] * draws.unit(
                ints[call + at.CALL_KEY], request, ints[job + of.TURN], draws.JITTER, 0
            )
        later = now + pause
    if ints[at.PARTED]:
        parts[request, 4 * ints[call + at.COLUMN] + at.RETRYING] += later - reals[job + of.CAME]
    if attempt < ints[station + at.ATTEMPTS]:
        ints[job + of.PLACE] = of.AWAY
        schedule(ints, reals, later, station, of.ARRIVE, job)
    else:
        end_badly(ints, reals, rows, parts, now, job, outcome)
