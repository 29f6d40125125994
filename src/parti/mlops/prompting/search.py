"""Searching: which candidate to try next, by what those before it scored.

The sampler is Optuna's TPE (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011), over the wording and the
examples together, as in MIPROv2 (Opsahl-Ong et al., 2024). It only says what to try: it calls no model.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from parti.extras import need
from parti.mlops.prompting.candidates import Candidate, Space, Tried

REPEATS: Final = 10
"""How many suggestions in a row may be of what was tried already; then one of the others is drawn."""

DRAWS: Final = 1_000
"""How often such a draw may be of what was tried; then the space counts as searched."""


class Search:
    """Candidates of a space, one after the other; the same for the same seed and scores. Raises P110 without Optuna.

    Each example is a yes or no of its own, so that the sampler learns of each what it does. Where it says yes to more than
    there may be, some of them are drawn.
    """

    def __init__(self, space: Space, seed: int) -> None:
        optuna = need("optuna", extra="optimize", purpose="optimising a prompt")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._state = optuna.trial.TrialState
        self._study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        self._space = space
        self._chance = Random(seed)
        self._known: set[Candidate] = set()
        self._trial: Any = None
        for wording in range(len(space.wordings)):
            self._enqueue(Candidate(wording))

    def candidates(self, trials: int) -> Iterator[Candidate]:
        """Up to `trials` candidates, each once, the base first, then every wording without examples; fewer where there are no more.

        Tell each what it scored before the next.
        """
        for _ in range(min(trials, self._space.size)):
            candidate = self._fresh()
            if candidate is None:
                return
            self._known.add(candidate)
            yield candidate

    def tell(self, tried: Tried) -> None:
        """What the candidate that was given last scored. One that was stopped counts less than all that were not."""
        if tried.stopped:
            self._trial.report(tried.mean, step=len(tried.scores))
            self._study.tell(self._trial, state=self._state.PRUNED)
        else:
            self._study.tell(self._trial, tried.mean)

    def _fresh(self) -> Candidate | None:
        """One that was not given yet."""
        for _ in range(REPEATS):
            if (candidate := self._suggested()) not in self._known:
                return candidate
            self._study.tell(self._trial, state=self._state.FAIL)  # told again it would weigh twice
        for _ in range(DRAWS):
            if (candidate := self._drawn()) not in self._known:
                self._enqueue(candidate)
                return self._suggested()
        return None

    def _suggested(self) -> Candidate:
        self._trial = trial = self._study.ask()
        wording = trial.suggest_categorical("wording", list(range(len(self._space.wordings))))
        pool = range(len(self._space.examples)) if self._space.most else ()
        wanted = [number for number in pool if trial.suggest_categorical(f"example {number}", [False, True])]
        if len(wanted) > self._space.most:
            wanted = sorted(self._chance.sample(wanted, self._space.most))
        return Candidate(wording, tuple(wanted))

    def _drawn(self) -> Candidate:
        chance, pool = self._chance, len(self._space.examples)
        count = chance.randint(0, min(self._space.most, pool))
        return Candidate(chance.randrange(len(self._space.wordings)), tuple(sorted(chance.sample(range(pool), count))))

    def _enqueue(self, candidate: Candidate) -> None:
        chosen = {f"example {number}": number in candidate.examples for number in range(len(self._space.examples))}
        self._study.enqueue_trial({"wording": candidate.wording, **chosen})
