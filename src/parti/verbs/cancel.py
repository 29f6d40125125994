"""Cancelling: a run that has not ended is ended."""

from __future__ import annotations

from parti.errors import RunError
from parti.ports.store import RunRecord
from parti.verbs.target import Target


async def cancel(target: Target, run: str, *, token: str = "") -> RunRecord:
    """End a run; what it has journaled stays. Raises P308, and P309 when it has ended already."""
    async with target.reading() as store:
        if await store.run(run) is None:
            raise RunError("P308", f"there is no run {run!r}", fix="list them with `parti runs`")
    async with target.changing(token) as system:
        return await system.cancel(run)
