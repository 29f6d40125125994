"""Runs: the latest ones, narrowed down."""

from __future__ import annotations

from parti.errors import RunError
from parti.ports.store import RunRecord, State
from parti.units import Seconds
from parti.verbs.target import Target, now


async def runs(
    target: Target, *, part: str = "", state: str = "", since: Seconds | None = None, limit: int = 50
) -> list[RunRecord]:
    """The latest runs first: of one part, in one state, begun within the last `since` seconds. Raises P308."""
    if state and state not in set(State):
        raise RunError("P308", f"there is no state {state!r}", fix=f"one of: {', '.join(State)}")
    async with target.reading() as store:
        return await store.runs(
            part=part, state=State(state) if state else None, since=now() - since if since else 0.0, limit=limit
        )
