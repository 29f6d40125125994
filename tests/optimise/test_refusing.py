"""When no plan keeps the promises: which promise, which part, and the best that can be had."""

from __future__ import annotations

import math

import pytest
from lindley import Ways, replicas, tandem

from parti.optimise.found import Limits
from parti.optimise.oracle import EXPLAINING
from parti.optimise.problem import Option, Promise
from parti.optimise.refusing import NoPlan
from parti.optimise.searching import search


def refused(simulation, promise, **limits) -> NoPlan:
    with pytest.raises(NoPlan) as caught:
        search(
            simulation.problem,
            simulation,
            promise,
            seed=1,
            clock=lambda: 0.0,
            limits=Limits(math.inf, strict=True, **limits),
        )
    assert caught.value.code == "P811" and caught.value.fix
    return caught.value


def test_what_takes_too_long_without_any_waiting_names_the_part_that_takes_most_of_it():
    simulation = tandem({"ocr": replicas(9), "llm": replicas(1)}, rate=0.9)
    error = refused(simulation, Promise(3.0))
    assert (error.broken, error.part, error.proved) == ("seconds", "llm", True)
    assert "even where nobody waits anywhere it is 5.28s, most of it in `llm`" in str(error)


def test_a_part_that_is_too_slow_alone_is_named():
    simulation = tandem({"ocr": replicas(9), "llm": replicas(1)}, rate=0.9)
    error = refused(simulation, Promise(6.0))
    assert (error.broken, error.part, error.proved) == ("seconds", "llm", True)
    assert "even where nobody waits elsewhere, `llm` at its best has one of" in str(error)


def test_parts_that_are_too_slow_only_together_give_the_best_that_was_reached():
    simulation = tandem({"ocr": replicas(2), "llm": replicas(2)}, rate=0.9)
    alone = [tandem({name: replicas(2)}, rate=0.9) for name in ("ocr", "llm")]
    slo = 4.3
    for each in alone:
        assert search(each.problem, each, Promise(slo), seed=1, clock=lambda: 0.0)
    error = refused(simulation, Promise(slo))
    assert error.broken == "seconds" and error.proved and error.best is not None
    assert error.best.seconds > slo
    assert "the best reached" in str(error) and f"`{error.part}`" in str(error)
    reached = refused(simulation, Promise(slo, cost_most=1.0)).best
    assert reached is not None and reached.seconds == error.best.seconds
    kept = search(simulation.problem, simulation, Promise(error.best.seconds), seed=1, clock=lambda: 0.0)
    assert kept.best.seconds == error.best.seconds, "what is said to be reachable can be promised"


def test_a_part_that_loses_too_many_requests_never_ends_well():
    simulation = tandem({"ocr": [Option(Ways(4, loses=0.05), 4.0)], "llm": replicas(3)})
    error = refused(simulation, Promise(1e6))
    assert error.part == "ocr" and "never ends well" in str(error)


def test_a_quality_that_no_variant_reaches_is_refused_before_anything_is_simulated():
    simulation = tandem({"ocr": [Option(Ways(2), 2.0, 0.9)], "llm": [Option(Ways(2), 2.0, 0.8)]})
    error = refused(simulation, Promise(50.0, quality_least=0.75))
    assert (error.broken, error.part) == ("quality", "llm")
    assert "reach 0.72" in str(error)
    assert not simulation.counts


def test_a_budget_that_is_too_small_is_told_what_would_be_enough():
    simulation = tandem({"ocr": replicas(4), "llm": replicas(4, cost=3.0)}, rate=0.9)
    free = search(simulation.problem, simulation, Promise(6.0), seed=1, clock=lambda: 0.0)
    error = refused(simulation, Promise(6.0, cost_most=free.best.cost - 0.5))
    assert (error.broken, error.part, error.proved) == ("budget", "llm", True)
    assert error.best is not None and error.best.cost == free.best.cost
    assert f"allow {free.best.cost:.4g} USD" in str(error)
    enough = Promise(6.0, cost_most=free.best.cost)
    assert search(simulation.problem, simulation, enough, seed=1, clock=lambda: 0.0).plan == free.plan


def test_a_search_that_ends_before_it_found_a_plan_gives_the_quickest_if_that_is_in_time():
    simulation = tandem({name: replicas(6) for name in ("a", "b", "c", "d")}, rate=0.9)
    limits = Limits(math.inf, 20)
    found = search(simulation.problem, simulation, Promise(9.0), seed=1, clock=lambda: 0.0, limits=limits)
    assert found.best.seconds <= 9.0 and found.proof.gap > 0
    assert found.extensions <= 20 + EXPLAINING


def test_a_search_that_ends_early_says_that_a_plan_may_exist():
    """The quickest of all plans is a little too late, which nobody can know after a few extensions."""
    simulation = tandem({name: replicas(3) for name in ("a", "b", "c", "d")}, rate=0.9)
    sure = refused(simulation, Promise(4.0))
    assert sure.proved and sure.best is not None
    error = refused(simulation, Promise(0.999 * sure.best.seconds), extensions=14)
    assert not error.proved
    assert "no plan was found in time" in str(error)
