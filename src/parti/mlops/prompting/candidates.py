"""Candidates: a wording with some examples, and what trying one told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from parti.design.filling import fields_of, refuse_field
from parti.design.prompt import Template, variables_in
from parti.errors import PayloadError
from parti.mlops.evaluation.results import Scored
from parti.mlops.evaluation.statistics import Interval, interval_of_scores
from parti.mlops.prompting.examples import Example, with_examples


@dataclass(frozen=True, slots=True)
class Wording:
    """One text of a prompt, without examples that the search adds. `name` is "present", a file, or "proposal 1"."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """A wording that cannot be tried, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may stand in the prompt's file: a wording and examples, both by their number. Nothing chosen is (0, ())."""

    wording: int
    examples: tuple[int, ...] = ()


BASE = Candidate(0)
"""The prompt as it is."""


@dataclass(frozen=True, slots=True)
class Space:
    """All that is searched: the wordings, the present one first, and up to `most` of the examples."""

    wordings: tuple[Wording, ...]
    examples: tuple[Example, ...]
    most: int

    @property
    def size(self) -> int:
        """How many candidates there are."""
        total, ways, pool = 0, 1, len(self.examples)
        for count in range(min(self.most, pool) + 1):
            total += ways
            ways = ways * (pool - count) // (count + 1)
        return total * len(self.wordings)

    def text_of(self, candidate: Candidate) -> str:
        """The text of a candidate, ready for the file."""
        shown = [self.examples[number] for number in candidate.examples]
        return with_examples(self.wordings[candidate.wording].text, shown)


@dataclass(frozen=True, slots=True)
class Failures:
    """How many cases gave no output at all, and the error that most of them ended with, as "P307 ..."."""

    cases: int = 0
    error: str = ""


def failures_of(scored: Iterable[Scored]) -> Failures:
    """The failures among cases, each counted once however often it was tried."""
    failed = [case for case in scored if case.error]
    errors = Counter(case.error for case in failed)
    return Failures(len({case.id for case in failed}), errors.most_common(1)[0][0] if errors else "")


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate with the `scores` of the cases that it was tried on, in the order of these cases.

    It was `stopped` where it could not become the best any more, or was worse so far. `usd` is what the trial took, checking included.
    """

    candidate: Candidate
    version: str
    scores: tuple[float, ...]
    stopped: bool
    usd: float
    failures: Failures = Failures()

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(self.scores) / len(self.scores) if self.scores else 0.0

    @property
    def interval(self) -> Interval:
        """Where the true mean lies, at 95 %."""
        return interval_of_scores(self.scores)


def best_of(tried: Sequence[Tried]) -> Tried:
    """The best of those that were tried on all cases: among equals the one with fewer examples, then the earlier one."""
    whole = [one for one in tried if not one.stopped]
    return max(whole, key=lambda one: (one.mean, -len(one.candidate.examples), -whole.index(one)))


def shorter(candidate: Candidate) -> list[Candidate]:
    """The candidate without one of its examples, for each of them."""
    chosen = candidate.examples
    return [Candidate(candidate.wording, chosen[:at] + chosen[at + 1 :]) for at in range(len(chosen))]


def misfit_of(text: str, template: Template, given: Sequence[Mapping[str, object]]) -> str:
    """Why a text cannot stand in the file of `template`; empty where it can.

    It must name exactly the variables of the present text, and take the variables that the cases have given.
    """
    try:
        names = {name for name, _ in variables_in(text)}
    except ValueError as wrong:
        return f"its braces do not match: {wrong}"
    if lost := sorted(template.names - names):
        return f"the variable {{{lost[0]}}} is lost"
    if odd := sorted(names - template.names):
        return f"it names {{{odd[0]}}}, which is no variable" if odd[0] else "it has empty braces"
    try:
        for path, _, spec in fields_of(text):
            refuse_field(path, spec)
    except ValueError as wrong:
        return str(wrong)
    return _unfit(Template(template.path, text, template.variables), given)


def stranger_in(text: str, template: Template) -> str:
    """The first replacement field of a text that the present one has not, as it is written; empty where there is none.

    A model that proposes a text is not trusted with another path, conversion or format: what it names would be sent to it.
    """
    known = set(fields_of(template.text))
    for path, conversion, spec in fields_of(text):
        if (path, conversion, spec) not in known:
            return f"{{{path}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}}}"
    return ""


def _unfit(template: Template, given: Sequence[Mapping[str, object]]) -> str:
    for variables in given:
        try:
            template.render(variables)
        except PayloadError as wrong:
            return wrong.what
    return ""
