"""Retrying: dead runs are put back in line."""

from __future__ import annotations

from dataclasses import dataclass

from parti.errors import PartiError, RunError
from parti.ports.store import RunRecord, State
from parti.verbs.target import Target

AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of a retry: the runs that are in line again, and why others are not."""

    runs: list[RunRecord]
    refused: list[PartiError]


async def retry(target: Target, run: str, *, token: str = "") -> Retried:
    """Put one dead run back in line, with all its attempts. Raises P308, P309."""
    async with target.reading() as store:
        if await store.run(run) is None:
            raise RunError("P308", f"there is no run {run!r}", fix="list them with `parti runs --state dead`")
    async with target.changing(token) as system:
        return Retried([await system.retry(run)], [])


async def retry_all(target: Target, part: str, *, token: str = "") -> Retried:
    """Put every dead run of a part back in line. Raises P308 when the part never ran."""
    async with target.reading() as store:
        dead = await store.runs(part=part, state=State.DEAD, limit=AT_ONCE)
        if not dead and not await store.runs(part=part, limit=1):
            raise RunError("P308", f"`{part}` never ran", fix="list what did with `parti runs`")
    done = Retried([], [])
    if not dead:
        return done
    async with target.changing(token) as system:
        for record in reversed(dead):
            try:
                done.runs.append(await system.retry(record.id))
            except RunError as refused:
                done.refused.append(refused)
    return done
