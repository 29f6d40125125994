"""Evaluating: a part is tried on cases without effects outside, and the scores are stored by version."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from parti.design.addresses import shown_address
from parti.design.agent import Agent
from parti.design.evaluation import Evaluation
from parti.design.graph import Design
from parti.design.llm import Llm
from parti.errors import RunError, StoreError
from parti.mlops.evaluation.comparing import Comparison, compare
from parti.mlops.evaluation.results import Result, Scored, Summary, summaries
from parti.mlops.evaluation.trials import part_under, refuse_what_cannot_be, trial_design, version_of
from parti.ports.operations import EVALUATIONS, key_of_evaluation
from parti.verbs.cases import folder_of, read_cases
from parti.verbs.target import Target, now
from parti.verbs.trial_engine import latest_models, trial_engine
from parti.verbs.trying import Progress, Trying
from parti.wiring import Tape, alikeness

PREVIOUS = "previous"
"""Stands for the latest stored version that is not the present one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How cases are tried: the first `limit`, each `repeat` times, `concurrency` at once; with answers on a `tape`."""

    limit: int | None = None
    repeat: int = 1
    concurrency: int = 8
    tape: Tape | None = None
    compare: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A result, its summaries (all cases first, then by tag), and how it compares with another version, if asked."""

    result: Result
    summaries: list[Summary]
    passed: bool
    comparison: Comparison | None


async def evaluate(
    target: Target, name: str, options: Options, *, token: str = "", progress: Progress = lambda done, of: None
) -> Evaluated:
    """Try the part of evaluation `name` on its cases, and store the result in the store of the system.

    An evaluation that was cut off goes on: what was answered is not asked again. Raises P308 for an unknown evaluation or
    version to compare with, P105 and P106 for what cannot be evaluated, P405 and P402 for a bad line, P720 for a checker
    that fails, and P110, P601, P70x where models do not answer.
    """
    design, evaluation = target.design, target.design.evaluation(name)
    refuse_what_cannot_be(design, evaluation)
    cases = await read_cases(target, evaluation, options.limit)
    models = await latest_models(target)
    version = version_of(design, evaluation, {model: latest.version for model, (latest, _) in models.items()})
    before = find(await stored(target, name), options.compare, version) if options.compare else None
    folder, trial = folder_of(target, evaluation, version), trial_design(design, evaluation, alikeness())
    async with trial_engine(trial, folder, models, tape=options.tape) as engine:
        trying = Trying(engine, evaluation, options.concurrency, progress)
        scored = await trying.all(cases, options.repeat)
    result = result_of(design, evaluation, version, scored, trying.usd_checking)
    await store_result(target, result, token)
    shutil.rmtree(folder)
    with suppress(OSError):  # another evaluation may be under way there
        folder.parent.rmdir()
    comparison = compare(before, result) if before else None
    return Evaluated(result, summaries(result), result.passed, comparison)


def result_of(
    design: Design, evaluation: Evaluation, version: str, scored: Sequence[Scored], usd_checking: float
) -> Result:
    """What came of trying the version of `design`, now."""
    part = part_under(design, evaluation)
    return Result(
        name=evaluation.name, version=version, of=part.name, prompt=part.version if isinstance(part, Agent) else "",
        llm=shown_address(design.get(Llm, part.llm).target) if isinstance(part, Agent) else "", check=evaluation.check.name, at=now(),
        gate=evaluation.gate, usd_checking=usd_checking, cases=tuple(scored),
    )  # fmt: skip


async def store_result(target: Target, result: Result, token: str) -> None:
    """Keep a result in the store of the system."""
    async with target.changing(token) as system:
        await system.add_evaluation(key_of_evaluation(result.at, result.name, result.version), result.as_bytes())


async def stored(target: Target, name: str) -> list[Result]:
    """The stored results of one evaluation, oldest first; none without a store."""
    try:
        async with target.reading() as store:
            notes = await store.notes(EVALUATIONS)
    except StoreError as none:
        if none.code != "P208":
            raise
        return []
    return [Result.of_bytes(body) for key, body in notes.items() if key.split(":", 2)[2].rpartition(":")[0] == name]


async def compared(target: Target, name: str, before: str, after: str) -> Comparison:
    """Two stored versions, case by case. Raises P308."""
    target.design.evaluation(name)
    results = await stored(target, name)
    return compare(find(results, before, after), find(results, after, ""))


def find(results: list[Result], version: str, present: str) -> Result:
    """The latest result of a version, or of the one before the `present` one. Raises P308 naming those there are."""
    for result in reversed(results):
        if result.version == version or (version == PREVIOUS and result.version != present):
            return result
    known = ", ".join(dict.fromkeys(result.version for result in results)) or "none yet"
    raise RunError("P308", f"no result of the version {version!r} is stored", fix=f"one of: {known}")
