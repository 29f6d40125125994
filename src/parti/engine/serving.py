"""Serving: a call of a part with a line or a batch waits, is served, and how long each took is told apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from parti.design.batch import answers_of
from parti.design.step import Step
from parti.design.tool import Tool
from parti.engine.calling import call
from parti.engine.gathering import Call, Gathering, Serve
from parti.engine.services import Services
from parti.engine.turns import Served, Turn
from parti.ports.context import CURRENT
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.context import RunContext
    from parti.journal.entries import MORE


@dataclass(slots=True)
class Timed:
    """How a call fared, in seconds: it `waited` in line, `began`, and `took` so long (None: until now).

    `batch` is how many were served together; 0 for a call that was served by itself.
    """

    waited: Seconds = 0.0
    began: Seconds | None = None
    took: Seconds | None = None
    batch: int = 0

    @property
    def more(self) -> MORE:
        """What the journal says of it beside how long it took."""
        waited = {"waited": round(self.waited, 6)} if self.waited >= TICK else {}
        return {**waited, "batch": self.batch} if self.batch else waited

    def add(self, waited: Seconds) -> None:
        """It stood in line, once more: so much later its service began."""
        self.waited += waited
        self.began = waited + (self.began or 0.0)

    def lasted(self, now: Seconds) -> Seconds:
        """How long its service took."""
        return now - self.began if self.took is None and self.began is not None else self.took or 0.0


TICK: Seconds = 1e-6
"""The shortest time that the journal tells."""


async def enter(inside: RunContext, part: Served, timed: Timed) -> Turn:
    """The turn of a call; it counts as not made while it waits. The run stays at work: at rest it would lose its place."""
    run, until = inside.run, inside.until
    inside.until = 0.0
    run.busy += 1
    try:
        turn = await run.services.lines.enter(part, (run.record.tenant, run.key), inside.turns)
    finally:
        run.busy -= 1
    inside.until = until
    inside.turns = (*inside.turns, turn)
    timed.waited, timed.began = turn.waited, turn.began
    return turn


async def in_batch(inside: RunContext, part: Step | Tool, item: Any, timed: Timed) -> Any:
    """The answer to one item, served with others. Until its batch begins it counts as not made."""
    run, until = inside.run, inside.until
    inside.until = 0.0
    run.busy += 1
    try:
        return await together(run.services, part, run.record.tenant, run.key, item, timed)
    finally:
        run.busy -= 1
        if timed.began is not None:
            inside.until = until


async def together(services: Services, part: Step | Tool, tenant: str, key: str, item: Any, timed: Timed) -> Any:
    """The answer to one item, served with those of other calls of the tenant."""
    gathering = services.gatherings.of(part, tenant)
    return await gathered(gathering, key, item, partial(_serve, services, part, tenant), timed)


async def gathered(gathering: Gathering, key: Hashable, item: Any, serve: Serve, timed: Timed) -> Any:
    """The answer to one item out of a batch, with `timed` filled in whatever comes."""
    one: Call = gathering.join(key, item, serve)
    try:
        return await gathering.wait_for(one)
    finally:
        timed.waited, timed.began, timed.took, timed.batch = one.waited, one.began, one.took, one.size


async def _serve(services: Services, part: Step | Tool, tenant: str, items: list[Any], turn: Turn) -> Sequence[Any]:
    """Call a batch function, under the part's timeout."""
    CURRENT.set(services.apart(part, tenant, turn.began + part.timeout))
    answers = await call(part.function, (items,), part.timeout, turn.offload(services.offload))
    return answers_of(part.name, part.place, answers, len(items))
