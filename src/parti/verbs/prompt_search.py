"""The search for a better prompt under way: draw examples, try candidates, prove the best one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from parti.design.llm import Llm
from parti.errors import LlmError, PartiError, UsageError
from parti.mlops.evaluation.comparing import Comparison, compare
from parti.mlops.evaluation.results import Result, Scored
from parti.mlops.evaluation.statistics import Interval
from parti.mlops.prompting.candidates import (
    BASE,
    Candidate,
    Discarded,
    Space,
    Tried,
    Wording,
    best_of,
    misfit_of,
    shorter,
    stranger_in,
)
from parti.mlops.prompting.examples import Example
from parti.mlops.prompting.proposing import Proposed, request_of
from parti.mlops.prompting.racing import heats, is_out
from parti.mlops.prompting.search import Search
from parti.mlops.prompting.splits import Split
from parti.verbs.evaluate import result_of
from parti.verbs.prompt_trials import SPENT, Bench, Laboratory
from parti.wiring import Tape

SPARE: Final = 1.25
"""How much more than its dearest case so far each held-out case may cost: a winner's text is longer than the present one."""

Progress = Callable[[int, int], None]
"""Is told how many candidates were tried, and how many there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a prompt is searched for: `trials` candidates in all, with up to `examples_max` examples each.

    `agent` says whose prompt, where that is not clear. `wordings` are files and folders, `by` names the language model that
    proposes up to `proposals` more. `budget` is in dollars, for the whole search. With `write` a better prompt replaces the file.
    The rest is as for an evaluation.
    """

    trials: int = 20
    examples_max: int = 4
    seed: int = 0
    agent: str = ""
    wordings: tuple[Path, ...] = ()
    by: str = ""
    proposals: int = 4
    budget: float | None = None
    write: bool = False
    limit: int | None = None
    repeat: int = 1
    concurrency: int = 8
    tape: Tape | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate that was tried: its wording, the lines of its examples, and how it did on the choosing cases.

    `failed` of them gave no output, most of them for this `error`.
    """

    version: str
    wording: str
    examples: tuple[int, ...]
    score: float
    interval: Interval
    cases: int
    stopped: bool
    usd: float
    failed: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimized:
    """What a search found. `comparison` is that of the `best` with the present prompt on the held-out cases, if it came to that.

    `drawn` (of which `examples` can be shown), `choosing` and `held_out` count cases; of the others `repeated` say the same as one of them, and `shown` stand in a
    prompt as examples already. `written` is the file with the better prompt; empty where none is better. `usd` is what
    language models took in all, and the search was `cut` where that was all it may.
    """

    evaluation: str
    agent: str
    prompt: str
    seed: int
    drawn: int
    examples: int
    choosing: int
    held_out: int
    repeated: int
    shown: int
    discarded: tuple[Discarded, ...]
    tried: tuple[Row, ...]
    best: Row
    comparison: Comparison | None
    better: bool
    written: str
    replaced: bool
    usd: float
    cut: bool
    note: str


@dataclass(slots=True)
class PromptSearch:
    """One search under way. `base` is all that the present prompt was tried on, `text` that of the best candidate."""

    laboratory: Laboratory
    parts: Split
    options: Options
    limit: float
    given: Sequence[Mapping[str, object]]
    progress: Progress
    wordings: list[Wording]
    pool: list[Example] = field(default_factory=list)
    discarded: list[Discarded] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    base: list[Scored] = field(default_factory=list)
    usd_checking: float = 0.0
    dearest: float = 0.0
    text: str = ""
    proved: bool = False
    cut: bool = False

    async def run(self, by: Llm | None) -> Optimized:
        """Draw, search, and prove."""
        requests = await self._draw(by)
        self._reserve()
        if by is not None:
            await self._propose(by, requests)
        space = Space(tuple(self.wordings), tuple(self.pool), self.options.examples_max)
        await self._search(space)
        best = best_of(self.tried)
        if best.mean <= self.tried[0].mean:  # as good is not better, and the present prompt is shorter
            return self._found(space, self.tried[0], None)
        self.text = space.text_of(best.candidate)
        return self._found(space, best, await self._prove(self.text))

    async def _draw(self, by: Llm | None) -> Callable[[Sequence[Proposed]], str]:
        """Try the present prompt on the cases to draw from and to choose by; how to ask for a proposal."""
        template = self.laboratory.agent.prompt
        async with self.laboratory.bench(template.text) as bench:
            scores = await bench.scores(self.parts.drawn)
            for case, score in zip(self.parts.drawn, scores, strict=True):
                if self.options.examples_max and (example := await bench.example(case, score)) is not None:
                    self.pool.append(example)
            wrong = [
                await bench.wrong(case)
                for case, score in zip(self.parts.drawn, scores, strict=True)
                if score < 1 and by is not None
            ]
            drawing = bench.cost
            chosen = await bench.scores(self.parts.choosing)
            self._keep(bench)
            self._refuse_failing(bench)
        version, failures = self.laboratory.version_of(template.text), bench.failures(self.parts.choosing)
        self.tried.append(Tried(BASE, version, tuple(chosen), False, bench.cost - drawing, failures))
        return lambda known: request_of(template.text, sorted(template.names), wrong, known)

    def _refuse_failing(self, bench: Bench) -> None:
        """Raise P721 where the present prompt has no output in any case: then no wording is what is wrong."""
        cases = (*self.parts.drawn, *self.parts.choosing)
        if all(case.error for case in bench.done):
            failures = bench.failures(cases)
            bench.tainted = True  # what failed is mended outside of the prompt, and then tried anew
            name = self.laboratory.evaluation.name
            what = (
                f"{failures.cases} of {len(cases)} cases of `{name}` failed with the present prompt: {failures.error}"
            )
            fix = f"mend that first, and see that `parti eval {name}` gives outputs"
            raise UsageError("P721", what, place=self.laboratory.evaluation.place, fix=fix)

    def _keep(self, bench: Bench) -> None:
        """The present prompt was tried."""
        self.base += bench.done
        self.usd_checking += bench.usd_checking
        self._learn(bench)

    def _learn(self, bench: Bench) -> None:
        """What a case may cost."""
        checking = bench.usd_checking / len(bench.done) if bench.done else 0.0
        self.dearest = max([self.dearest, *(case.usd + checking for case in bench.done)])

    def _reserve(self) -> None:
        """Keep what the held-out cases will take. Raises P722 where not even that is left."""
        needed = 2 * len(self.parts.held_out) * self.options.repeat * self.dearest * SPARE
        purse = self.laboratory.purse
        if purse.spent + needed > self.limit:
            what = (
                f"the present prompt took ${purse.spent:.4f}, and to prove a better one may take ${needed:.4f}"
                f" of ${self.limit:.4f}"
            )
            raise LlmError(SPENT, what, fix=f"give --budget {purse.spent + 2 * needed:.2f}, or --limit the cases")
        purse.allow(self.limit - needed)

    async def _propose(self, by: Llm, request: Callable[[Sequence[Proposed]], str]) -> None:
        """Ask for other wordings, one after the other, each time showing those that there are."""
        template = self.laboratory.agent.prompt
        known: list[Proposed] = []
        for number in range(1, self.options.proposals + 1):
            name = f"proposal {number}"
            try:
                text, misfit = await self.laboratory.propose(by, request(known))
            except PartiError as wrong:
                if wrong.code != SPENT:
                    raise
                self.cut = True
                self.laboratory.purse.allow(self.laboratory.purse.limit)  # a cheaper model may still be asked
                return
            misfit = misfit or misfit_of(text, template, self.given)
            if not misfit and (stranger := stranger_in(text, template)):
                misfit = f"it writes {stranger}, which the present prompt does not"
            if not misfit and text.strip() in {one.text.strip() for one in self.wordings}:
                misfit = "it says what another wording says"
            if misfit:
                self.discarded.append(Discarded(name, misfit))
            else:
                self.wordings.append(Wording(name, text))
            known.append(Proposed(text, misfit))

    async def _search(self, space: Space) -> None:
        """Try candidates until there are no more, no more may be paid for, or one is right in every case."""
        search, total = Search(space, self.options.seed), min(self.options.trials, space.size)
        self.progress(0, total)
        try:
            for candidate in search.candidates(total):
                if candidate != BASE:
                    await self._try(space, candidate)
                search.tell(self.tried[-1])
                self.progress(len(self.tried), total)
                if best_of(self.tried).mean >= 1:
                    break
            await self._shorten(space, total)
            self.progress(total, total)
        except PartiError as wrong:
            if wrong.code != SPENT:
                raise
            self.cut = True

    async def _shorten(self, space: Space, total: int) -> None:
        """Spend the trials that are left on the best candidate with one example less, again and again."""
        while True:
            best, known = best_of(self.tried), {one.candidate for one in self.tried}
            for candidate in (one for one in shorter(best.candidate) if one not in known):
                if len(self.tried) >= total:
                    return
                await self._try(space, candidate, shortening=True)
                self.progress(len(self.tried), total)
                if best_of(self.tried) is not best:
                    break
            else:
                return

    async def _try(self, space: Space, candidate: Candidate, *, shortening: bool = False) -> None:
        """One candidate on ever more of the choosing cases, for as long as it may still become the best."""
        text, cases, best = space.text_of(candidate), self.parts.choosing, best_of(self.tried).scores
        scores: list[float] = []
        async with self.laboratory.bench(text) as bench:
            for until in heats(len(cases)):
                scores += await bench.scores(cases[len(scores) : until])
                if is_out(scores, best, or_equal=shortening):
                    break
            self._learn(bench)
        version, stopped = self.laboratory.version_of(text), len(scores) < len(cases)
        failures = bench.failures(cases)
        self.tried.append(Tried(candidate, version, tuple(scores), stopped, bench.cost, failures))

    async def _prove(self, text: str) -> Comparison:
        """The wording `text` and the present one on the held-out cases, which nothing has looked at before."""
        self.laboratory.purse.allow(self.limit)
        before = await self._held_out(self.laboratory.agent.prompt.text, present=True)
        after = await self._held_out(text)
        self.proved = True
        return compare(before, after)

    async def _held_out(self, text: str, *, present: bool = False) -> Result:
        here = self.laboratory
        async with here.bench(text) as bench:
            await bench.scores(self.parts.held_out)
        if present:
            self._keep(bench)
        return result_of(here.design, here.evaluation, here.version_of(text), bench.done, bench.usd_checking)

    def _found(self, space: Space, best: Tried, comparison: Comparison | None) -> Optimized:
        here, parts = self.laboratory, self.parts
        return Optimized(
            evaluation=here.evaluation.name, agent=here.agent.name, prompt=here.agent.prompt.path, seed=self.options.seed,
            drawn=len(parts.drawn), examples=len(self.pool), choosing=len(parts.choosing), held_out=len(parts.held_out),
            repeated=parts.repeated, shown=0, discarded=tuple(self.discarded),
            tried=tuple(row_of(space, one) for one in self.tried), best=row_of(space, best), comparison=comparison,
            better=comparison is not None and comparison.is_better, written="", replaced=False,
            usd=here.purse.spent, cut=self.cut, note=self._note(comparison),
        )  # fmt: skip

    def _note(self, comparison: Comparison | None) -> str:
        """What came of it, in words."""
        if comparison is None:
            said = f"no candidate did better than the present prompt; the {len(self.parts.held_out)} held-out cases were not looked at"
        else:
            said = f"on the {comparison.cases} held-out cases: {comparison.note}"
        return f"{said}. The budget cut the search short." if self.cut else said


def row_of(space: Space, tried: Tried) -> Row:
    """A candidate as it is shown."""
    candidate = tried.candidate
    lines = tuple(sorted(space.examples[number].line for number in candidate.examples))
    name = space.wordings[candidate.wording].name
    return Row(
        tried.version, name, lines, tried.mean, tried.interval, len(tried.scores), tried.stopped, tried.usd,
        tried.failures.cases, tried.failures.error,
    )  # fmt: skip
