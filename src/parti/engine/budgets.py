"""Budgets: what a call may cost is reserved before it and settled after it, so that no fan-out can overspend.

Money is counted in whole billionths of a dollar. What was spent is journaled (`Kind.SPEND`): money and tokens before the
call, since a crash must not make them be forgotten; what was given back, and the step, together with its answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from parti.design.budget import NO_COST, Budget, Cost
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.places import Place
from parti.design.step import Step
from parti.design.tool import Tool
from parti.engine.entries import Entry, Kind
from parti.errors import BudgetSpent
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.context import RunContext

BILLION: Final = 1_000_000_000

Spender = Step | Tool | Model | Llm
"""What takes from a budget when it is called."""


class Amount(NamedTuple):
    """Billionths of a dollar, tokens and steps."""

    nanos: int = 0
    tokens: int = 0
    steps: int = 0

    @property
    def is_money(self) -> bool:
        """Whether it is more than a count of steps."""
        return bool(self.nanos or self.tokens)

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.nanos + other.nanos, self.tokens + other.tokens, self.steps + other.steps)

    def less(self, other: Amount) -> Amount:
        """The difference."""
        return Amount(self.nanos - other.nanos, self.tokens - other.tokens, self.steps - other.steps)


NOTHING: Final = Amount()
ONE_STEP: Final = Amount(steps=1)


def amount_of(cost: Cost, steps: int = 0) -> Amount:
    """A cost as it is counted."""
    return Amount(round(cost.usd * BILLION), cost.tokens, steps)


class Account:
    """What may be spent, was spent, and is reserved by calls under way. What is spent here is spent of `parent`, too."""

    __slots__ = ("held", "limit", "owner", "parent", "place", "spent")

    def __init__(self, owner: str, limit: Budget, spent: Amount, place: Place, parent: Account | None = None) -> None:
        self.owner = owner
        self.limit = limit
        self.spent = spent
        self.held = NOTHING
        self.place = place
        self.parent = parent

    @property
    def limits_money(self) -> bool:
        """Whether dollars or tokens are bounded, here or around."""
        return any(account.limit.usd is not None or account.limit.tokens is not None for account in self._chain())

    def reserve(self, what: str, most: Amount) -> None:
        """Set aside the most that a call of `what` may cost. Raises BudgetSpent where that is more than is left."""
        for account in self._chain():
            account._refuse_over(what, most)
        for account in self._chain():
            account.held = account.held.plus(most)

    def settle(self, held: Amount, spent: Amount) -> None:
        """A call is over: what was reserved for it is free, what it cost is spent."""
        for account in self._chain():
            account.held = account.held.less(held)
            account.spent = account.spent.plus(spent)

    def _chain(self) -> Iterator[Account]:
        account: Account | None = self
        while account is not None:
            yield account
            account = account.parent

    def _refuse_over(self, what: str, most: Amount) -> None:
        limit = self.limit
        used = self.spent.plus(self.held)
        wanted = used.plus(most)
        if limit.usd is not None and wanted.nanos > round(limit.usd * BILLION) and most.nanos:
            raise self._spent(
                "usd", f"${limit.usd:g}", f"${used.nanos / BILLION:g}", what, f"${most.nanos / BILLION:g}"
            )
        if limit.tokens is not None and wanted.tokens > limit.tokens and most.tokens:
            raise self._spent("tokens", f"{limit.tokens} tokens", f"{used.tokens}", what, f"{most.tokens}")
        if limit.steps is not None and wanted.steps > limit.steps and most.steps:
            raise self._spent("steps", f"{limit.steps} steps", f"{used.steps}", what, f"{most.steps}")

    def _spent(self, kind: str, limit: str, used: str, what: str, most: str) -> BudgetSpent:
        said = f"`{self.owner}` has a budget of {limit}, {used} are spent or reserved, and `{what}` may take {most}"
        return BudgetSpent("P312", said, place=self.place, fix="raise budget=, or do with less", limit=kind)


class Spent:
    """What a run's journal says was spent, by branch."""

    __slots__ = ("_by_branch", "_seconds")

    def __init__(self) -> None:
        self._by_branch: dict[str, Amount] = {}
        self._seconds: dict[str, Seconds] = {}

    def add(self, entry: Entry) -> None:
        """Learn one SPEND entry."""
        nanos, tokens, steps = entry.answer
        self._by_branch[entry.branch] = self.under(entry.branch, only=True).plus(Amount(nanos, tokens, steps))

    def add_time(self, entry: Entry) -> None:
        """Learn how long a step took."""
        self._seconds[entry.branch] = self._seconds.get(entry.branch, 0.0) + entry.took

    def seconds_under(self, path: str) -> Seconds:
        """How long the steps of a branch took, one after the other, and what it started or is inside of them."""
        return sum(took for branch, took in self._seconds.items() if _is_under(branch, path))

    def under(self, path: str, *, only: bool = False) -> Amount:
        """What was spent in a branch and, unless `only` there, in those it started and inside its steps."""
        if only:
            return self._by_branch.get(path, NOTHING)
        total = NOTHING
        for branch, amount in self._by_branch.items():
            if _is_under(branch, path):
                total = total.plus(amount)
        return total

    def forget(self) -> None:
        """A person retried the run: its budget is granted anew."""
        self._by_branch.clear()
        self._seconds.clear()


def _is_under(branch: str, path: str) -> bool:
    return not path or branch == path or branch.startswith((f"{path}.", f"{path}/"))


def reserve(context: RunContext, part: Spender, most: Cost | None = None) -> Amount | None:
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
        _note(context, part.name, held._replace(steps=0))
    return held


def settle(context: RunContext, part: Spender, held: Amount | None, told: Cost | None, *, steps: int = 1) -> None:
    """A call is over, and `told` what it cost (None: as much as was declared). Journaled, also where nothing limits it."""
    if held is None:
        if told is not None:
            _note(context, part.name, amount_of(told))
        return
    account = context.account
    assert account is not None
    actual = amount_of(_cost_of(part) if told is None else told, steps)
    account.settle(held, actual)
    change = actual.less(held._replace(steps=0))
    if change != NOTHING:
        _note(context, part.name, change)


def _cost_of(part: Spender) -> Cost:
    return part.cost if isinstance(part, Tool) else NO_COST


def _note(context: RunContext, part: str, amount: Amount) -> None:
    run = context.run
    answer = json.dumps(amount).encode()
    run.note(Kind.SPEND, context.path, part, "", run.services.clock.now(), 0.0, b"null", answer)
