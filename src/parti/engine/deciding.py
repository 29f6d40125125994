"""Deciding at a gate: by what the journal says was decided, else by what the gate declares; and doing as was decided.

What was decided stays decided, whatever the labels say by then: a person's no, and a refusal, outlive any change of the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from parti.design.gate import Gate
from parti.design.places import Place
from parti.engine import approving, masking, waiting
from parti.engine.masking import Leaving
from parti.engine.showing import legible
from parti.engine.steps import counted
from parti.errors import StepFailed
from parti.journal.entries import Entry, Kind
from parti.ports.llm import Request
from parti.trust.asking import HOUR
from parti.trust.concerns import Concern

if TYPE_CHECKING:
    from parti.engine.context import RunContext


LOOKED_AT: Final = 1_000
"""Questions to a person that are looked at for those of the last hour."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What is about to leave or happen: `name` is the part, `shown` what a person sees of it."""

    name: str
    place: Place
    digest: str
    shown: str
    leaving: Leaving
    gone: list[Any] = field(default_factory=list)
    """The request as it was masked, which is not journaled: its answer is."""


def decided_before(context: RunContext, name: str, digest: str) -> Entry | None:
    """What the journal says was decided of this very call; it is taken, as an answer is."""
    recorded = context.run.recorded
    return recorded.take_gate(context.path, name, digest) if recorded and recorded.gates else None


async def decide(
    context: RunContext,
    gate: Gate,
    passage: Passage,
    concerns: Sequence[Concern],
    traced: dict[str, str] | None = None,
    *,
    approves: str = "",
) -> dict[str, Any]:
    """Decide as the gate says, journal that, and do so. Raises StepFailed (P901, P902, P903).

    `approves` must agree to the call anyway: then it is for the caller to ask them.
    """
    run = context.run
    if approves:
        decided = await _by_approval(context, approves, gate, concerns)
    else:
        decided = await _by_gate(context, gate, passage, concerns)
    arguments = {"concerns": [one.as_json() for one in concerns], **({"traced": traced} if traced else {})}
    now = run.services.clock.now()
    run.note(Kind.GATE, context.path, passage.name, passage.digest, now, 0.0, to_json(arguments), to_json(decided))
    return await obey(context, passage.name, passage.place, decided, gate)


async def obey(context: RunContext, name: str, place: Place, decided: dict[str, Any], gate: Gate) -> dict[str, Any]:
    """Do as was decided; `gate` says how long to wait where the journal does not. Raises StepFailed (P901, P902, P903)."""
    match decided["then"]:
        case "ask":
            timeout = decided.get("timeout", gate.timeout)
            asking = waiting.Asking(decided["who"], decided["text"], approving.ANSWER, timeout, False)
            if not await waiting.ask(context, asking):
                raise refused("P902", f"{decided['who']} did not let `{name}` go on: {decided['why']}", place)
        case "refuse":
            raise refused("P901", f"`{name}` is not cleared for what it would be given: {decided['why']}", place)
        case "too often":
            what = f"{decided['who']} was asked {decided.get('per_hour', gate.per_hour)} times within the hour"
            raise refused("P903", f"{what}, and `{name}` is not cleared: {decided['why']}", place)
    return decided


async def _by_gate(context: RunContext, gate: Gate, passage: Passage, concerns: Sequence[Concern]) -> dict[str, Any]:
    if not concerns:
        return {"then": "allow", "why": "every argument was named or is cleared"}
    why = "; ".join(one.in_words() for one in concerns)
    if gate.then == "allow":
        return {"then": "allow", "why": why}
    if gate.then != "mask":
        return await _strictly(context, gate, passage, why)
    masked = await masking.mask(context, gate, passage.leaving, concerns)
    covered: dict[str, Any] = {"masked": [one.as_json() for one in masked.covered]} if masked.covered else {}
    if isinstance(masked.gave, Request):
        passage.gone.append(masked.gave)
    elif masked.gave is not None:
        covered["gave"] = masked.gave
    if not masked.left:
        return {"then": "mask", "why": why, **covered}
    left = "; ".join(one.in_words() for one in masked.left)
    return {**await _strictly(context, gate, passage, left), **covered}


async def _by_approval(context: RunContext, who: str, gate: Gate, concerns: Sequence[Concern]) -> dict[str, Any]:
    """Whoever must approve is asked as often as a gate asks, and told what the call carries."""
    why = "; ".join(one.in_words() for one in concerns)
    if not await _may_ask(context, who, gate):
        return {"then": "too often", "who": who, "per_hour": gate.per_hour, "why": why}
    return {"then": "approve", "who": who, "why": why}


async def _may_ask(context: RunContext, who: str, gate: Gate) -> bool:
    """Whether they may be asked once more within the hour; what they were asked before the process started counts, too."""
    services = context.run.services
    now = services.clock.now()
    if not services.asked.knows(who):
        found = await counted(context, services.store.questions(who=who, state="", latest=True, limit=LOOKED_AT))
        times = [one.asked for one in found if one.asked > now - HOUR and one.text.startswith("May ")]
        if not services.asked.knows(who):  # another run was as quick
            services.asked.learn(who, times)
    return services.asked.may(who, now, gate.per_hour)


async def _strictly(context: RunContext, gate: Gate, passage: Passage, why: str) -> dict[str, Any]:
    """A person is asked, or it is refused."""
    if gate.stricter == "refuse" or context.called:  # inside a step nobody can be waited for
        return {"then": "refuse", "why": why}
    if not await _may_ask(context, gate.who, gate):
        return {"then": "too often", "who": gate.who, "per_hour": gate.per_hour, "why": why}
    text = legible(f"May {passage.shown}? Of this, {why}.")
    return {"then": "ask", "who": gate.who, "timeout": gate.timeout, "why": why, "text": text}


def refused(code: str, what: str, place: Place) -> StepFailed:
    """What a call is refused with that may not be made."""
    return StepFailed(
        code, what, place=place, fix="release the labels in a guard, name what decides in the task, or do without it",
        kind="parti.NotCleared",
    )  # fmt: skip
