"""Gates: a call that would carry labels to where they may not go is allowed, masked, put to a person, or refused; and that is journaled.

What was decided stays decided: a replay follows the journal, also where it would trace a value otherwise. What was done before
labels were held is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from parti.design.endpoint import Endpoint
from parti.design.gate import Gate
from parti.design.labelling import Labelling
from parti.design.labels import NONE, Label, Labelled, Region, Tag
from parti.design.llm import Llm
from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine import approving, masking, waiting
from parti.engine.masking import Leaving
from parti.engine.showing import SHOWN_MAX, shown
from parti.engine.steps import digest_of
from parti.engine.writes import key_of
from parti.errors import StepFailed
from parti.journal.entries import Entry, Kind
from parti.journal.identity import step_digest
from parti.ports.llm import Request
from parti.trust.concerns import Concern, conflicts, of_arguments, of_run, origins, typed_labels

if TYPE_CHECKING:
    from parti.engine.context import RunContext


@dataclass(frozen=True, slots=True)
class _Passage:
    """What is about to leave or happen: `name` is the part, `shown` what a person sees of it."""

    name: str
    place: Place
    digest: str
    shown: str
    leaving: Leaving
    gone: list[Any] = field(default_factory=list)
    """The request as it was masked, which is not journaled: its answer is."""


async def at_tool(context: RunContext, tool: Tool, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with which the tool may be called. Raises StepFailed (P901, P902, P903)."""
    run, labelling = context.run, context.run.services.labelling
    tags = NONE
    if run.taint is not None and labelling is not None:
        taint = run.taint.with_those(context.quarantine)
        sink = tool.server or tool.name
        tags = conflicts(taint, labelling.uncleared.get(sink, NONE), writes=tool.effect == "write")
    if tool.approval is not None and tags and tool.approval.is_wanted(arguments):
        tags = frozenset(tag for tag in tags if tag is Label.SECRET or isinstance(tag, Region))
    if not tags and not (run.recorded and run.recorded.gates):
        return arguments
    body = tool.function.arguments.encode(arguments)
    digest = digest_of(tool.function, body)
    if not tags or run.taint is None or labelling is None:
        return _given(tool, _masked_before(context, tool.name, digest), arguments)
    if _is_done(context, tool, digest, arguments):
        return arguments
    gate = tool.gate or labelling.gate
    concerns, traced = [of_run(taint, tags)], None
    if gate.trace and context.trail is not None:
        concerns = of_arguments(tool, arguments, taint, tags, context.trail)
        traced = origins(tool, arguments, context.trail)
    said = ", ".join(
        f"{one.name}={shown(one.name, from_json(one.payload.encode(value)), SHOWN_MAX // len(arguments))}"
        for one, value in zip(tool.function.parameters, arguments, strict=True)
    )
    names = tuple(one.name for one in tool.function.parameters)
    fixed = frozenset({*tool.control, *([tool.key] if tool.key else [])})
    leaving = Leaving(body, tool.function.arguments, names, (*_everywhere(tool.clearance), *typed_labels(tool)), fixed)
    passage = _Passage(tool.name, tool.place, digest, f"`{tool.name}` be called with {said}", leaving)
    return _given(tool, (await _pass(context, gate, passage, concerns, traced)).get("gave"), arguments)


def _given(tool: Tool, gave: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return arguments if gave is None else tuple(tool.function.arguments.decode(to_json(gave)))


def _everywhere(tags: Sequence[Tag]) -> Labelled:
    return tuple(("", tag) for tag in tags)


async def at_llm(context: RunContext, llm: Llm, digest: str, request: Request) -> Request:
    """The request that the language model may be sent. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, llm.name, llm.gate)
    if not concern or (context.run.recorded and context.run.recorded.steps.get((context.path, llm.name, digest))):
        return request
    what = f"`{llm.name}`, which is outside, be shown what the run has read"
    passage = _Passage(llm.name, llm.place, digest, what, Leaving(request))
    decided = await _pass(context, gate, passage, [concern])
    if decided.get("masked") and not passage.gone:  # decided before a crash: its answer is not known
        masked = await masking.mask(context, gate, passage.leaving, [concern])
        if masked.gave is None:
            raise _refused("P901", f"`{llm.name}` was to be shown tokens, and cannot: {concern.in_words()}", passage)
        passage.gone.append(masked.gave)
    return passage.gone[0] if passage.gone else request


async def at_topic(context: RunContext, topic: Topic, event: Any) -> Any:
    """The event that may be published. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, topic.name)
    recorded = context.run.recorded
    if not concern and not (recorded and recorded.gates):
        return event
    body = topic.payload.encode(topic.payload.coerce(event))
    if not concern:
        return _decoded(topic.payload, _masked_before(context, topic.name, step_digest(body)), event)
    what = f"{shown(topic.name, from_json(body), SHOWN_MAX)} be published to `{topic.name}`"
    leaving = Leaving(body, topic.payload, (), topic.payload.labels, frozenset({topic.key}))
    passage = _Passage(topic.name, topic.place, step_digest(body), what, leaving)
    return _decoded(topic.payload, (await _pass(context, gate, passage, [concern])).get("gave"), event)


async def at_answer(context: RunContext, endpoint: Endpoint, answer: Any) -> Any:
    """What the caller may be answered. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, endpoint.name)
    recorded = context.run.recorded
    if answer is None or (not concern and not (recorded and recorded.gates)):
        return answer
    returns = endpoint.function.returns
    body = returns.encode(answer)
    if not concern:
        return _decoded(returns, _masked_before(context, endpoint.name, step_digest(body)), answer)
    what = f"the caller of `{endpoint.name}` be answered {shown('answer', from_json(body), SHOWN_MAX)}"
    leaving = Leaving(body, returns, (), (*_everywhere(endpoint.clearance), *returns.labels))
    passage = _Passage(endpoint.name, endpoint.place, step_digest(body), what, leaving)
    return _decoded(returns, (await _pass(context, gate, passage, [concern])).get("gave"), answer)


def _decoded(payload: Payload, gave: Any, value: Any) -> Any:
    return value if gave is None else payload.decode(to_json(gave))


def _masked_before(context: RunContext, name: str, digest: str) -> Any:
    """What went on when it was masked; None where the journal has no such: labels may have been turned off since."""
    recorded = context.run.recorded
    waiting_for = recorded.gates.get((context.path, name, digest)) if recorded else None
    return waiting_for.popleft().answer.get("gave") if waiting_for and "gave" in waiting_for[0].answer else None


def _concern(context: RunContext, name: str, own: Gate | None = None) -> tuple[Concern | None, Gate]:
    labelling: Labelling | None = context.run.services.labelling
    if context.run.taint is None or labelling is None:
        return None, Gate()
    taint = context.run.taint.with_those(context.quarantine)
    tags = conflicts(taint, labelling.uncleared.get(name, NONE))
    return of_run(taint, tags) if tags else None, own or labelling.gate


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
) -> dict[str, Any]:
    run = context.run
    known = _recorded(context, passage)
    if known is None:
        decided = await _decide(context, gate, passage, concerns)
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
    return decided


def _recorded(context: RunContext, passage: _Passage) -> Entry | None:
    recorded = context.run.recorded
    waiting_for = recorded.gates.get((context.path, passage.name, passage.digest)) if recorded else None
    return waiting_for.popleft() if waiting_for else None


async def _decide(context: RunContext, gate: Gate, passage: _Passage, concerns: Sequence[Concern]) -> dict[str, Any]:
    if not concerns:
        return {"then": "allow", "why": "every argument was named or is cleared"}
    why = "; ".join(one.in_words() for one in concerns)
    if gate.then == "allow":
        return {"then": "allow", "why": why}
    if gate.then != "mask":
        return _strictly(context, gate, passage, why)
    masked = await masking.mask(context, gate, passage.leaving, concerns)
    covered: dict[str, Any] = {"masked": [one.as_json() for one in masked.covered]} if masked.covered else {}
    if isinstance(masked.gave, Request):
        passage.gone.append(masked.gave)
    elif masked.gave is not None:
        covered["gave"] = masked.gave
    if not masked.left:
        return {"then": "mask", "why": why, **covered}
    return {**_strictly(context, gate, passage, "; ".join(one.in_words() for one in masked.left)), **covered}


def _strictly(context: RunContext, gate: Gate, passage: _Passage, why: str) -> dict[str, Any]:
    """A person is asked, or it is refused."""
    if gate.stricter == "refuse" or context.called:  # inside a step nobody can be waited for
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
