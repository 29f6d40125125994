"""Results of an evaluation: the score of each case, and summaries of them by tag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from parti.mlops.evaluation.statistics import Interval, interval_of_scores, quantile
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Scored:
    """One case worked on once. `id` names its content, `error` says why it has no output; `line` is where it stands."""

    id: str
    line: int
    repetition: int
    tags: tuple[str, ...]
    score: float
    why: str
    error: str
    usd: float
    tokens: int
    seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One evaluation of one version. `version` names all that answers may depend on, `prompt` the instructions alone.

    `check` names the checker: scores of different checkers mean different things. `at` is seconds since 1970; `usd_checking` is
    what judges took.
    """

    name: str
    version: str
    of: str
    prompt: str
    llm: str
    check: str
    at: Seconds
    gate: float | None
    usd_checking: float
    cases: tuple[Scored, ...]

    @property
    def mean(self) -> float:
        """The mean score of the cases."""
        return _mean(list(by_case(self.cases).values()))

    @property
    def passed(self) -> bool:
        """Whether the gate holds; true without one."""
        return self.gate is None or self.mean >= self.gate

    def as_bytes(self) -> bytes:
        """It as JSON, to be stored."""
        return _RESULT.dump_json(self)

    @staticmethod
    def of_bytes(body: bytes) -> Result:
        """A result that was stored."""
        return _RESULT.validate_json(body)


@dataclass(frozen=True, slots=True)
class Summary:
    """How the cases with one tag did ("" are all): repetitions of a case count once, by their mean.

    `interval` is that of the mean score, at 95 %. Latencies are in seconds.
    """

    tag: str
    cases: int
    mean: float
    interval: Interval
    failed: int
    usd: float
    tokens: int
    p50: Seconds
    p95: Seconds


def summaries(result: Result) -> list[Summary]:
    """All cases, then those of each tag in the order of the tags' names."""
    tags = sorted({tag for case in result.cases for tag in case.tags})
    found = [_summary("", result.cases)]
    return found + [_summary(tag, [case for case in result.cases if tag in case.tags]) for tag in tags]


def by_case(cases: Iterable[Scored]) -> dict[str, float]:
    """The score of each case by its id: the mean of its repetitions."""
    scores: dict[str, list[float]] = {}
    for case in cases:
        scores.setdefault(case.id, []).append(case.score)
    return {id: _mean(found) for id, found in scores.items()}


def _summary(tag: str, cases: Sequence[Scored]) -> Summary:
    scores = list(by_case(cases).values())
    took = sorted(case.seconds for case in cases)
    return Summary(
        tag=tag,
        cases=len(scores),
        mean=_mean(scores),
        interval=interval_of_scores(scores),
        failed=sum(bool(case.error) for case in cases),
        usd=sum(case.usd for case in cases),
        tokens=sum(case.tokens for case in cases),
        p50=quantile(took, 0.5),
        p95=quantile(took, 0.95),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


_RESULT: TypeAdapter[Result] = TypeAdapter(Result)
