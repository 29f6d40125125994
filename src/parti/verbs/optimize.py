"""Optimising a prompt: wordings and examples are searched on some cases of an evaluation, and proved on others."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf

from parti.design.agent import Agent
from parti.design.evaluation import Evaluation
from parti.design.graph import Design
from parti.design.llm import Llm
from parti.mlops.evaluation.cases import Planned
from parti.mlops.evaluation.trials import refuse_what_cannot_be
from parti.mlops.prompting.candidates import Space, Wording
from parti.mlops.prompting.examples import is_shown_in
from parti.mlops.prompting.prompted import prompted_agent
from parti.mlops.prompting.search import Search
from parti.mlops.prompting.splits import split
from parti.verbs.cases import read_cases
from parti.verbs.evaluate import result_of, store_result
from parti.verbs.prompt_files import read_wordings, refuse_unwritable, said_path, write_prompt
from parti.verbs.prompt_search import Optimized, Options, Progress, PromptSearch
from parti.verbs.prompt_trials import Laboratory
from parti.verbs.target import Target
from parti.verbs.trial_engine import latest_models
from parti.wiring import purse_for


async def optimize_prompt(
    target: Target, name: str, options: Options, *, token: str = "", progress: Progress = lambda done, of: None
) -> Optimized:
    """Search a better prompt for the agent under evaluation `name`, and write it where the held-out cases prove it.

    A search that was cut off goes on: what was answered is not asked again. Raises P721 for what cannot be searched, P110
    without Optuna, P710 for a budget over a model without a price, P722 where the budget does not even reach to prove what was found, P504 and P105 for wordings that do not
    fit, and what evaluating raises.
    """
    design, evaluation = target.design, target.design.evaluation(name)
    refuse_what_cannot_be(design, evaluation)
    agent = prompted_agent(design, evaluation, options.agent)
    file = refuse_unwritable(agent.prompt)
    by = design.get(Llm, options.by) if options.by else None
    cases = await read_cases(target, evaluation, options.limit)
    given = _given(agent, evaluation, cases)
    wordings = [Wording("present", agent.prompt.text), *read_wordings(options.wordings, agent.prompt, given)]
    fresh = [case for case in cases if not _stands_in(case, wordings)]
    drawing = options.examples_max > 0 or by is not None
    parts = split(fresh, options.seed, drawing=drawing, place=evaluation.place)
    Search(Space(tuple(wordings), (), 0), options.seed)  # raises what is missing before anything is paid for
    folder = target.path.with_name(f"{target.path.name}.optimize") / evaluation.name
    limit = inf if options.budget is None else options.budget
    purse = purse_for(design, options.tape, folder / "spent", limit)
    purse.refuse_unpriced(_asked(design, evaluation, by))
    folder.mkdir(parents=True, exist_ok=True)
    laboratory = Laboratory(
        design=design, evaluation=evaluation, agent=agent, models=await latest_models(target),
        purse=purse, folder=folder, concurrency=options.concurrency, repeat=options.repeat,
    )  # fmt: skip
    search = PromptSearch(laboratory, parts, options, limit, given, progress, wordings)
    try:
        found = await search.run(by)
    finally:
        await laboratory.purse.shut()
    if search.proved:  # the present prompt was tried on all cases then
        version = laboratory.version_of(agent.prompt.text)
        await store_result(target, result_of(design, evaluation, version, search.base, search.usd_checking), token)
    if found.better:
        path = write_prompt(agent.prompt, search.text, replacing=options.write)
        found = replace(found, written=said_path(path), replaced=path == file)
    shutil.rmtree(folder)
    with suppress(OSError):  # another search may be under way there
        folder.parent.rmdir()
    return replace(found, prompt=said_path(file), shown=len(cases) - len(fresh))


def _asked(design: Design, evaluation: Evaluation, by: Llm | None) -> list[Llm]:
    """The language models that a search may ask: under the part, under its checker, and to propose."""
    names = {
        name for part in (evaluation.of, *evaluation.checking, *evaluation.check.llms) for name in design.reach(part)
    }
    return [llm for llm in design.all(Llm) if llm.name in names or llm == by]


def _given(agent: Agent, evaluation: Evaluation, cases: Sequence[Planned]) -> list[dict[str, object]]:
    """The variables that the cases give to the agent, each once; none where a handler gives them."""
    if evaluation.of != agent.name:
        return []
    found: list[dict[str, object]] = []
    for case in cases:
        if case.facts["variables"] not in found:
            found.append(case.facts["variables"])
    return found


def _stands_in(case: Planned, wordings: Sequence[Wording]) -> bool:
    task = case.arguments[0] if case.arguments else None
    return isinstance(task, str) and any(is_shown_in(wording.text, task) for wording in wordings)
