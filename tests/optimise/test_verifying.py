"""Verifying: a plan that keeps its promise in one sample is made one that keeps it in fresh runs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from lindley import Tandem, replicas, tandem

from parti.errors import PlanError
from parti.optimise.checking import check
from parti.optimise.found import Limits
from parti.optimise.measuring import measured
from parti.optimise.problem import Plan, Promise
from parti.optimise.refusing import NoPlan
from parti.optimise.verifying import Care, verify

ENDLESS = Limits(math.inf)


def family() -> list[tuple[Tandem, Promise]]:
    """Problems of two and three parts with different loads, promises, and prices."""
    found = []
    for number, (parts, rate, level) in enumerate(itertools.product((2, 3), (0.7, 1.3), (0.95, 0.99))):
        shape = {f"part{part}": replicas(8, cost=1.0 + 0.3 * part, least=2) for part in range(parts)}
        simulation = tandem(shape, rate=rate, requests=1500, pooled=number % 3 != 0)
        found.append((simulation, Promise(5.0 if simulation.pooled else 16.0, level)))
    return found


def broken(simulation: Tandem, plan, promise: Promise, runs: int) -> int:
    """In how many fresh runs the plan breaks the promise."""
    points = (measured(simulation.problem, simulation, plan, promise, seed=10_000 + run)[0] for run in range(runs))
    return sum(point.seconds > promise.seconds for point in points)


def test_verified_plans_break_their_promise_in_at_most_one_fresh_run_of_a_hundred():
    """Without verification it is many."""
    before = after = 0
    problems = family()
    for simulation, promise in problems:
        made = verify(simulation.problem, simulation, promise, seed=1, clock=lambda: 0.0, limits=ENDLESS)
        assert made.check.kept and made.plan.cost <= promise.cost_most
        assert made.safety == pytest.approx(made.plan.cost - made.found.best.cost)
        before += broken(simulation, made.found.plan, promise, 100)
        after += broken(simulation, made.plan, promise, 100)
    assert before > 0.1 * 100 * len(problems)
    assert after <= 0.01 * 100 * len(problems)


def planned(promise: Promise, care: Care | None = None, **settings):
    simulation = tandem({"ocr": replicas(8), "llm": replicas(8)}, requests=1500, **settings)
    return simulation, verify(
        simulation.problem, simulation, promise, seed=1, clock=lambda: 0.0, limits=ENDLESS, care=care
    )


def test_rounds_tell_what_was_planned_and_how_it_went():
    _, made = planned(Promise(5.0, 0.98), rate=1.3)
    first, *others = made.rounds
    assert first.seconds == 5.0 and first.check.plan == made.found.plan and not first.check.kept
    assert others and all(round.seconds < 5.0 for round in others)
    assert made.safety > 0
    assert any(round.check == made.check for round in others) or made.plan not in {r.check.plan for r in made.rounds}
    assert made.plan.cost <= min(r.check.plan.cost for r in made.rounds if r.check.kept)


def test_a_plan_that_is_kept_at_once_costs_nothing_more():
    _, made = planned(Promise(60.0, 0.9), rate=0.8)
    assert made.safety == 0 and len(made.rounds) == 1
    assert len(made.check.seeds) == 100 and 1 not in made.check.seeds, "the seed it was planned with is not fresh"


def test_no_seed_is_used_twice_and_no_plan_is_checked_twice():
    _, made = planned(Promise(5.0, 0.98), rate=1.3)
    checks = {round.check.plan: round.check for round in made.rounds}
    assert all(round.check is checks[round.check.plan] for round in made.rounds)
    seeds = [seed for each in checks.values() for seed in each.seeds]
    assert len(seeds) == len(set(seeds))


def test_the_same_seed_verifies_the_same_plan():
    assert planned(Promise(5.0, 0.98), rate=1.3)[1] == planned(Promise(5.0, 0.98), rate=1.3)[1]


def test_the_upper_end_is_what_one_more_run_stays_below():
    """Of runs whose counts are Poisson, about one of a hundred is above the upper end of twenty others."""
    draw = np.random.default_rng(5)

    class Counts:
        def begin(self, seed):
            return seed

        def extend(self, state, choice):
            return state

        def finish(self, state):
            late = min(1000, int(draw.poisson(8)))
            return np.concatenate([np.full(late, 2.0), np.full(1000 - late, 0.5)])

    simulation = tandem({"ocr": replicas(1)})
    plan = planned_plan(simulation)
    above = 0
    for _ in range(500):
        made = check(simulation.problem, Counts(), plan, Promise(1.0, 0.5), seeds=range(20))
        above += draw.poisson(8) / 1000 > made.late_high
    assert 0 < above <= 15


def planned_plan(simulation: Tandem):
    return Plan(tuple((stage.parts[0].options[0],) for stage in simulation.problem.stages))


def test_a_plan_that_fails_early_is_not_tried_to_the_end():
    simulation = tandem({"ocr": replicas(1)}, rate=0.99, requests=500)
    made = check(simulation.problem, simulation, planned_plan(simulation), Promise(1.0), seeds=range(1, 50))
    assert len(made.seeds) == 5 and made.broken == 5 and not made.kept
    assert made.late_high > 0.01 and made.seconds_high > 1.0


def test_a_plan_that_cannot_be_verified_is_refused_with_how_it_went():
    with pytest.raises(NoPlan, match="no plan was verified in 1 rounds") as refused:
        planned(Promise(5.0, 0.98), Care(rounds=1), rate=1.3)
    assert refused.value.code == "P811" and not refused.value.proved


def test_what_keeps_its_promise_in_the_sample_only_is_refused():
    """The largest plan keeps 5.3 s in the sample and not in fresh runs, and none is quicker."""
    simulation = tandem({"ocr": replicas(1)}, rate=0.3, requests=300)
    kept = measured(simulation.problem, simulation, planned_plan(simulation), Promise(1.0, 0.95), seed=1)[0].seconds
    with pytest.raises(NoPlan, match="fresh runs, and for") as refused:
        verify(
            simulation.problem,
            simulation,
            Promise(kept * 1.001, 0.95),
            seed=1,
            clock=lambda: 0.0,
            limits=ENDLESS,
        )
    assert not refused.value.proved


def test_care_that_cannot_be_is_refused():
    for wrong in ({"runs": 4}, {"rounds": 0}, {"broken_most": 0.0}, {"again": 2.0}):
        with pytest.raises(PlanError, match="no plan can be verified by"):
            Care(**wrong)


def test_verifying_takes_as_long_again_as_the_search_and_its_runs_decide_by_then():
    """Each run takes a second here. A hundred were asked for; six are enough for a plan that is far from its promise."""
    now = [0.0]

    class Slow(Tandem):
        def finish(self, state):
            now[0] += 1.0
            return super().finish(state)

    shape = tandem({"ocr": replicas(4), "llm": replicas(4)})
    simulation = Slow(shape.problem, shape.work, 400, 0.5)
    done = verify(
        simulation.problem, simulation, Promise(60.0), seed=1, clock=lambda: now[0], limits=Limits(6.0), care=Care()
    )
    searched = done.found.elapsed
    assert searched <= 7.0 and now[0] <= searched + 7.0
    assert 5 <= len(done.check.seeds) <= 7 and done.check.kept
