"""Trials of prompts: each wording of an agent is tried in a store of its own, which lives until the search is over."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from parti.design.agent import Agent
from parti.design.evaluation import Evaluation, Trial
from parti.design.graph import Design
from parti.design.llm import Llm
from parti.engine.loop import Engine
from parti.errors import LlmError, PartiError, PayloadError
from parti.journal.entries import Kind
from parti.journal.whole import entries_of
from parti.mlops.evaluation.cases import Planned
from parti.mlops.evaluation.results import Scored
from parti.mlops.evaluation.trials import answering, trial_design, version_of
from parti.mlops.prompting.candidates import Failures, failures_of
from parti.mlops.prompting.examples import Example, example_of
from parti.mlops.prompting.prompted import with_wording
from parti.mlops.prompting.proposing import PROPOSING, Wrong, proposing_design
from parti.ports.operations import run_of_call
from parti.ports.store import ModelVersion, State
from parti.verbs.trial_engine import trial_engine
from parti.verbs.trying import OUTAGES, Trying, tenant_of
from parti.wiring import Purse, alikeness

SPENT = "P722"


@dataclass(slots=True, kw_only=True)
class Laboratory:
    """Where wordings of `agent` are tried. What one trial answered is in `folder` for all that come after it, also in another process."""

    design: Design
    evaluation: Evaluation
    agent: Agent
    models: Mapping[str, tuple[ModelVersion, bytes]]
    purse: Purse
    folder: Path
    concurrency: int
    repeat: int

    def version_of(self, text: str) -> str:
        """What the evaluation would call the version with this wording."""
        numbers = {name: latest.version for name, (latest, _) in self.models.items()}
        return version_of(with_wording(self.design, self.agent, text), self.evaluation, numbers)

    @asynccontextmanager
    async def bench(self, text: str) -> AsyncIterator[Bench]:
        """Where the wording `text` is tried. Raises P722 once money is short, and what trying raises."""
        folder = self.folder / self.version_of(text)
        trial = trial_design(with_wording(self.design, self.agent, text), self.evaluation, alikeness())
        tainted = False
        try:
            async with trial_engine(trial, folder, self.models, llms=self.purse) as engine:
                bench = Bench(self, engine)
                try:
                    yield bench
                finally:
                    tainted = bench.tainted
        finally:
            if tainted:
                shutil.rmtree(folder)

    async def propose(self, by: Llm, request: str) -> tuple[str, str]:
        """What a language model proposes, or "" and why it proposes nothing. An answer that was paid is not paid again."""
        key = blake2b(request.encode(), digest_size=8).hexdigest()
        folder = self.folder / "proposals"
        async with trial_engine(proposing_design(self.design, by), folder, {}, llms=self.purse) as engine:
            known = await engine.store.run(id := run_of_call(PROPOSING, "main", key))
            if known is not None and known.state is State.DEAD:
                await engine.retry(id)
            try:
                said: str | None = from_json((await engine.call(PROPOSING, (request,), idempotency_key=key)).result)
            except PartiError as wrong:
                if wrong.code in OUTAGES:
                    raise
                return "", f"{wrong.code} {wrong.what}"
        said = said.strip() if said else ""
        return (f"{said}\n", "") if said else ("", f"`{by.name}` gave no text")


@dataclass(slots=True)
class Bench:
    """One wording under trial. `usd` and `usd_checking` are what its cases took, those read back included."""

    laboratory: Laboratory
    engine: Engine
    usd: float = 0.0
    usd_checking: float = 0.0
    tainted: bool = False
    """Whether a call was refused where the program may have caught it: what it made of its case then says nothing."""
    done: list[Scored] = field(default_factory=list)

    async def scores(self, cases: Sequence[Planned]) -> list[float]:
        """The score of each case, in their order: the mean of its repetitions. Raises P722 where money is short."""
        here = self.laboratory
        trying = Trying(self.engine, here.evaluation, here.concurrency)
        try:
            scored = await trying.all(cases, here.repeat)
        except PartiError as wrong:
            self.tainted = wrong.code == SPENT and bool(here.evaluation.of != here.agent.name or here.agent.tools)
            raise
        if here.purse.refused:
            self.tainted = True
            raise LlmError(SPENT, "a call was refused, and the program went on without it", fix="raise --budget")
        self.done += scored
        self.usd += sum(case.usd for case in scored)
        self.usd_checking += trying.usd_checking
        by_id: dict[str, list[float]] = {}
        for case in scored:
            by_id.setdefault(case.id, []).append(case.score)
        return [sum(by_id[case.id]) / len(by_id[case.id]) for case in cases]

    def failures(self, cases: Sequence[Planned]) -> Failures:
        """Those of the cases that gave no output in one of their repetitions."""
        wanted = {case.id for case in cases}
        return failures_of(case for case in self.done if case.id in wanted)

    @property
    def cost(self) -> float:
        """Dollars of all cases so far, checking included."""
        return self.usd + self.usd_checking

    async def example(self, case: Planned, score: float) -> Example | None:
        """The case as an example: what is expected, or what the agent made, where the checker gives that the full score."""
        here = self.laboratory
        if here.evaluation.of == here.agent.name and (wanted := await self._wanted(case)) is not None:
            return example_of(case.line, case.arguments[0], wanted, case.facts["variables"])
        if score < 1:
            return None
        for entry in await entries_of(self.engine.store, self._run(case)):
            if entry.part == here.agent.name and entry.kind == Kind.STEP and entry.answer.get("output") is not None:
                asked = entry.arguments
                task, variables = (asked["task"], asked["variables"]) if isinstance(asked, dict) else (asked, None)
                return example_of(case.line, task, entry.answer["output"], variables)
        return None

    async def _wanted(self, case: Planned) -> Any:
        """What is expected, where it is an output of the agent and the checker gives it the full score; else None."""
        made, expected = self.laboratory.agent.output, case.facts["expected"]
        if expected is None:
            return None
        try:
            value = from_json(made.encode(made.decode(to_json(expected))))
            trying = Trying(self.engine, self.laboratory.evaluation, 1)
            score = await trying.score(case, value, Trial(), tenant_of(case))
        except PayloadError:
            return None
        except PartiError as wrong:
            if wrong.code != "P720":
                raise
            return None
        self.usd_checking += trying.usd_checking
        return value if score.value == 1 else None

    async def wrong(self, case: Planned) -> Wrong:
        """What went wrong in a case, for who proposes."""
        scored = next(one for one in self.done if one.id == case.id)
        run = await self.engine.store.run(self._run(case))
        output = from_json(run.result) if run is not None and run.result else None
        facts = case.facts
        return Wrong(
            scored.score, facts["input"], facts["variables"], facts["expected"], output, scored.error or scored.why
        )

    def _run(self, case: Planned) -> str:
        key = tenant_of(case)
        return run_of_call(answering(self.laboratory.evaluation), key, key)
