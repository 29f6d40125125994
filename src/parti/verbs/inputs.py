"""Inputs to measure parts with: what past runs were called with, the cases of declared evaluations, or files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Journal
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.tool import Tool
from parti.errors import PartiError, PayloadError, StoreError, UsageError
from parti.journal.entries import Entry, Kind
from parti.journal.whole import entries_of
from parti.mlops.evaluation.cases import plain_payload
from parti.planning.subjects import arguments_of
from parti.ports.store import Store
from parti.verbs.cases import read_cases
from parti.verbs.lines import read_input
from parti.verbs.past import input_of
from parti.verbs.target import Target

RUNS: Final = 200
"""Runs of each runner that are looked at for inputs, the latest."""

CASES: Final = 200

Arguments = dict[str, list[tuple[Any, ...]]]


async def inputs_for(target: Target, files: Mapping[str, str]) -> Arguments:
    """What each part can be called with: from its file, where one is given; else from past runs and from evaluations.

    Raises P308 for a file of an unknown part, P402, P405 and P504 for one that does not fit or cannot be read.
    """
    design = target.design
    found: Arguments = {}
    for name, values in (await _past(target)).items():
        found[name] = [*_fitting(design.by_name[name], values)]
    for name, cases in (await _cases(target)).items():
        found.setdefault(name, []).extend(cases)
    for name, file in files.items():
        part = design.by_name.get(name)
        if not isinstance(part, Step | Tool | Model | Agent | Handler | Endpoint | Llm):
            raise UsageError("P308", f"there is no part {name!r} that takes inputs", fix=_known(design))
        found[name] = [*_from_file(part, file)]
    return found


def _known(design: Design) -> str:
    kinds = (Step, Tool, Model, Agent, Handler, Endpoint, Llm)
    return f"one of: {', '.join(part.name for part in design.parts if isinstance(part, kinds)) or 'none'}"


def _from_file(part: Part, file: str) -> Iterator[tuple[Any, ...]]:
    source = read_input(file, (), plain_payload(Any))
    count = 0
    try:
        for line in source.lines:
            if line.wrong is not None:
                line.wrong.place = f"{source.name}:{line.number}"
                raise line.wrong
            try:
                yield arguments_of(part, from_json(line.body))
            except PayloadError as wrong:
                wrong.place = f"{source.name}:{line.number}"
                raise
            except ValueError as wrong:
                what = f"this is not JSON: {wrong}"
                raise PayloadError(
                    "P405", what, place=f"{source.name}:{line.number}", fix="write an input a line"
                ) from wrong
            count += 1
    finally:
        source.close()
    if not count:
        raise UsageError(
            "P504", f"{source.name} holds no input for `{part.name}`", fix="write an input a line, in JSON"
        )


def _fitting(part: Part, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Past inputs that still fit; each once, the latest first."""
    seen: set[str] = set()
    for value in values:
        try:
            arguments = arguments_of(part, value)
        except PartiError:  # it was written under another type
            continue
        key = repr(value)
        if key not in seen:
            seen.add(key)
            yield arguments


async def _cases(target: Target) -> Arguments:
    """The cases of evaluations whose data lie in files; those out of the journal are past runs anyway."""
    found: Arguments = {}
    for evaluation in target.design.evaluations:
        if not isinstance(evaluation.data, Journal):
            cases = await read_cases(target, evaluation, CASES)
            found.setdefault(evaluation.of, []).extend(case.arguments for case in cases)
    return found


async def _past(target: Target) -> dict[str, list[Any]]:
    """The inputs that past runs and their calls had, as JSON values; none without a store."""
    found: dict[str, list[Any]] = {}
    try:
        async with target.reading() as store:
            for runner in target.design.parts:
                if isinstance(runner, Handler | Endpoint | Schedule):
                    await _of_runner(target.design, store, runner, found)
    except StoreError as none:
        if none.code != "P208":
            raise
    return found


async def _of_runner(
    design: Design, store: Store, runner: Handler | Endpoint | Schedule, found: dict[str, list[Any]]
) -> None:
    for run in await store.runs(part=runner.name, limit=RUNS):
        if not isinstance(runner, Schedule):
            given = await input_of(run, store)
            if given is not None:
                found.setdefault(runner.name, []).append(given)
        for entry in await entries_of(store, run.id):
            value = _given(design.by_name.get(entry.part), entry)
            if value is not None:
                found.setdefault(entry.part, []).append(value)


def _given(part: Part | None, entry: Entry) -> Any:
    """What a journaled call was given, as `arguments_of` takes it; None where it cannot be made again."""
    if entry.kind != Kind.STEP:
        return None
    given = entry.arguments
    match part:
        case Step() | Tool():
            return given[0] if isinstance(given, list) and len(part.function.parameters) == 1 else given
        case Model():
            return None if isinstance(given, list) else given  # reasons are asked for with how many
        case Agent():
            return given
        case Llm():
            asked = isinstance(given, list) and len(given) == 3 and all(isinstance(one, str) for one in given)
            return given[1] if asked else None  # turns of agents are journaled by what is new in them alone
    return None
