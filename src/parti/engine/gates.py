"""Gates: a call that would carry labels to where they may not go is allowed, masked, put to a person, or refused; and that is journaled.

What was decided stays decided: a replay follows the journal, also where it would trace a value otherwise, and whatever the labels
say by then. What was done before labels were held is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from parti.design.approval import Approval
from parti.design.endpoint import Endpoint
from parti.design.gate import Gate
from parti.design.labelling import Labelling
from parti.design.labels import NONE, Label, Labelled, Region, Tag, Tags
from parti.design.llm import Llm
from parti.design.payload import Payload
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine import approving, echoing, masking
from parti.engine.deciding import Passage, decide, decided_before, obey, refused
from parti.engine.masking import Leaving
from parti.engine.showing import SHOWN_MAX, shown
from parti.engine.steps import digest_of
from parti.engine.writes import key_of
from parti.errors import StepFailed
from parti.journal.identity import step_digest
from parti.ports.llm import Request
from parti.trust.concerns import Concern, conflicts, of_arguments, of_run, origins, typed_labels

if TYPE_CHECKING:
    from parti.engine.activation import Activation
    from parti.engine.context import RunContext


async def at_tool(context: RunContext, tool: Tool, arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
    """The arguments with which the tool may be called, and whether a person approved of it here.

    Raises StepFailed (P709, P901, P902, P903).
    """
    tags, gate = _carried(context, tool)
    approval = _approval_of(context, tool, arguments)
    if approval is not None:
        tags |= _of_strangers(context, tool)
    echoes = [] if Label.UNTRUSTED in tags else echoing.of_call(context, tool, arguments)
    if not tags and not echoes and not _decided_any(context):
        return arguments, False
    body = tool.function.arguments.encode(arguments)
    digest = digest_of(tool.function, body)
    known = decided_before(context, tool.name, digest)
    if known is not None:
        return await _obeyed(context, tool, arguments, known.answer, gate)
    minded = tags
    if approval is not None and (tags or echoes):  # it counts as a yes
        tags = _never_approved(tags)
        if not tags and approving.was_asked(context, tool, approval, arguments):
            return arguments, False
    if not (minded or echoes) or _is_done(context, tool, digest, arguments):
        return arguments, False
    concerns, traced = _concerns(context, tool, arguments, tags or minded, gate, echoes)
    passage = _of_call(tool, arguments, body, digest)
    asks = approval.who if approval is not None and not tags else ""
    decided = await decide(context, gate, passage, concerns, traced, approves=asks)
    return await _approved(context, tool, arguments, decided)


async def _obeyed(
    context: RunContext, tool: Tool, arguments: tuple[Any, ...], decided: dict[str, Any], gate: Gate
) -> tuple[tuple[Any, ...], bool]:
    decided = await obey(context, tool.name, tool.place, decided, gate)
    return await _approved(context, tool, arguments, decided)


async def _approved(
    context: RunContext, tool: Tool, arguments: tuple[Any, ...], decided: dict[str, Any]
) -> tuple[tuple[Any, ...], bool]:
    """The arguments after a decision, once the person approved who is to be asked."""
    if decided["then"] != "approve":
        return _given(tool, decided.get("gave"), arguments), False
    if tool.approval is None:  # it needs none any more, but what was to be asked stays to be asked
        raise refused("P901", f"`{tool.name}` was to be approved by {decided['who']}: {decided['why']}", tool.place)
    await approving.approve(context, tool, tool.approval, arguments, decided["why"])
    return arguments, True


def _approval_of(context: RunContext, tool: Tool, arguments: tuple[Any, ...]) -> Approval | None:
    """Who is asked anyway about the call. Inside a step nobody can be."""
    approval = tool.approval
    return approval if approval is not None and not context.called and approval.is_wanted(arguments) else None


def _of_strangers(context: RunContext, tool: Tool) -> Tags:
    """UNTRUSTED, if the run has read it and the tool minds: whoever approves is told so, though the flow takes it for released."""
    taint = context.run.taint
    minds = tool.effect == "write" and (Label.UNTRUSTED not in tool.clearance or bool(tool.control))
    held = taint is not None and Label.UNTRUSTED in taint.with_those(context.quarantine).held
    return frozenset({Label.UNTRUSTED}) if minds and held else NONE


def _never_approved(tags: Tags) -> Tags:
    """What an approval is no yes for."""
    return frozenset(tag for tag in tags if tag is Label.SECRET or isinstance(tag, Region))


def _carried(context: RunContext, tool: Tool) -> tuple[Tags, Gate]:
    """The labels that the call may carry and the tool is not cleared for, and the gate that minds them."""
    run, labelling = context.run, context.run.services.labelling
    if run.taint is None or labelling is None:
        return NONE, tool.gate or Gate()
    taint = run.taint.with_those(context.quarantine)
    uncleared = labelling.uncleared.get(tool.server or tool.name, NONE)
    return conflicts(taint, uncleared, writes=tool.effect == "write"), tool.gate or labelling.gate


def _concerns(
    context: RunContext, tool: Tool, arguments: tuple[Any, ...], tags: Tags, gate: Gate, echoes: list[Concern]
) -> tuple[list[Concern], dict[str, str] | None]:
    """What is of concern in the call, and where each argument was found, if the gate traces."""
    if not tags:
        return echoes, None
    assert context.run.taint is not None, "labels are carried only where they are held"
    taint = context.run.taint.with_those(context.quarantine)
    if not gate.trace or context.trail is None:
        return [of_run(taint, tags), *echoes], None
    found = of_arguments(tool, arguments, taint, tags, context.trail)
    return [*found, *echoes], origins(tool, arguments, context.trail)


def _of_call(tool: Tool, arguments: tuple[Any, ...], body: bytes, digest: str) -> Passage:
    said = ", ".join(
        f"{one.name}={shown(one.name, from_json(one.payload.encode(value)), SHOWN_MAX // len(arguments))}"
        for one, value in zip(tool.function.parameters, arguments, strict=True)
    )
    names = tuple(one.name for one in tool.function.parameters)
    fixed = frozenset({*tool.control, *([tool.key] if tool.key else [])})
    leaving = Leaving(body, tool.function.arguments, names, (*_everywhere(tool.clearance), *typed_labels(tool)), fixed)
    return Passage(tool.name, tool.place, digest, f"`{tool.name}` be called with {said}", leaving)


def _given(tool: Tool, gave: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return arguments if gave is None else tuple(tool.function.arguments.decode(to_json(gave)))


def _everywhere(tags: Sequence[Tag]) -> Labelled:
    return tuple(("", tag) for tag in tags)


def _decided_any(context: RunContext) -> bool:
    """Whether the journal holds any decision of a gate: then each call is looked up, however it is labelled now."""
    return bool(context.run.recorded and context.run.recorded.gates)


def any_asked(run: Activation) -> bool:
    """Whether calls of the run pass gates: labels are held now, or they were when its journal was written."""
    return run.taint is not None or bool(run.recorded and run.recorded.gates)


async def at_llm(context: RunContext, llm: Llm, digest: str, request: Request) -> tuple[Llm, Request]:
    """The model with the fallbacks that may be sent the request, and as what. Raises StepFailed (P901, P902, P903).

    A fallback passes its own gate before anybody is asked, and is left out where that refuses.
    """
    request = await _to_llm(context, llm, digest, request)
    kept = []
    for name in llm.fallbacks:
        with suppress(StepFailed):
            request = await _to_llm(context, context.run.services.design.get(Llm, name), digest, request)
            kept.append(name)
    return (llm if len(kept) == len(llm.fallbacks) else replace(llm, fallbacks=tuple(kept))), request


async def _to_llm(context: RunContext, llm: Llm, digest: str, request: Request) -> Request:
    concern, gate = _concern(context, llm.name, llm.gate)
    known = decided_before(context, llm.name, digest)
    if known is None and concern is None:
        return request
    gone = []
    if known is not None:
        decided = await obey(context, llm.name, llm.place, known.answer, gate)
    elif concern is not None:
        what = f"`{llm.name}`, which is outside, be shown what the run has read"
        passage = Passage(llm.name, llm.place, digest, what, Leaving(request))
        decided, gone = await decide(context, gate, passage, [concern]), passage.gone
    if decided.get("masked") and not gone:  # decided before a crash: its answer is not known
        return await _masked_again(context, llm, gate, request, concern)
    return gone[0] if gone else request


async def _masked_again(
    context: RunContext, llm: Llm, gate: Gate, request: Request, concern: Concern | None
) -> Request:
    """The request behind tokens, as was decided. Raises StepFailed (P901) where labels do not say any more what to mask."""
    masked = await masking.mask(context, gate, Leaving(request), [concern]) if concern else None
    if masked is None or masked.gave is None:
        why = concern.in_words() if concern else "labels say no more what is to be masked"
        raise refused("P901", f"`{llm.name}` was to be shown tokens, and cannot: {why}", llm.place)
    return masked.gave  # type: ignore[no-any-return]


async def at_topic(context: RunContext, topic: Topic, event: Any) -> Any:
    """The event that may be published. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, topic.name)
    if not concern and not _decided_any(context):
        return event
    payload = topic.payload
    body = payload.encode(payload.coerce(event))
    what = f"{shown(topic.name, from_json(body), SHOWN_MAX)} be published to `{topic.name}`"
    leaving = Leaving(body, payload, (), payload.labels, frozenset({topic.key}))
    passage = Passage(topic.name, topic.place, step_digest(body), what, leaving)
    return _decoded(payload, await _gave(context, gate, passage, concern), event)


async def at_answer(context: RunContext, endpoint: Endpoint, answer: Any) -> Any:
    """What the caller may be answered. Raises StepFailed (P901, P902, P903)."""
    concern, gate = _concern(context, endpoint.name)
    if answer is None or (not concern and not _decided_any(context)):
        return answer
    returns = endpoint.function.returns
    body = returns.encode(answer)
    what = f"the caller of `{endpoint.name}` be answered {shown('answer', from_json(body), SHOWN_MAX)}"
    leaving = Leaving(body, returns, (), (*_everywhere(endpoint.clearance), *returns.labels))
    passage = Passage(endpoint.name, endpoint.place, step_digest(body), what, leaving)
    return _decoded(returns, await _gave(context, gate, passage, concern), answer)


async def _gave(context: RunContext, gate: Gate, passage: Passage, concern: Concern | None) -> Any:
    """What goes on behind tokens; None where all may go as it is. Raises StepFailed (P901, P902, P903)."""
    known = decided_before(context, passage.name, passage.digest)
    if known is not None:
        return (await obey(context, passage.name, passage.place, known.answer, gate)).get("gave")
    return (await decide(context, gate, passage, [concern])).get("gave") if concern else None


def _decoded(payload: Payload, gave: Any, value: Any) -> Any:
    return value if gave is None else payload.decode(to_json(gave))


def _concern(context: RunContext, name: str, own: Gate | None = None) -> tuple[Concern | None, Gate]:
    labelling: Labelling | None = context.run.services.labelling
    if context.run.taint is None or labelling is None:
        return None, own or Gate()
    taint = context.run.taint.with_those(context.quarantine)
    tags = conflicts(taint, labelling.uncleared.get(name, NONE))
    return of_run(taint, tags) if tags else None, own or labelling.gate


def _is_done(context: RunContext, tool: Tool, digest: str, arguments: tuple[Any, ...]) -> bool:
    """Whether the journal has the call already, and no gate before it: it was made before labels were held."""
    recorded = context.run.recorded
    if recorded is None:
        return False
    if recorded.steps.get((context.path, tool.name, digest)):
        return True
    known = recorded.writes.get((tool.name, key_of(tool, arguments))) if tool.effect == "write" else None
    return known is not None and known.state in ("done", "doubt")
