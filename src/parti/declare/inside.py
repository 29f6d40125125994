"""Functions for use inside a run: asking a person, sleeping, and time, chance, ids and costs of a run."""

from __future__ import annotations

import random as _random
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from parti.declare.types import payload_of
from parti.design.budget import Cost
from parti.design.payload import Payload
from parti.design.places import NOWHERE
from parti.ports.context import NO_DEFAULT, required
from parti.units import seconds


async def ask(
    who: str, text: str, *, answer: Any = bool, timeout: str | float | None = None, default: Any = NO_DEFAULT
) -> Any:
    """Ask a person, by role, and wait for the answer, also across restarts.

    `answer` is the type of the answer (default bool). After `timeout` the answer is `default`; without one,
    QuestionExpired (P306) is raised. No timeout waits for ever.
    """
    limit = None if timeout is None else seconds(timeout)
    return await required("`ask`").ask(who, text, answer=type_asked_for(answer), timeout=limit, default=default)


async def sleep(duration: str | float) -> None:
    """Return after `duration` ("2d", "250ms", seconds), also when the process ends meanwhile."""
    await required("`sleep`").sleep(seconds(duration))


def now() -> datetime:
    """The time in UTC, the same in every replay of the run."""
    return required("`now`").now()


def random() -> _random.Random:
    """A random generator that gives the same numbers in every replay of the run."""
    return required("`random`").random()


def uuid() -> UUID:
    """A new id, the same in every replay of the run."""
    return required("`uuid`").uuid()


def idempotency_key() -> str:
    """The key of the `write` tool that is being called, to hand to the outside."""
    return required("`idempotency_key`").idempotency_key()


def spend(*, usd: float = 0.0, tokens: int = 0) -> None:
    """Say what the tool or step that is being called has cost (or that it has cost so much more): dollars and tokens.

    It counts in place of the declared `cost=`. Raises P105 for less than nothing, P301 outside a tool or step.
    """
    required("`spend`").spend(Cost(usd, tokens))


def tell(text: str) -> None:
    """Tell `text` to whoever called the durable endpoint and listens (``Accept: text/event-stream``), at once.

    Nothing is journaled, and a replay tells it again: it is for showing progress, not for results.
    """
    required("`tell`").tell(text)


def time_left() -> float:
    """Seconds until the tool or step that is being called is given up, by its own timeout or one around it.

    Hand it on to whoever is waited for: ``httpx.get(url, timeout=parti.time_left())``.
    """
    return required("`time_left`").time_left()


@lru_cache(maxsize=256)
def type_asked_for(kind: Any) -> Payload:
    """The type of an answer as a payload."""
    return payload_of(kind, place=NOWHERE, what="the answer of `ask`")
