"""Trying a part on cases: each is a durable run in a store of its own, and so is the scoring of what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.design.evaluation import Evaluation, Score, Trial, Write
from parti.design.llm import Llm
from parti.engine.loop import Engine
from parti.errors import Overloaded, PartiError, RunError
from parti.journal.entries import Kind
from parti.journal.whole import entries_of
from parti.mlops.evaluation.cases import Planned
from parti.mlops.evaluation.results import Scored
from parti.mlops.evaluation.trials import answering, checking
from parti.ports.operations import run_of_call
from parti.ports.store import State
from parti.units import duration_text

OUTAGES: Final = frozenset({"P105", "P110", "P601", "P701", "P702", "P706", "P710", "P722"})
"""Failures that say nothing of the part: they end the evaluation, which goes on from there when it is started again."""

ROOM_LOOKS: Final = 20
"""How often a case is begun again while there is no room for it, such as on a full disk."""

Progress = Callable[[int, int], None]
"""Is told how many cases are scored, and of how many."""


def tenant_of(case: Planned, repetition: int = 0) -> str:
    """Whose rows a case worked on has; its run's idempotency key, too."""
    return f"{case.id}.{repetition}"


@dataclass(slots=True)
class Trying:
    """The cases of one evaluation, worked on by `engine`, `concurrency` at once. `usd_checking` is what scoring them took."""

    engine: Engine
    evaluation: Evaluation
    concurrency: int
    progress: Progress = lambda done, of: None
    usd_checking: float = 0.0
    done: list[Scored] = field(default_factory=list)

    async def all(self, cases: Sequence[Planned], repeat: int) -> list[Scored]:
        """Every case, `repeat` times, in their order. Raises what OUTAGES says, and P720 for a checker that failed."""
        total = len(cases) * repeat
        waiting = ((case, repetition) for repetition in range(repeat) for case in cases)
        self.progress(0, total)
        workers = [asyncio.ensure_future(self._work(waiting, total)) for _ in range(min(self.concurrency, total))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return sorted(self.done, key=lambda case: (case.line, case.id, case.repetition))

    async def _work(self, waiting: Iterator[tuple[Planned, int]], total: int) -> None:
        for case, repetition in waiting:
            self.done.append(await self._one(case, repetition))
            self.progress(len(self.done), total)

    async def _one(self, case: Planned, repetition: int) -> Scored:
        """One case once. A tenant of its own keeps its rows apart from those of all others."""
        name, key = answering(self.evaluation), tenant_of(case, repetition)
        failure, result = "", b"null"
        try:
            result = await self._call(name, case.arguments, key, key)
        except PartiError as wrong:
            if wrong.code in OUTAGES:
                raise
            failure = self._failure(wrong)
        trial = await self._trial(run_of_call(name, key, key))
        score = Score(0.0) if failure else await self.score(case, from_json(result), trial, key)
        return Scored(
            id=case.id, line=case.line, repetition=repetition, tags=case.tags, score=score.value, why=score.why,
            error=failure, usd=trial.usd, tokens=trial.tokens, seconds=trial.seconds,
        )  # fmt: skip

    def _failure(self, wrong: PartiError) -> str:
        if wrong.code in ("P303", "P311"):  # given up here, or in an evaluation that was cut off after that
            return f"P303 it took longer than {duration_text(self.evaluation.timeout)}"
        return f"{wrong.code} {wrong.what}"

    async def score(self, case: Planned, output: Any, trial: Trial, tenant: str) -> Score:
        """What the checker says of an output as JSON. Raises P720 where it fails. Its run is known by all that it is given, and by the checker."""
        name, arguments = checking(self.evaluation), (case.facts, output, trial)
        key = blake2b(to_json([self.evaluation.check.name, arguments]), digest_size=8).hexdigest()
        try:
            said = await self._call(name, arguments, key, tenant)
        except PartiError as wrong:
            if wrong.code in OUTAGES:
                raise
            data = self.evaluation.data
            source = data if isinstance(data, str) else "journal"
            what = f"`{self.evaluation.name}` could not check the case at {source}:{case.line}: {wrong.what}"
            fix = "mend the checker and start the evaluation again: it goes on from here"
            raise RunError("P720", what, place=wrong.place, fix=fix) from wrong
        self.usd_checking += (await self._trial(run_of_call(name, tenant, key))).usd
        return Score(**json.loads(said))

    async def _call(self, name: str, arguments: tuple[Any, ...], key: str, tenant: str) -> bytes:
        """The JSON result of a run, taken up or read back where it was begun before."""
        engine, id = self.engine, run_of_call(name, tenant, key)
        known = await engine.store.run(id)
        failed = json.loads(known.error)["code"] if known is not None and known.state is State.DEAD else ""
        if (failed in OUTAGES or (failed and name == checking(self.evaluation))) and id not in engine.runs.jobs:
            await engine.retry(id)
        for _ in range(ROOM_LOOKS):
            try:
                return (await engine.call(name, arguments, idempotency_key=key, tenant=tenant)).result
            except Overloaded as full:
                wait = full
            except RunError as late:
                if late.code == "P303" and id in engine.runs.jobs and not engine.runs.jobs[id].record.state.ended:
                    await engine.cancel(id)
                raise
            await engine.clock.wait(wait.retry_after)
        raise wait

    async def _trial(self, run: str) -> Trial:
        """What a run took, and what it would have written, as its journal says."""
        record = await self.engine.store.run(run)
        usd, tokens, writes = 0.0, 0, {}
        for entry in await entries_of(self.engine.store, run):
            if entry.kind == Kind.STEP and isinstance(self.engine.design.by_name.get(entry.part), Llm):
                usd += entry.answer.get("usd") or 0.0
                tokens += entry.answer.get("tokens_in", 0) + entry.answer.get("tokens_out", 0)
            if entry.kind == Kind.INTENT:
                writes[entry.part, entry.branch] = Write(entry.part, tuple(entry.arguments))
        took = max(0.0, record.ended - record.started) if record and record.ended else 0.0
        return Trial(usd, tokens, took, tuple(writes.values()))
