"""The planning benchmark: its methods plan the same problems, and its tables say what was found."""

from __future__ import annotations

import json
import time

import pytest
from bench.peers.plan_peers import by_chance, by_inferline, by_tpe, peer
from bench.plan_problems import MACHINES, Ways, made
from bench.plan_search import (
    HAS_OPTUNA,
    QUICK,
    SEED,
    Size,
    compared,
    main,
    publish,
    summary,
    table,
    verified,
    verified_table,
)
from rich.console import Console

from parti.optimise.found import Limits
from parti.optimise.measuring import measured
from parti.optimise.problem import Plan
from parti.optimise.searching import search

TINY = Size(2, 1, 20.0, requests=400)


def tiny(number: int = 1):
    return made(number, parts=2, requests=400)


def test_a_state_is_extended_as_the_simulator_would_simulate_it_whole():
    pipeline, promise = tiny()
    plan = Plan(tuple((stage.parts[0].options[-1],) for stage in pipeline.problem.stages))
    point, requests = measured(pipeline.problem, pipeline, plan, promise, seed=3)
    assert requests > 300 and 0 < point.seconds < 100


def test_what_a_prefix_has_reached_is_never_more_than_a_whole_plan_takes():
    """Else branch and bound would cut plans that keep their promise."""
    pipeline, _ = made(2, parts=3, requests=400)
    for pick in (0, 7, 20, -1):
        choices = [(stage.parts[0].options[pick],) for stage in pipeline.problem.stages]
        state, bounds = pipeline.begin(5), []
        for choice in choices:
            bounds.append(pipeline.reached(state))
            state = pipeline.extend(state, choice)
        latencies = pipeline.finish(state)
        for before, after in zip(bounds, [*bounds[1:], latencies], strict=True):
            assert (before <= after + 1e-9).all()


def test_impossible_options_break_the_promise_in_every_plan():
    pipeline, promise = tiny()
    first, second = pipeline.problem.stages
    best = max(second.parts[0].options, key=lambda option: option.cost)
    refused = [o for o in first.parts[0].options if not pipeline.possible(SEED, "part0", o, promise)]
    assert refused
    for option in refused:
        point, _ = measured(pipeline.problem, pipeline, Plan(((option,), (best,))), promise, seed=SEED)
        assert point.seconds > promise.seconds


def test_inferline_starts_on_the_best_hardware_and_ends_where_no_step_saves():
    pipeline, promise = tiny()
    asked = peer(pipeline, promise, seed=SEED, seconds=60.0, clock=lambda: 0.0)
    cost = by_inferline(asked)
    plans = [point for point in asked.oracle.points.values() if point.keeps(promise)]
    assert cost == min(point.cost for point in plans)
    first: Ways = next(iter(asked.oracle.points)).choices[0][0].label
    assert (first.replicas, first.batch) == (1, 1) and MACHINES[first.machine][0] == 1.8
    best = search(pipeline.problem, pipeline, promise, seed=SEED, clock=lambda: 0.0, limits=Limits(1.0))
    assert best.relaxed.optimal and best.best.cost <= cost + 1e-9


@pytest.mark.skipif(not HAS_OPTUNA, reason="optuna is not installed")
def test_tpe_plans_within_its_extensions():
    pipeline, promise = tiny()
    ticks = iter(range(10**6))
    asked = peer(pipeline, promise, seed=SEED, seconds=60.0, clock=lambda: float(next(ticks)))
    cost = by_tpe(asked, seed=SEED)
    assert cost > 0 and len(asked.oracle.points) > 3


def test_random_plans_are_of_the_problem():
    pipeline, promise = tiny()
    ticks = iter(range(10**6))
    asked = peer(pipeline, promise, seed=SEED, seconds=60.0, clock=lambda: float(next(ticks)))
    cost = by_chance(asked, seed=SEED)
    assert cost == min((p.cost for p in asked.oracle.points.values() if p.keeps(promise)), default=float("inf"))


def test_tables_say_what_was_found(capsys):
    row = compared(1, Size(2, 1, 0.3, requests=400))
    assert row is not None and row["parti_gap"] >= 0 and row["relaxed_gap"] >= 0
    assert summary([row])["problems"] == 1
    console = Console(width=140)
    console.print(table([row], TINY))
    done = verified(3, Size(2, 1, 20.0, requests=1000))
    assert done is not None and done["cost_with"] >= done["cost_without"]
    console.print(verified_table([done], TINY))
    said = capsys.readouterr().out
    assert "InferLine" in said and "verification" in said and "mean" in said


def test_rows_come_as_json(monkeypatch, capsys):
    monkeypatch.setattr("bench.plan_search.compared", lambda number, size: {"problem": number})
    monkeypatch.setattr("bench.plan_search.warm", time.process_time)
    main(["--parts", "2", "--problems", "2", "--json"])
    assert json.loads(capsys.readouterr().out) == [{"problem": 0}, {"problem": 1}]


def test_what_is_published_has_every_table_and_the_long_search(tmp_path, capsys):
    publish(QUICK, tmp_path)
    page, kept = (tmp_path / "search.md").read_text(), json.loads((tmp_path / "search.json").read_text())
    assert [section["title"] for section in kept["sections"]] == ["2 parts, 0.2 s", "3 parts, 0.2 s"]
    assert "## Ten parts, by 120 s" in page and f"${kept['long']['parti']:.2f} an hour" in page
    assert "InferLine" in page and "broken without verification" in page and "Measured" in page
    assert capsys.readouterr().out.strip() == page.strip()
