"""Budgets: what a call may cost is reserved before it and settled after it, so that no fan-out can overspend.

What was spent is journaled (`Kind.SPEND`): money and tokens before the call, since a crash must not make them be
forgotten; what was given back or came on top, and the step, together with its answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parti.design.budget import NO_COST, Cost
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.step import Step
from parti.design.tool import Tool
from parti.engine.accounts import NOTHING, Amount, amount_of
from parti.journal.entries import Kind

if TYPE_CHECKING:
    from parti.engine.context import RunContext

Spender = Step | Tool | Model | Llm
"""What takes from a budget when it is called."""


class Told:
    """What a call says it has cost so far, from whichever of its tasks; None while it said nothing."""

    __slots__ = ("cost",)

    def __init__(self) -> None:
        self.cost: Cost | None = None

    def add(self, cost: Cost) -> None:
        """It has cost that much, or that much more."""
        known = self.cost or NO_COST
        self.cost = Cost(known.usd + cost.usd, known.tokens + cost.tokens)


def reserve(context: RunContext, part: Spender, digest: str, most: Cost | None = None) -> Amount | None:
    """Reserve the most that a call of `part` may cost (None: as declared); None where no budget limits it.

    Raises BudgetSpent.
    """
    account = context.account
    if account is None:
        return None
    cost = _cost_of(part) if most is None else most
    held = amount_of(cost if cost is not NO_COST and account.limits_money else NO_COST, steps=1)
    account.reserve(part.name, held)
    if held.is_money:
        _note(context, part.name, digest, [held.nanos, held.tokens, 0, 1])
    return held


def adopt(context: RunContext, part: Spender, digest: str) -> Amount | None:
    """Take over what was reserved for this call before the process ended; None where nothing was."""
    account, recorded = context.account, context.run.recorded
    held = recorded.spent.take_held(context.path, part.name, digest) if recorded and account else None
    if held is None or account is None:
        return None
    held = held._replace(steps=1)
    account.adopt(held)
    return held


def settle(
    context: RunContext,
    part: Spender,
    digest: str,
    held: Amount | None,
    told: Cost | None,
    *,
    returned: bool = True,
    steps: int = 1,
) -> None:
    """A call is over, and `told` what it cost (None: as much as was declared). Journaled, also where nothing limits it.

    One that has not `returned` may have cost all that was declared, whatever it told.
    """
    cost = told if told is not None else _declared(part, held)
    if not returned:
        most = _declared(part, held)
        cost = Cost(max(cost.usd, most.usd), max(cost.tokens, most.tokens))
    if held is None:
        if told is not None and cost != NO_COST:
            _note(context, part.name, digest, [*amount_of(cost)])
        return
    account = context.account
    assert account is not None
    actual = amount_of(cost, steps)
    account.settle(held, actual)
    change = actual.less(held._replace(steps=0))
    if change != NOTHING or held.is_money:
        _note(context, part.name, digest, [*change])


def _declared(part: Spender, held: Amount | None) -> Cost:
    """The most that the call may cost: as its part declares, or as was reserved for it."""
    declared = _cost_of(part)
    if declared is NO_COST and held is not None:
        return Cost(held.nanos / 1_000_000_000, held.tokens)
    return declared


def _cost_of(part: Spender) -> Cost:
    return part.cost if isinstance(part, Tool) else NO_COST


def _note(context: RunContext, part: str, digest: str, answer: list[int]) -> None:
    run = context.run
    now = run.services.clock.now()
    run.note(Kind.SPEND, context.path, part, digest, now, 0.0, b"null", json.dumps(answer).encode())
