"""Accounts: what may be spent, was spent, and is reserved; and what a run's journal says of it.

Money is counted in whole billionths of a dollar.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from parti.design.budget import Budget, Cost
from parti.design.places import Place
from parti.errors import BudgetSpent
from parti.journal.entries import Entry
from parti.units import Seconds

BILLION: Final = 1_000_000_000


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

    @property
    def limits_usd(self) -> bool:
        """Whether dollars are bounded, here or around."""
        return any(account.limit.usd is not None for account in self._chain())

    def reserve(self, what: str, most: Amount) -> None:
        """Set aside the most that a call of `what` may cost. Raises BudgetSpent where that is more than is left."""
        for account in self._chain():
            account._refuse_over(what, most)
        for account in self._chain():
            account.held = account.held.plus(most)

    def adopt(self, held: Amount) -> None:
        """Take over what an earlier process had reserved: it counts as spent so far, and was refused by nobody."""
        for account in self._chain():
            account.spent = account.spent.less(held._replace(steps=0))
            account.held = account.held.plus(held)

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
        """Refuse what may be more than is left, and everything once more was told to be spent than there was."""
        limit = self.limit
        used = self.spent.plus(self.held)
        wanted = used.plus(most)
        if limit.usd is not None and wanted.nanos > round(limit.usd * BILLION):
            raise self._spent(
                "usd", f"${limit.usd:g}", f"${used.nanos / BILLION:g}", what, f"${most.nanos / BILLION:g}"
            )
        if limit.tokens is not None and wanted.tokens > limit.tokens:
            raise self._spent("tokens", f"{limit.tokens} tokens", f"{used.tokens}", what, f"{most.tokens}")
        if limit.steps is not None and wanted.steps > limit.steps and most.steps:
            raise self._spent("steps", f"{limit.steps} steps", f"{used.steps}", what, f"{most.steps}")

    def _spent(self, kind: str, limit: str, used: str, what: str, most: str) -> BudgetSpent:
        said = f"`{self.owner}` has a budget of {limit}, {used} are spent or reserved, and `{what}` may take {most}"
        return BudgetSpent("P312", said, place=self.place, fix="raise budget=, or do with less", limit=kind)


class Spent:
    """What a run's journal says was spent, by branch, and what of it was only reserved when a process ended."""

    __slots__ = ("_by_branch", "_held", "_seconds")

    def __init__(self) -> None:
        self._by_branch: dict[str, Amount] = {}
        self._held: dict[tuple[str, str, str], Amount] = {}
        self._seconds: dict[str, Seconds] = {}

    def add(self, entry: Entry) -> None:
        """Learn one SPEND entry."""
        nanos, tokens, steps, *held = entry.answer
        amount = Amount(nanos, tokens, steps)
        self._by_branch[entry.branch] = self._by_branch.get(entry.branch, NOTHING).plus(amount)
        call = (entry.branch, entry.part, entry.digest)
        if held:
            self._held[call] = amount
        else:
            self._held.pop(call, None)

    def take_held(self, branch: str, part: str, digest: str) -> Amount | None:
        """What was reserved for a call that has not settled."""
        return self._held.pop((branch, part, digest), None)

    def add_time(self, entry: Entry) -> None:
        """Learn how long a step took, with its time in line."""
        self._seconds[entry.branch] = self._seconds.get(entry.branch, 0.0) + entry.took + entry.waited

    def seconds_under(self, path: str) -> Seconds:
        """How long the steps of a branch took, one after the other, and what it started or is inside of them."""
        return sum(took for branch, took in self._seconds.items() if is_under(branch, path))

    def under(self, path: str) -> Amount:
        """What was spent in a branch, in those it started, and inside its steps."""
        total = NOTHING
        for branch, amount in self._by_branch.items():
            if is_under(branch, path):
                total = total.plus(amount)
        return total

    def forget(self) -> None:
        """A person retried the run: its budget is granted anew."""
        self._by_branch.clear()
        self._held.clear()
        self._seconds.clear()


def is_under(branch: str, path: str) -> bool:
    """Whether a branch is that of `path`, one that it started, or inside of a step of theirs."""
    return not path or branch == path or branch.startswith((f"{path}.", f"{path}/"))
