"""Making a call of a step or tool: with a person's approval where it needs one, and once if it is a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parti.design.step import Step
from parti.design.tool import Tool
from parti.engine import approving, steps, writes

if TYPE_CHECKING:
    from parti.engine.context import RunContext


async def make(context: RunContext, part: Step | Tool, arguments: tuple[Any, ...], *, approved: bool = False) -> Any:
    """What the call answers; `approved` says that a person agreed to it already."""
    if type(part) is Tool:
        if part.approval is not None and not approved and part.approval.is_wanted(arguments):
            await approving.approve(context, part, part.approval, arguments)
        if part.effect == "write":
            return await writes.write(context, part, arguments)
    return await steps.step(context, part, arguments)
