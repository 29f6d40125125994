"""Drift of a profile: what recent traffic says otherwise; told apart from the error of the model that predicts from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Final, Literal

from parti.mlops.evaluation.statistics import wilson
from parti.planning.profile import Outcomes, PartProfile, Profile
from parti.planning.sampled import Sampled

MOVED: Final = 0.05
"""A mean that moved by less is told as moved by nobody, however sure it is."""

Of = Literal["seconds", "failures", "visits", "prompt", "output", "share"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One quantity of one part: what the stored profile says, and what recent traffic says; each with its 95 % interval.

    `of` is "seconds" (own, of a batch of `batch` by `variant`), "failures" (share of calls), "visits" (calls per run of `caller`),
    "prompt" or "output" (tokens), or "share" (of what arrives). Shares and visits have intervals where they are shares; else the
    interval is the value itself. `moved` says that the intervals lie apart, and the values by more than 5 %.
    """

    part: str
    of: Of
    variant: str
    batch: int
    stored: tuple[float, float, float]
    recent: tuple[float, float, float]
    count: int
    moved: bool
    caller: str = ""

    @property
    def ratio(self) -> float:
        """How many times as much it is now; infinite where there was nothing of it."""
        return self.recent[0] / self.stored[0] if self.stored[0] else float("inf") if self.recent[0] else 1.0


@dataclass(frozen=True, slots=True)
class Drifted:
    """All that was compared, parts that only one of the two profiles has, and why times of the two may not be compared."""

    drifts: tuple[Drift, ...]
    only_stored: tuple[str, ...]
    only_recent: tuple[str, ...]
    caveats: tuple[str, ...]

    @property
    def moved(self) -> tuple[Drift, ...]:
        """What moved, the furthest first."""
        return tuple(sorted((one for one in self.drifts if one.moved), key=lambda one: -abs(_log(one.ratio))))


def drift(stored: Profile, recent: Profile) -> Drifted:
    """What `recent` (of traffic) says otherwise than `stored`, part by part."""
    found: list[Drift] = []
    for part in stored.parts:
        now = recent.part(part.part)
        if now is not None:
            found += [
                *_of_services(part, now),
                *_of_tokens(part, now),
                *_of_failures(part.part, part.outcomes, now.outcomes),
            ]
    found += [*_of_visits(stored, recent), *_of_shares(stored, recent)]
    before, after = ({part.part for part in one.parts} for one in (stored, recent))
    return Drifted(
        tuple(found), tuple(sorted(before - after)), tuple(sorted(after - before)), tuple(_caveats(stored, recent))
    )


def _caveats(stored: Profile, recent: Profile) -> Iterator[str]:
    if stored.contention is not None and stored.contention.found:
        yield "the stored profile was measured under contention"
    if stored.design != recent.design:
        yield "the design has changed since the stored profile"
    if stored.source == "load" and recent.at_once > 2:
        yield (
            f"{recent.at_once:.0f} runs were at work at once: own times in traffic hold turns of the event loop and of threads"
        )


def _of_services(stored: PartProfile, recent: PartProfile) -> Iterator[Drift]:
    for before in stored.services:
        after = recent.service(before.variant, before.batch)
        if after is not None:
            yield _sampled(stored.part, "seconds", before.variant, before.batch, before.seconds, after.seconds)


def _of_tokens(stored: PartProfile, recent: PartProfile) -> Iterator[Drift]:
    for before in stored.tokens:
        after = next((one for one in recent.tokens if one.variant == before.variant), None)
        if after is not None:
            yield _sampled(stored.part, "prompt", before.variant, 1, before.prompt, after.prompt)
            yield _sampled(stored.part, "output", before.variant, 1, before.output, after.output)


def _sampled(part: str, of: Of, variant: str, batch: int, before: Sampled, after: Sampled) -> Drift:
    return _drift(
        part, of, (before.mean, before.low, before.high), (after.mean, after.low, after.high), after.count,
        variant=variant, batch=batch,
    )  # fmt: skip


def _of_failures(part: str, before: Outcomes, after: Outcomes) -> Iterator[Drift]:
    yield from _of_share(part, "failures", _failed(before), _failed(after))


def _failed(outcomes: Outcomes) -> tuple[int, int]:
    failed = outcomes.failed + outcomes.timed_out
    return failed, failed + outcomes.done


def _of_share(part: str, of: Of, before: tuple[int, int], after: tuple[int, int]) -> Iterator[Drift]:
    """A share of so many out of so many, before and now, with Wilson's intervals."""
    if before[1] and after[1]:
        triples = [(one / all, *wilson(one, all)) for one, all in (before, after)]
        yield _drift(part, of, triples[0], triples[1], after[1])


def _of_visits(stored: Profile, recent: Profile) -> Iterator[Drift]:
    for graph in stored.graphs:
        now = recent.graph(graph.caller)
        if now is None or not graph.runs or not now.runs:
            continue
        before, after = graph.visits(), now.visits()
        for part in sorted(before.keys() | after.keys()):
            one, other = before.get(part, 0.0), after.get(part, 0.0)
            if one <= 1 and other <= 1:
                counts = [(round(mean * runs), runs) for mean, runs in ((one, graph.runs), (other, now.runs))]
                triples = [(share / all, *wilson(share, all)) for share, all in counts]
            else:
                triples = [(one, one, one), (other, other, other)]
            yield _drift(part, "visits", triples[0], triples[1], now.runs, caller=graph.caller)


def _of_shares(stored: Profile, recent: Profile) -> Iterator[Drift]:
    totals = [sum(seen.count for seen in one.arrivals) for one in (stored, recent)]
    counts = [{seen.entry: seen.count for seen in one.arrivals} for one in (stored, recent)]
    if all(totals) and len(counts[0].keys() | counts[1].keys()) > 1:
        for entry in sorted(counts[0].keys() | counts[1].keys()):
            pairs = [(count.get(entry, 0), total) for count, total in zip(counts, totals, strict=True)]
            yield from _of_share(entry, "share", *pairs)


def _drift(
    part: str, of: Of, before: tuple[float, float, float], after: tuple[float, float, float], count: int, *,
    variant: str = "", batch: int = 1, caller: str = "",
) -> Drift:  # fmt: skip
    apart = after[1] > before[2] or before[1] > after[2]
    far = abs(after[0] - before[0]) > MOVED * max(before[0], 1e-9)
    return Drift(part, of, variant, batch, before, after, count, apart and far, caller)


def _log(ratio: float) -> float:
    return log(ratio) if 0 < ratio < float("inf") else 100.0


@dataclass(frozen=True, slots=True)
class Accounted:
    """A predicted quantity (a p99, a use) beside the measured one, and from where it differs.

    `predicted` is by the stored profile, `given_today` by the recent one on the same load and plan, `measured` what came about.
    Errors are relative, 0.1 for 10 % too much; ``(1 + total) = (1 + drift) · (1 + model)``.
    """

    name: str
    predicted: float
    given_today: float
    measured: float

    @property
    def drift(self) -> float:
        """What is due to the profile being out of date."""
        return self.predicted / self.given_today - 1

    @property
    def model(self) -> float:
        """What is due to the model: it would be wrong by as much with a true profile."""
        return self.given_today / self.measured - 1

    @property
    def total(self) -> float:
        """Both together."""
        return self.predicted / self.measured - 1


def account(
    predicted: Mapping[str, float], given_today: Mapping[str, float], measured: Mapping[str, float]
) -> tuple[Accounted, ...]:
    """The quantities that all three know and that are positive, sorted by name."""
    names = sorted(predicted.keys() & given_today.keys() & measured.keys())
    triples = [(name, predicted[name], given_today[name], measured[name]) for name in names]
    return tuple(Accounted(*one) for one in triples if min(one[1:]) > 0)
