"""Retries: many dead runs started again in one go, within a bound, with an account of what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parti.board.queries.runs import Filters, runs
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.errors import PartiError, RunError
from parti.ports.operations import Operations
from parti.ports.store import State

AT_ONCE: Final = 100
"""Dead runs that one request looks at; so one request starts at most as many."""

TOLD: Final = 5
"""Refusals that are told word for word."""


@dataclass(frozen=True, slots=True)
class RefusedRetry:
    """A run that was not started again, and why."""

    run: str
    code: str
    error: str


@dataclass(frozen=True, slots=True)
class Retried:
    """How many runs were started again, and how many were not. `next` goes on in the list; None at its end."""

    retried: int
    refused: int
    why: tuple[RefusedRetry, ...]
    next: str | None


async def retry_dead(running: Operations, *, topic: str = "", part: str = "", after: str = "") -> Retried:
    """Start dead runs again: those of a part, of the handlers of a topic, or any; the latest first. Raises P308.

    A run that dies again while others are started keeps its place in the list, behind `next`: nothing is tried twice.
    """
    wanted = _parts(running.design, topic, part)
    only = next(iter(wanted)) if wanted and len(wanted) == 1 else ""
    filters = Filters(state=State.DEAD, part=only, after=after, limit=AT_ONCE)
    page = await runs(running.store, running.design, filters, at=running.clock.now())
    ids = [line.id for line in page.runs if wanted is None or line.part in wanted]
    outcomes = await asyncio.gather(*(running.retry(id) for id in ids), return_exceptions=True)
    return _told(ids, outcomes, page.next)


def _parts(design: Design, topic: str, part: str) -> frozenset[str] | None:
    """The parts whose runs are meant; None for all."""
    if part:
        return frozenset([part])
    if not topic:
        return None
    readers = frozenset(handler.name for handler in design.all(Handler) if handler.topic == topic)
    if not readers:
        raise RunError("P308", f"nothing handles the events of {topic!r}", fix="look at the list of topics")
    return readers


def _told(ids: Sequence[str], outcomes: Sequence[object], next: str | None) -> Retried:
    refused = []
    for id, outcome in zip(ids, outcomes, strict=True):
        if isinstance(outcome, PartiError):
            refused.append(RefusedRetry(id, outcome.code, outcome.what))
        elif isinstance(outcome, BaseException):
            raise outcome
    return Retried(len(ids) - len(refused), len(refused), tuple(refused[:TOLD]), next)
