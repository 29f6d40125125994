"""The limits of a run as a whole: what it may spend, and how long it may be at work."""

from __future__ import annotations

from math import inf
from typing import Final

from parti.engine.accounts import NOTHING, Account
from parti.engine.activation import Runner
from parti.engine.recorded import Recorded
from parti.errors import BudgetSpent
from parti.units import Seconds, duration_text

UNNOTICED: Final[Seconds] = 0.25
"""Waiting is no work, and is noticed after so long at most."""


def account_of(runner: Runner, recorded: Recorded | None) -> Account | None:
    """What a run of `runner` may spend, with what its journal says was spent; None where nothing limits it."""
    if runner.budget is None:
        return None
    spent = recorded.spent.under("") if recorded else NOTHING
    return Account(runner.name, runner.budget, spent, runner.place)


def in_doubt(recorded: Recorded | None) -> bool:
    """Whether nobody knows what became of a write of the run."""
    return recorded is not None and any(write.state == "doubt" for write in recorded.writes.values())


def seconds_left(runner: Runner, busy: Seconds) -> Seconds:
    """How long a run that was at work for `busy` seconds may go on by its budget. Raises BudgetSpent."""
    if runner.budget is None or runner.budget.seconds is None:
        return inf
    if busy >= runner.budget.seconds:
        raise out_of_seconds(runner)
    return runner.budget.seconds - busy + UNNOTICED


def out_of_seconds(runner: Runner) -> BudgetSpent:
    """The error of a run whose seconds at work are over."""
    limit = runner.budget.seconds if runner.budget else None
    said = f"`{runner.name}` has a budget of {duration_text(limit or 0)} at work, and they are over"
    return BudgetSpent("P312", said, place=runner.place, fix="raise budget=, or do with less", limit="seconds")
