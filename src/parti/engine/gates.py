"""Gates: a call that would carry labels to where they may not go is allowed, put to a person, or refused; and that is journaled.

What was decided stays decided: a replay follows the journal, also where it would trace a value otherwise. What was done before
labels were held is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from parti.design.endpoint import Endpoint
from parti.design.gate import Gate
from parti.design.labelling import Labelling
from parti.design.labels import NONE, Label, Region
from parti.design.llm import Llm
from parti.design.places import Place
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine import approving, waiting
from parti.engine.showing import SHOWN_MAX, shown
from parti.engine.steps import digest_of
from parti.engine.writes import key_of
from parti.errors import StepFailed
from parti.journal.entries import Entry, Kind
from parti.journal.identity import step_digest
from parti.trust.concerns import Concern, conflicts, of_arguments, of_run, origins

if TYPE_CHECKING:
    from parti.engine.context import RunContext


@dataclass(frozen=True, slots=True)
class _Passage:
    """What is about to leave or happen: `name` is the part, `shown` what a person sees of it."""

    name: str
    place: Place
    digest: str
    shown: str
    body: bytes


async def at_tool(context: RunContext, tool: Tool, arguments: tuple[Any, ...]) -> None:
    """Return if the tool may be called. Raises StepFailed (P901, P902, P903)."""
    run, labelling = context.run, context.run.services.labelling
    if run.taint is None or labelling is None:
        return
    sink = tool.server or tool.name
    taint = run.taint.with_those(context.quarantine)
    tags = conflicts(taint, labelling.uncleared.get(sink, NONE), writes=tool.effect == "write")
    if tool.approval is not None and tool.approval.is_wanted(arguments):
        tags = frozenset(tag for tag in tags if tag is Label.SECRET or isinstance(tag, Region))
    if not tags:
        return
    body = tool.function.arguments.encode(arguments)
    digest = digest_of(tool.function, body)
    if _is_done(context, tool, digest, arguments):
        return
    gate = tool.gate or labelling.gate
    concerns, traced = [of_run(taint, tags)], None
    if gate.trace and context.trail is not None:
        concerns = of_arguments(tool, arguments, taint, tags, context.trail)
        traced = origins(tool, arguments, context.trail)
    said = ", ".join(
        f"{one.name}={shown(one.name, from_json(one.payload.encode(value)), SHOWN_MAX // len(arguments))}"
        for one, value in zip(tool.function.parameters, arguments, strict=True)
    )
    await _pass(context, gate, _Passage(tool.name, tool.place, digest, f"`{tool.name}` be called with {said}", body),
        concerns, traced)  # fmt: skip


async def at_llm(context: RunContext, llm: Llm, digest: str) -> None:
    """Return if the language model may be asked. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, llm.name)
    if concern and not (context.run.recorded and context.run.recorded.steps.get((context.path, llm.name, digest))):
        what = f"`{llm.name}`, which is outside, be shown what the run has read"
        await _pass(context, gate, _Passage(llm.name, llm.place, digest, what, b"null"), [concern])


async def at_topic(context: RunContext, topic: Topic, event: Any) -> None:
    """Return if the event may be published. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, topic.name)
    if concern:
        body = topic.payload.encode(topic.payload.coerce(event))
        what = f"{shown(topic.name, from_json(body), SHOWN_MAX)} be published to `{topic.name}`"
        await _pass(context, gate, _Passage(topic.name, topic.place, step_digest(body), what, body), [concern])


async def at_answer(context: RunContext, endpoint: Endpoint, answer: Any) -> None:
    """Return if the caller may be answered. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, endpoint.name)
    if concern and answer is not None:
        body = endpoint.function.returns.encode(answer)
        what = f"the caller of `{endpoint.name}` be answered {shown('answer', from_json(body), SHOWN_MAX)}"
        await _pass(context, gate, _Passage(endpoint.name, endpoint.place, step_digest(body), what, body), [concern])


def _concern(context: RunContext, name: str) -> tuple[Concern | None, Gate]:
    labelling: Labelling | None = context.run.services.labelling
    if context.run.taint is None or labelling is None:
        return None, Gate()
    taint = context.run.taint.with_those(context.quarantine)
    tags = conflicts(taint, labelling.uncleared.get(name, NONE))
    return of_run(taint, tags) if tags else None, labelling.gate


def _is_done(context: RunContext, tool: Tool, digest: str, arguments: tuple[Any, ...]) -> bool:
    """Whether the journal has the call already, and no gate before it: it was made before labels were held."""
    recorded = context.run.recorded
    if recorded is None or recorded.gates.get((context.path, tool.name, digest)):
        return False
    if recorded.steps.get((context.path, tool.name, digest)):
        return True
    known = recorded.writes.get((tool.name, key_of(tool, arguments))) if tool.effect == "write" else None
    return known is not None and known.state in ("done", "doubt")


async def _pass(
    context: RunContext,
    gate: Gate,
    passage: _Passage,
    concerns: Sequence[Concern],
    traced: dict[str, str] | None = None,
) -> None:
    run = context.run
    known = _recorded(context, passage)
    if known is None:
        decided = _decide(context, gate, passage, concerns)
        arguments = {"concerns": [one.as_json() for one in concerns], **({"traced": traced} if traced else {})}
        now = run.services.clock.now()
        run.note(Kind.GATE, context.path, passage.name, passage.digest, now, 0.0, to_json(arguments), to_json(decided))
    else:
        decided = known.answer
    match decided["then"]:
        case "ask":
            await _ask(context, gate, passage, decided)
        case "refuse":
            raise _refused(
                "P901", f"`{passage.name}` is not cleared for what it would be given: {decided['why']}", passage
            )
        case "too often":
            what = (
                f"{decided['who']} was asked {gate.per_hour} times within the hour, and `{passage.name}` is not cleared"
            )
            raise _refused("P903", f"{what}: {decided['why']}", passage)


def _recorded(context: RunContext, passage: _Passage) -> Entry | None:
    recorded = context.run.recorded
    waiting_for = recorded.gates.get((context.path, passage.name, passage.digest)) if recorded else None
    return waiting_for.popleft() if waiting_for else None


def _decide(context: RunContext, gate: Gate, passage: _Passage, concerns: Sequence[Concern]) -> dict[str, Any]:
    if not concerns:
        return {"then": "allow", "why": "every argument was named or is cleared"}
    why = "; ".join(one.in_words() for one in concerns)
    if gate.then == "allow":
        return {"then": "allow", "why": why}
    if gate.then == "refuse" or context.called:  # inside a step nobody can be waited for
        return {"then": "refuse", "why": why}
    run = context.run
    if not run.services.asked.may(gate.who, run.services.clock.now(), gate.per_hour):
        return {"then": "too often", "who": gate.who, "why": why}
    return {"then": "ask", "who": gate.who, "why": why, "text": f"May {passage.shown}? Of this, {why}."}


async def _ask(context: RunContext, gate: Gate, passage: _Passage, decided: dict[str, Any]) -> None:
    asking = waiting.Asking(decided["who"], decided["text"], approving.ANSWER, gate.timeout, False)
    if not await waiting.ask(context, asking):
        raise _refused("P902", f"{decided['who']} did not let `{passage.name}` go on: {decided['why']}", passage)


def _refused(code: str, what: str, passage: _Passage) -> StepFailed:
    return StepFailed(
        code, what, place=passage.place, fix="release the labels in a guard, name what decides in the task, or do without it",
        kind="parti.NotCleared",
    )  # fmt: skip
