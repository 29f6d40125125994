"""A tool: a function that reaches outside the system, with its effect declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from parti.design.approval import Approval
from parti.design.batch import Batch
from parti.design.budget import NO_COST, Cost
from parti.design.function import Function
from parti.design.gate import Gate
from parti.design.goals import Retry
from parti.design.labels import Labelled, Tag
from parti.design.places import Place
from parti.units import Seconds

Effect = Literal["none", "read", "write"]
Language = Literal["shell", "sql", "code", "html"]
"""What a text is run as, where a tool hands it to an interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Calls `function` as a step of the run.

    A `write` names its idempotency `key`, a path into its arguments (``letter.application_id``). When a crash leaves it
    unknown whether a write happened, an `idempotent` tool is called again with the same key, `reconcile` (given the key)
    says what happened (a result, or None for: it did not), and any other is parked for a person. `cost` is the most that
    one call costs, `approval` who must agree before one. `concurrency` and `batch` are as those of a Step.
    """

    name: str
    place: Place
    function: Function
    effect: Effect
    key: str | None
    timeout: Seconds
    retry: Retry
    idempotent: bool
    cost: Cost = NO_COST
    approval: Approval | None = None
    concurrency: int | None = None
    batch: Batch | None = None
    reconcile: Callable[[str], Any] | None = field(default=None, repr=False, compare=False)
    about: str = ""
    server: str = field(default="", repr=False)
    """The tool server that offers it, where it is none of the program's own: arrows lead to that."""
    labels: Labelled | None = field(default=None, repr=False)
    """The labels of its answer, where its type does not say; None where nothing was declared."""
    clearance: tuple[Tag, ...] = field(default=(), repr=False)
    """The labels that it may be given."""
    control: tuple[str, ...] = field(default=(), repr=False)
    """The arguments, by path, that decide what happens to whom: recipient, path, id, amount, URL."""
    runs: tuple[tuple[str, Language], ...] = field(default=(), repr=False)
    """The arguments, by path, that are run as a program, and as what."""
    gate: Gate | None = field(default=None, repr=False)
    """What is done with a call that would carry labels that it is not cleared for; None: what the system says."""
    principal: str = field(default="", repr=False)
    """The argument that says on whose behalf, so that their rights are checked and not the service's."""
    undo: str = field(default="", repr=False)
    """The tool that undoes it; "never" where nothing does; "" where nothing was declared."""

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.server or self.name}"

    @property
    def repeatable(self) -> bool:
        """Whether it may be called again when nobody knows if the first call took effect."""
        return self.effect != "write" or self.idempotent or self.reconcile is not None
