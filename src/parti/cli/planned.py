"""How plans and predictions are shown: tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from parti.cli.output import lasting, print_line, print_table
from parti.units import HOURS_A_MONTH

if TYPE_CHECKING:
    from parti.optimise.found import Proof
    from parti.planning.asked import Asked
    from parti.planning.comparing import Comparison
    from parti.planning.planned import Change, FrontPoint, Planned, PlannedPart
    from parti.planning.predicting import Prediction
    from parti.planning.provenance import Provenance
    from parti.sim.replications import Interval

LISTED = 6
"""So many parts are listed with how often they were measured."""

FRONT = 8
"""So many plans of the front are shown; JSON and the picture have all."""


def print_planned(asked: Asked, planned: Planned, rests_on: Provenance) -> None:
    """A plan: the parts, what it costs and does, how sure that is, and what else could be had."""
    _head(asked, planned)
    print_provenance(rests_on)
    rows = [_row(part) for part in planned.parts]
    print_table(
        ("part", "replicas", "machine", "batch", "variant", "site", "USD/month", "why"), rows, numbers=(1, 3, 6)
    )
    print_prediction(asked, planned.prediction)
    _sure(planned)
    _else(planned)
    print_notes(planned.notes)
    if not planned.kept:
        print_line("the promises are not kept", "bold red")


def print_notes(notes: Iterable[str]) -> None:
    """What one must know before one relies on a plan."""
    for note in notes:
        print_line(f"note: {note}")


def print_provenance(found: Provenance) -> None:
    """How old the profile is, and how many calls of which parts it rests on: of all, or of those with the fewest."""
    how = "measured under load" if found.source == "load" else "from traffic"
    days = found.age / 86400.0
    age = f"{days:,.0f} days" if days >= 2 else lasting(round(found.age))
    fewest = sorted(found.calls.items(), key=lambda one: (one[1], one[0]))
    more = f", and {len(fewest) - LISTED} parts with more" if len(fewest) > LISTED else ""
    listed = ", ".join(f"{part} {calls:,}" for part, calls in fewest[:LISTED])
    print_line(f"profile    {how}, {age} old; calls: {listed or 'none'}{more}")


def _head(asked: Asked, planned: Planned) -> None:
    load = ", ".join(stream.text for stream in asked.workload.streams)
    print_line(f"{asked.design.name}  ${planned.usd_per_hour * HOURS_A_MONTH:,.2f} a month for {load}", "bold")
    if asked.qualities:
        print_line(f"  quality {planned.quality:.3g}")


def _row(part: PlannedPart) -> tuple[str, ...]:
    one = part.deployment
    runs = one.machine != ""
    cpus = "" if one.cpus == 1 else f" x {one.cpus:g} vCPU"
    return (
        one.part, str(one.replicas) if runs else "", f"{one.machine}{cpus}", str(one.batch) if one.batch > 1 else "",
        one.variant, one.site, f"{part.usd_per_hour * HOURS_A_MONTH:,.2f}" if part.usd_per_hour else "", part.reason,
    )  # fmt: skip


def print_prediction(asked: Asked, found: Prediction) -> None:
    """What a plan does: quantiles with their intervals, and each part's use and share of a p99 request."""
    print_line()
    print_line(f"predicted  p50 {_of(found.p50)}  p95 {_of(found.p95)}  p99 {_of(found.p99)}")
    promised = lasting(asked.slo.p99)
    done = f"{found.done.mean:.3%} end well" + (
        f" (as many replicas as the load needs are there for {found.there:.4%})" if found.there < 1 else ""
    )
    print_line(f"           promised p99 {promised}; {done}; {_rate(found.throughput.mean)} a second")
    rows = [
        (
            one.part, f"{one.use.mean:.0%}" if one.use.mean else "", f"{one.queue.mean:,.2f}" if one.queue.mean else "",
            *(lasting(value) if value > 0 else "" for value in (one.waiting, one.batching, one.service, one.retrying)),
        )
        for one in found.parts
        if one.use.mean or one.waiting + one.batching + one.service + one.retrying > 0
    ]  # fmt: skip
    headers = ("part", "use", "waiting", "p99: queue", "p99: batch", "p99: work", "p99: retries")
    print_table(headers, rows, numbers=range(1, 7))


def _rate(value: float) -> str:
    return f"{value:,.1f}" if value >= 10 else f"{value:.3g}"


def _sure(planned: Planned) -> None:
    print_line()
    print_line(_proved(planned.proof, planned.relaxed, planned.plans))
    check = planned.verification
    rounds = f" after {check.rounds} rounds" if check.rounds > 1 else ""
    cost = f"; that safety costs ${check.safety * HOURS_A_MONTH:,.2f} a month" if check.safety > 0 else ""
    print_line(
        f"verified on {check.runs} fresh samples{rounds}: {check.broken} broke the promise, "
        f"and the next one's p99 stays below {lasting(check.p99_high)} (99 %){cost}"
    )


def _proved(proof: Proof, relaxed: Proof, plans: int) -> str:
    """How far it is proved that nothing is cheaper, on the sample that was searched."""
    of = f"of {_count(plans)} plans, on the sample that was searched"
    if proof.optimal:
        return f"proved optimal {of}"
    strict = f"at most {proof.gap:.1%} above the cheapest {of}"
    if relaxed.optimal:
        return f"proved optimal {of}, if waiting at one part never helps at another; without that, at most {proof.gap:.1%} above the cheapest"
    if relaxed.gap < proof.gap:
        return f"{strict}; at most {relaxed.gap:.1%}, if waiting at one part never helps at another"
    return strict


def _count(plans: int) -> str:
    return f"{plans:,}" if plans < 1_000_000 else f"10^{math.log10(plans):.1f}"


def _else(planned: Planned) -> None:
    print_line()
    if planned.bottleneck:
        print_line(planned.bottleneck)
    if planned.next_step is not None:
        more = planned.next_step.usd_per_hour - planned.usd_per_hour
        print_line(
            f"the next ${more * HOURS_A_MONTH:,.2f} a month buy a p99 of {lasting(planned.next_step.p99)}: {planned.next_step.what}"
        )
    for title, changes in (("what promises cost", planned.relaxing), ("otherwise", planned.sensitivity)):
        if changes:
            print_line()
            print_table((title, "USD/month", "p99", "promises kept"), map(_change, changes), numbers=(1, 2))
    if len(planned.front) > 1:
        print_line()
        shown = [
            (f"{point.usd_per_hour * HOURS_A_MONTH:,.2f}", lasting(point.p99), f"{point.quality:.3g}")
            for point in _spread(planned)
        ]
        print_table(("front: USD/month", "p99", "quality"), shown, numbers=range(3))


def _spread(planned: Planned) -> list[FrontPoint]:
    step = max(1, math.ceil(len(planned.front) / FRONT))
    return list(planned.front[::step])


def _change(change: Change) -> tuple[str, ...]:
    return (
        change.what,
        f"{change.usd_per_hour * HOURS_A_MONTH:,.2f}",
        _time(change.p99),
        "yes" if change.kept else "no",
    )


def print_comparison(found: Comparison, first: str, second: str) -> None:
    """Two plans side by side, and by how much the second is slower."""
    rows = [
        (name, _of(getattr(found.first, name)), _of(getattr(found.second, name)), _signed(getattr(found, name)))
        for name in ("p50", "p95", "p99")
    ]
    cost = found.second_usd_per_hour - found.first_usd_per_hour
    costs = (found.first_usd_per_hour * HOURS_A_MONTH, found.second_usd_per_hour * HOURS_A_MONTH, cost * HOURS_A_MONTH)
    rows.append(("USD/month", f"{costs[0]:,.2f}", f"{costs[1]:,.2f}", f"{costs[2]:+,.2f}"))
    print_table(("", first, second, "difference, paired"), rows, numbers=(1, 2, 3))


def _of(one: Interval) -> str:
    return f"{_time(one.mean)} ({_time(one.low)} to {_time(one.high)})"


def _signed(one: Interval) -> str:
    def show(value: float) -> str:
        return f"{'-' if value < 0 else '+'}{_time(abs(value))}"

    return f"{show(one.mean)} ({show(one.low)} to {show(one.high)})"


def _time(value: float) -> str:
    return "never" if not math.isfinite(value) else lasting(max(0.0, value))
