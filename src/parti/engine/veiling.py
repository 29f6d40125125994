"""Veiling: which labelled values a run knows, so that they can be masked where they leave; nothing where no gate masks.

A run that is taken up again knows all that its journal answers before it begins, since agents that are done are not asked
again, and what they read would be unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from parti.design.agent import Agent
from parti.design.labels import Label, Labelled, Tags
from parti.design.llm import Llm
from parti.design.memory import Episode, Memory, Recalled
from parti.design.model import Model
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.engine.rows import unpack_row
from parti.errors import PayloadError
from parti.journal.entries import Entry, Kind
from parti.ports.agents import Earlier
from parti.trust.masking import json_in
from parti.trust.tokens import code_of
from parti.trust.veil import MASKED, Veil, tokens_in

if TYPE_CHECKING:
    from parti.engine.activation import Activation


def begin(run: Activation) -> None:
    """Give a run its veil, if a gate masks, with what its journal says that it knows."""
    services, record = run.services, run.record
    if services.labelling is None or not services.labelling.masks:
        return
    gates = [one.entry.answer for waiting in run.recorded.gates.values() for one in waiting] if run.recorded else []
    run.veil = Veil(partial(code_of, services.secret, record.tenant, record.id), tokens_in(gates))
    if run.recorded:
        for entries in run.recorded.steps.values():
            for entry in entries:
                _again(run, entry)
        for (name, _), write in run.recorded.writes.items():
            part = services.design.by_name.get(name) or services.remote.get(name)
            if isinstance(part, Tool) and write.state == "done":
                with suppress(PayloadError):
                    learn(run, part, part.function.returns.decode(write.answer))


def learn(run: Activation, part: Any, value: Any) -> None:
    """Know the labelled values in what a part gave."""
    if run.veil is None:
        return
    match part:
        case Step() | Tool():
            _learn(run, (part.server if isinstance(part, Tool) else "") or part.name, part.function.returns.kind, value)
        case Agent() | Model():
            _learn(run, part.name, part.output.kind, value)
        case Table():
            _learn(run, part.name, part.payload.kind, value)
        case Memory() | Llm():
            _learn(run, part.name, Any, value)


def _learn(run: Activation, name: str, kind: Any, value: Any) -> None:
    labelling = run.services.labelling
    if run.veil is not None and labelling is not None and name not in labelling.veiled:
        run.veil.learn(name, kind, value, labelling.fields.get(name, ()))


def learn_input(run: Activation, where: str, kind: Any, value: Any, labelled: Labelled) -> None:
    """Know the labelled values in what the run was given."""
    if run.veil is not None:
        run.veil.learn(where, kind, value, labelled)


def learn_recalled(run: Activation, memory: Memory, found: Sequence[Recalled]) -> None:
    """Know what was recalled: the facts, and what was said about them."""
    learn(run, memory, [[one.text, dict(one.about)] for one in found])


def learn_episodes(run: Activation, found: Sequence[Episode], tags: Tags) -> None:
    """Know what earlier runs ended with."""
    if run.veil is not None and tags & MASKED:
        labelled = tuple(("", tag) for tag in tags & MASKED)
        for one in found:
            run.veil.learn(f"{one.part}.result", Any, [one.result, one.error], labelled)


def learn_session(run: Activation, agent: Agent, before: Earlier, journaled: dict[str, str] | None) -> None:
    """Know what was said earlier under the run's key, as it is: which values are in it was known to other runs alone."""
    tags = MASKED if journaled is None else frozenset(Label(one) for one in journaled if one in ("pii", "secret"))
    if run.veil is not None and tags:
        for said in before.exchanges:
            for text in said:
                run.veil.know(f"{agent.name}.said", text, tags, whole=True)
        run.veil.know(f"{agent.name}.summary", before.summary, tags)


def _again(run: Activation, entry: Entry) -> None:
    """Know what an entry of the journal answers. One that does not fit today's types is not answered with either."""
    part = run.services.design.by_name.get(entry.part) or run.services.remote.get(entry.part)
    if entry.kind not in (Kind.STEP, Kind.READ) or entry.answer is None:
        return
    with suppress(PayloadError, KeyError, TypeError):
        match part:
            case Step() | Tool():
                learn(run, part, part.function.returns.decode(to_json(entry.answer)))
            case Agent() if "output" in entry.answer:
                learn(run, part, part.output.decode(to_json(entry.answer["output"])))
            case Table():
                rows = [entry.answer] if isinstance(entry.arguments, str) else entry.answer
                for row in rows:
                    learn(run, part, unpack_row(part, to_json(row)))
            case Llm():
                learn(run, part, json_in(entry.answer["text"]) or entry.answer["text"])
            case Model() if not isinstance(entry.answer, list):
                learn(run, part, part.output.decode(to_json(entry.answer)))
            case Memory() if all("text" in one for one in entry.answer):
                learn(run, part, [[one["text"], one["about"]] for one in entry.answer])
