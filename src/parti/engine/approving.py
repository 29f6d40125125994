"""Approving: a person agrees to a call before it is made, however long that takes; nothing before it runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from pydantic_core import from_json

from parti.design.approval import Approval
from parti.design.payload import Payload, schema_digest
from parti.design.tool import Tool
from parti.engine import waiting
from parti.engine.showing import SHOWN_MAX, fair_shares, legible, shown
from parti.errors import RunError, StepFailed

if TYPE_CHECKING:
    from parti.engine.context import RunContext

_YES_OR_NO: TypeAdapter[bool] = TypeAdapter(bool)
ANSWER: Final = Payload("bool", _YES_OR_NO, _YES_OR_NO.json_schema(), schema_digest(_YES_OR_NO.json_schema()))


async def approve(
    context: RunContext, tool: Tool, approval: Approval, arguments: tuple[Any, ...], why: str = ""
) -> None:
    """Return once the person agreed, or the deadline did. Raises StepFailed (P709) when not. `why` says what labels it carries.

    Raises P301 inside a tool or step: its timeout would not wait for the person.
    """
    if context.called:
        raise RunError(
            "P301",
            f"the approval of `{tool.name}` is for handlers and agents",
            place=tool.place,
            fix="call it outside of the tool or step",
        )
    context.report(f"asks {approval.who}")
    text = _question(tool, arguments)
    if not _is_known(context, approval.who, text):  # as it was worded once
        text = legible(f"{text} Of this, {why}." if why else text)
    asking = waiting.Asking(approval.who, text, ANSWER, approval.timeout, approval.default)
    if not await waiting.ask(context, asking):
        raise StepFailed(
            "P709",
            f"{approval.who} did not approve of `{tool.name}`",
            place=tool.place,
            fix="do without it, or ask for something else",
            kind="parti.NotApproved",
        )


def was_asked(context: RunContext, tool: Tool, approval: Approval, arguments: tuple[Any, ...]) -> bool:
    """Whether the journal has the question as it was worded before it said what a call carries."""
    return _is_known(context, approval.who, _question(tool, arguments))


def _is_known(context: RunContext, who: str, text: str) -> bool:
    recorded, id = context.run.recorded, f"{context.run.record.id}?{context.question(who, text, counts=False)}"
    return recorded is not None and (id in recorded.answers or id in recorded.asked)


def _question(tool: Tool, arguments: tuple[Any, ...]) -> str:
    """What the person is asked: every argument by name, those that are long cut each by itself."""
    bodies = [
        parameter.payload.encode(value) for parameter, value in zip(tool.function.parameters, arguments, strict=True)
    ]
    shares = fair_shares([len(body) for body in bodies], SHOWN_MAX)
    named = zip(tool.function.parameters, bodies, shares, strict=True)
    texts = (f"{one.name}={shown(one.name, from_json(body), share)}" for one, body, share in named)
    return f"May `{tool.name}` be called with {', '.join(texts)}?"
