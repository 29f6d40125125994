"""Load of a system as it is asked for, with the journal read where its arrivals are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from parti.planning.asked_load import asked_load, needs_journal
from parti.planning.load import Workload
from parti.planning.profile import Profile
from parti.planning.traffic import arrivals_in
from parti.units import Seconds
from parti.verbs.target import Target


async def workload(
    target: Target, texts: Sequence[str], profile: Profile | None, *, since: Seconds = 0.0, folder: Path | None = None
) -> Workload:
    """What these texts ask for, each ``[ENTRY=]LOAD``; files are named relative to `folder` (by default the present one).

    Raises P825 to P828, and P208 where the journal is asked for and there is none.
    """
    seen: dict[str, list[Seconds]] = {}
    if needs_journal(texts):
        async with target.reading() as store:
            seen = await arrivals_in(target.design, store, since=since)
    shares = profile.shares if profile is not None else {}
    return asked_load(texts, target.design, shares=shares, seen=seen, folder=folder or Path())
