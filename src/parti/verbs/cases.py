"""Cases for an evaluation: the lines of a file beside the app, or what past runs got and gave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from parti.design.evaluation import Evaluation, Journal
from parti.errors import UsageError
from parti.mlops.evaluation.cases import LINE, Planned, plan
from parti.mlops.evaluation.trials import part_under
from parti.verbs.lines import read_input
from parti.verbs.past import past_cases
from parti.verbs.target import Target


async def read_cases(target: Target, evaluation: Evaluation, limit: int | None) -> list[Planned]:
    """The first `limit` cases (None: all), each checked against its types.

    Raises P405 and P402 naming the line, P504 for a file that cannot be read or holds no case, P208 without a store.
    """
    part = part_under(target.design, evaluation)
    if isinstance(evaluation.data, Journal):
        lines = [(number, body) async for number, body in _numbered(target, evaluation, evaluation.data)]
        found = plan(evaluation, part, lines, "journal")
        cases = list(islice(found, limit))
    else:
        assert target.app is not None, "there is no design without an app"
        source = read_input(str(target.app.parent / evaluation.data), (), LINE)
        try:
            cases = list(islice(plan(evaluation, part, _bodies(source.lines, evaluation.data), evaluation.data), limit))
        finally:
            source.close()
    if not cases:
        where = "the journal" if isinstance(evaluation.data, Journal) else evaluation.data
        what = f"{where} holds no case for `{evaluation.name}`"
        raise UsageError("P504", what, place=evaluation.place, fix='write a line {"input": ..., "expected": ...}')
    return cases


def _bodies(lines: Any, name: str) -> Iterator[tuple[int, bytes]]:
    for line in lines:
        if line.wrong is not None:
            line.wrong.place = f"{name}:{line.number}"
            raise line.wrong
        yield line.number, line.body


async def _numbered(target: Target, evaluation: Evaluation, wanted: Journal) -> AsyncIterator[tuple[int, bytes]]:
    number = 0
    async with target.reading() as store:
        async for case in past_cases(target.design, store, wanted, evaluation):
            number += 1
            yield number, to_json(case)
            if number == wanted.limit:
                return


def folder_of(target: Target, evaluation: Evaluation, version: str) -> Path:
    """Where an evaluation under way keeps its own store: beside the system's, until it is over."""
    return target.path.with_name(f"{target.path.name}.eval") / f"{evaluation.name}-{version}"
