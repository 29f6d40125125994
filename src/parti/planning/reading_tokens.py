"""Tokens of a language model's calls: how many it reads and writes, and how its time follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from parti.planning.profile import Tokens
from parti.planning.sampled import Sampled
from parti.planning.spans import Span
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: who gave it, its tokens, its times and its cost. `first` is 0 where the call did not stream."""

    variant: str
    prompt: int
    output: int
    first: Seconds
    took: Seconds
    usd: float | None
    cached: bool

    @staticmethod
    def of(span: Span) -> Answered | None:
        """The answer in a call's journal entry; None where there is none."""
        facts: Any = span.answer
        if not isinstance(facts, dict):
            return None
        prompt, output = int(facts.get("tokens_in", 0)), int(facts.get("tokens_out", 0))
        took = float(facts.get("took", 0.0)) or span.until - span.served_from
        cached = not prompt and not output and not facts.get("took")
        return Answered(span.variant, prompt, output, float(facts.get("first", 0.0)), took, facts.get("usd"), cached)


def tokens_of(answers: Sequence[Answered], growth: float) -> tuple[Tokens, ...]:
    """The tokens of each variant that answered, sorted by its name. Answers out of a cache are counted, and left out."""
    by_variant: dict[str, list[Answered]] = defaultdict(list)
    for answer in answers:
        by_variant[answer.variant].append(answer)
    return tuple(
        _tokens(variant, found, growth)
        for variant, found in sorted(by_variant.items())
        if not all(a.cached for a in found)
    )


def _tokens(variant: str, found: Sequence[Answered], growth: float) -> Tokens:
    real = [answer for answer in found if not answer.cached]
    streamed = [answer for answer in real if answer.first > 0]
    decode = [(a.took - a.first) / (a.output - 1) for a in streamed if a.output > 1 and a.took > a.first]
    costs = [answer.usd for answer in real if answer.usd is not None]
    (fixed, prefill, step), fit = fitted([(a.prompt, a.output) for a in real], [a.took for a in real])
    return Tokens(
        variant, Sampled.of([a.prompt for a in real]), Sampled.of([a.output for a in real]), growth,
        Sampled.of([a.first for a in streamed]) if streamed else None, Sampled.of(decode) if decode else None,
        fixed, prefill, step, fit, sum(costs) / len(costs) if costs else None, len(found) - len(real),
    )  # fmt: skip


def fitted(
    tokens: Sequence[tuple[float, float]], seconds: Sequence[Seconds]
) -> tuple[tuple[float, float, float], float]:
    """``(fixed, per prompt token, per output token)``, each at least 0, nearest to `seconds` in least squares, and how well it fits.

    Non-negative least squares with three columns: of the eight choices of columns the best whose coefficients are not negative
    (Lawson and Hanson's conditions hold at the optimum of one of them). Where columns cannot be told apart, fewer are used.
    """
    rows = [(1.0, float(prompt), float(output)) for prompt, output in tokens]
    mean = sum(seconds) / len(seconds)
    total = sum((value - mean) ** 2 for value in seconds)
    best, least = (mean, 0.0, 0.0), total
    for count in (1, 2, 3):
        for columns in combinations(range(3), count):
            found = _solved(rows, seconds, columns)
            if found is None or min(found) < 0:
                continue
            error = sum(
                (value - sum(a * b for a, b in zip(found, row, strict=True))) ** 2
                for row, value in zip(rows, seconds, strict=True)
            )
            if error < least * (1 - 1e-9) - 1e-18:
                best, least = found, error
    return best, max(0.0, 1 - least / total) if total > 0 else 1.0


def _solved(
    rows: Sequence[tuple[float, float, float]], seconds: Sequence[float], columns: tuple[int, ...]
) -> tuple[float, float, float] | None:
    """Least squares with those columns alone, by Gauss-Jordan on the normal equations; None where they are not independent."""
    size = len(columns)
    scale = [max(1.0, *(row[column] for row in rows)) for column in columns]
    table = [
        [sum(row[a] * row[b] for row in rows) / (scale[i] * scale[j]) for j, b in enumerate(columns)]
        + [sum(row[a] * value for row, value in zip(rows, seconds, strict=True)) / scale[i]]
        for i, a in enumerate(columns)
    ]
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(table[row][at]))
        if abs(table[pivot][at]) < 1e-9 * len(rows):
            return None
        table[at], table[pivot] = table[pivot], table[at]
        table[at] = [value / table[at][at] for value in table[at]]
        for other in range(size):
            if other != at:
                factor = table[other][at]
                table[other] = [value - factor * own for value, own in zip(table[other], table[at], strict=True)]
    found = [0.0, 0.0, 0.0]
    for at, column in enumerate(columns):
        found[column] = table[at][-1] / scale[at]
    return found[0], found[1], found[2]
