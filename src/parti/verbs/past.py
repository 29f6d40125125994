"""Past runs as cases: what agents, models, handlers and endpoints got and gave, out of the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic_core import from_json, to_json

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Evaluation, Journal
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.errors import DeclarationError, PayloadError
from parti.journal.caused import find_caused
from parti.journal.entries import Entry, Kind
from parti.journal.whole import entries_of
from parti.ports.store import RunRecord, State, Store
from parti.units import seconds
from parti.verbs.target import now


async def past_cases(
    design: Design, store: Store, wanted: Journal, evaluation: Evaluation
) -> AsyncIterator[dict[str, Any]]:
    """What the part got and gave, as the facts of cases, the latest runs first. Raises P106 for a part without inputs."""
    name = wanted.part or evaluation.of
    since, part = now() - seconds(wanted.since), design.by_name.get(name)
    if isinstance(part, Handler | Endpoint):
        for run in await store.runs(part=name, state=State.DONE, since=since, limit=wanted.limit):
            given = await input_of(run, store)
            if given is not None:
                yield {"input": given, "expected": await _output_of(part, run, store)}
    elif isinstance(part, Agent | Model):
        for runner in (one.name for one in design.parts if isinstance(one, Handler | Endpoint | Schedule)):
            if name in design.reach(runner):
                for run in await store.runs(part=runner, since=since, limit=wanted.limit):
                    for entry in await entries_of(store, run.id):
                        if entry.part == name and entry.kind == Kind.STEP and _is_answer(entry, part):
                            yield _case_of(entry, part, evaluation)
    else:
        raise DeclarationError(
            "P106", f"the journal holds no inputs of {name!r}", place=evaluation.place,
            fix="name an agent, a model, a handler or an endpoint",
        )  # fmt: skip


async def input_of(run: RunRecord, store: Store) -> Any:
    """What a run was given: its event, its one argument, or all of them; None where its event is gone."""
    if not run.topic:
        arguments = from_json(run.arguments)
        return arguments[0] if len(arguments) == 1 else arguments
    found = await store.events(run.topic, run.partition, start=run.offset, limit=1)
    return from_json(found[0].payload) if found and found[0].offset == run.offset else None


async def _output_of(part: Handler | Endpoint, run: RunRecord, store: Store) -> Any:
    """What a run gave: an endpoint its result, a handler the event that it returned, if it is still there."""
    if isinstance(part, Endpoint):
        return from_json(run.result or b"null")
    keys = [
        (entry.part, str(entry.arguments))
        for entry in await entries_of(store, run.id)
        if entry.kind == Kind.PUBLISH and entry.part == part.to
    ]
    found = await find_caused(run, keys[-1:], store)
    return from_json(found[-1].event.payload) if found else None


def _is_answer(entry: Entry, part: Agent | Model) -> bool:
    """Whether it is one of the part's own; reasons of a model's answer are told apart by their arguments."""
    return isinstance(part, Agent) or not isinstance(entry.arguments, list)


def _case_of(entry: Entry, part: Agent | Model, evaluation: Evaluation) -> dict[str, Any]:
    if isinstance(part, Model):
        return {"input": entry.arguments, "expected": entry.answer}
    asked = entry.arguments
    task, variables = (asked["task"], asked["variables"]) if isinstance(asked, dict) else (asked, {})
    return {"input": _typed(task, evaluation), "variables": variables, "expected": entry.answer.get("output")}


def _typed(task: str, evaluation: Evaluation) -> Any:
    """A task that was no text stands in the journal as the text of its JSON."""
    try:
        evaluation.input.decode(to_json(task))
    except PayloadError:
        return from_json(task)
    return task
