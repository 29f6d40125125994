"""Judging a design that runs: what `parti check` finds in it, for whoever looks at the board."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from parti.design.acceptance import Acceptance
from parti.design.graph import Design
from parti.ports.clock import Clock

Found = list[dict[str, Any]]
"""Findings as JSON, the worst first, then the accepted ones; "accepted" is null, or {"reason", "until"}."""


def findings_of(design: Design, clock: Clock) -> Callable[[], Awaitable[Found]]:
    """What is wrong with a design. It is judged once, in a thread, when somebody asks for the first time."""
    judging: list[asyncio.Task[Found]] = []

    async def findings() -> Found:
        if not judging:
            today = datetime.fromtimestamp(clock.now(), UTC).date()
            judging.append(asyncio.create_task(asyncio.to_thread(_judged, design, today), name="parti-findings"))
        return await asyncio.shield(judging[0])  # whoever asked may go; the others still wait

    return findings


def _judged(design: Design, today: date) -> Found:
    from parti.declare.dataflow.reader import read_dataflow  # noqa: PLC0415 only for who looks at the board
    from parti.rules.checking import check  # noqa: PLC0415 see above

    report = check(design, read_dataflow(design, Path(design.root)), today)
    found: Found = [{**one.as_json(), "accepted": None} for one in report.findings]
    for one in report.accepted:
        found.append({**one.finding.as_json(), "accepted": _as_json(one.acceptance)})
    return found


def _as_json(acceptance: Acceptance) -> dict[str, str]:
    return {"reason": acceptance.reason, "until": str(acceptance.until)}
