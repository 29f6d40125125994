"""Masking at gates: what leaves goes with its labelled values behind tokens, and what a model says comes back without them.

What went on is journaled with the decision, so that a replay gives on the same, whatever the run knows by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from parti.design.gate import Gate
from parti.design.labels import NONE, Label, Labelled
from parti.design.payload import Payload
from parti.design.tool import Tool
from parti.engine.steps import counted
from parti.errors import PayloadError
from parti.ports.llm import Answer, Request
from parti.trust.concerns import Concern, typed_labels
from parti.trust.masking import Cover, Unmaskable, texts_in, texts_of, uncovered
from parti.trust.veil import MASKED, VALUES_MAX, Covered, Veil

if TYPE_CHECKING:
    from parti.engine.context import RunContext


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is about to leave: JSON of a payload, or a request. `names` are those of arguments, where there are such.

    `cleared` are the labels that may go as they are, by path, and `fixed` the paths that mean nothing behind a token.
    """

    body: bytes | Request
    payload: Payload | None = None
    names: tuple[str, ...] = ()
    cleared: Labelled = ()
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Masked:
    """What came of masking: what may go on (None: as it was), what was masked, and the concerns that are left."""

    gave: Any
    covered: Sequence[Covered]
    left: Sequence[Concern]


async def mask(context: RunContext, gate: Gate, leaving: Leaving, concerns: Sequence[Concern]) -> Masked:
    """Put what the gate masks behind tokens; where that cannot be done all concerns are left, with why."""
    tags = NONE.union(*(one.tags for one in concerns)) & MASKED
    left = [replace(one, tags=one.tags - MASKED) for one in concerns if one.tags - MASKED]
    veil = context.run.veil
    if not tags or veil is None:
        return Masked(None, (), concerns)
    if gate.detect and Label.PII in tags:
        await _detect(context, veil, leaving.body)
    arguments = {one.argument.partition(".")[0] for one in concerns}
    if "" not in arguments:  # a gate that traces says which arguments are of concern
        spared = tuple((name, tag) for name in leaving.names if name not in arguments for tag in tags)
        leaving = replace(leaving, cleared=(*leaving.cleared, *spared))
    cover = Cover(veil, tags, leaving.cleared, leaving.fixed, but_free=gate.detect and Label.PII in tags)
    try:
        if veil.is_full:
            raise Unmaskable(f"the run has read more than {VALUES_MAX:,} labelled values")
        gave = _covered(cover, leaving)
    except Unmaskable as cannot:
        return Masked(None, (), [replace(one, origin=f"{one.origin}; {cannot}") for one in concerns])
    return Masked(gave if cover.times else None, veil.covered(cover.times), left)


def _covered(cover: Cover, leaving: Leaving) -> Any:
    if isinstance(leaving.body, Request):
        return cover.request(leaving.body)
    value = from_json(leaving.body)
    gave = cover.named(value, leaving.names) if leaving.names else cover.value(value)
    if cover.times and leaving.payload is not None:
        try:
            leaving.payload.decode(to_json(gave))
        except PayloadError as misfit:
            raise Unmaskable(f"no token fits there: {misfit.what}") from misfit
    return gave


async def _detect(context: RunContext, veil: Veil, body: bytes | Request) -> None:
    """Look for personal data in what leaves, beside the event loop. It is known from then on, as what was declared is."""
    detector = context.run.services.detector
    if detector is None:
        return
    texts = texts_of(body) if isinstance(body, Request) else texts_in(from_json(body))
    for text in dict.fromkeys(one for one in texts if one.strip()):
        for found in await counted(context, context.run.services.offload(detector.find, text)):
            veil.know(f"found.{found.kind.lower()}", text[found.start : found.end], frozenset({Label.PII}))


def restored(context: RunContext, answer: Answer, labels: Labelled) -> Answer:
    """A model's answer with values in the place of tokens, before it is journaled."""
    veil = context.run.veil
    if veil is None:
        return answer

    def of_tool(name: str) -> Labelled:
        part = context.run.services.design.by_name.get(name)
        return typed_labels(part) if isinstance(part, Tool) else ()

    return uncovered(answer, veil, labels, of_tool)
