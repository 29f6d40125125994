"""The proof that plans are right: it runs in its smallest size, and its page says what was found. No time is asserted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from bench.coarse import QUICK, Simulated, Ways, cases, coarse, summary, units
from bench.load import Connection
from bench.measured import Window, busy, of_callers
from bench.open_loop import Generator
from bench.plan_compared import Compared, Figure
from bench.plan_pipeline import A, B, C, Plan, design_of
from bench.plan_report import figure, markdown, verdict
from bench.published import BERT_LARGE, CHAINS, T4, V100

from bench import plan, plan_lending
from parti.sim.load import GammaArrivals
from parti.sim.replications import Interval

MACHINE = {
    "processor": "a", "cores": 2, "memory_gib": 1, "system": "b", "file_system": "ext4", "fsync_p50_ms": 1.0,
    "fsync_p99_ms": 2.0, "python": "3.11", "sqlite": "3", "load_before": 0.0, "load_after": 0.0,
}  # fmt: skip


def interval(mean: float) -> Interval:
    return Interval(mean, 0.9 * mean, 1.1 * mean, 3, 0.95)


def a_comparison(
    predicted: float, *, refitted: float = 100.0, use: float = 0.5, past: bool = False
) -> dict[str, object]:
    """A load whose p99 was 100 ms and whose part was busy half of the time."""
    figures = (
        Figure("p99", "ms", interval(100.0), interval(predicted), interval(refitted)),
        Figure("crunch", "use", interval(0.5), interval(use), interval(0.5)),
    )
    return Compared("A, 60/s cv 1", past, 100, 0, figures, {"crunch": 0.01}, 0.1).as_json()


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An example that is loaded is gone afterwards: its `app` is not that of other tests."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).find("/examples/") >= 0:
            del sys.modules[name]
    plan_lending._design.cache_clear()


@pytest.mark.parametrize("what", ["pipeline", "lending"])
def test_a_system_is_profiled_run_for_real_and_predicted(what, tmp_path):
    plan.main(["--quick", "--only", what, "--directory", str(tmp_path), "--results", str(tmp_path / "results")])
    found = json.loads((tmp_path / "results" / "plan.json").read_text(encoding="utf-8"))
    (one,) = found[what]["compared"]
    assert one["requests"] > 10 and one["failed"] == 0
    for name in ("p50", "p95", "p99", "throughput"):
        both = figure(one, name)
        assert both["measured"]["mean"] > 0 and both["predicted"]["mean"] > 0
    uses = [each for each in one["figures"] if each["unit"] == "use"]
    assert uses and all(0 < each["measured"]["mean"] <= 1 for each in uses)
    assert "A quick run" in (tmp_path / "results" / "plan.md").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["results"], "its stores are removed"


def test_the_claim_is_simulated_for_each_rate_and_cv():
    found = cases(QUICK)
    assert [(case.rate, case.cv) for case in found] == [(900, 1.0), (900, 4.0), (2700, 1.0), (2700, 4.0)]
    assert all(case.mean is not None and case.peak is not None for case in found)
    assert summary(found)["cases"] == 4
    page = markdown({"when": "now", "machine": MACHINE, "warnings": [], "quick": True, "coarse": {
        "summary": summary(found), "cases": [asdict(case) for case in found]}})  # fmt: skip
    assert "image cascade" in page and BERT_LARGE.source in page


def test_the_page_says_in_how_many_loads_a_prediction_was_near():
    rows = [a_comparison(109.0), a_comparison(120.0, refitted=108.0, use=0.54), a_comparison(300.0, past=True)]
    said = verdict(rows)
    assert "Of 2 loads" in said and "within 10% in 1, and in 2" in said and "Of 2 uses, 1" in said
    page = markdown({"when": "now", "machine": MACHINE, "warnings": [], "quick": False, "pipeline": {
        "facts": {"contention": ["others were busy"]}, "compared": rows}})  # fmt: skip
    assert (
        "+20.0%" in page and "+4.0 points" in page and "more than it can serve" in page and "others were busy" in page
    )


def test_latencies_are_of_who_arrived_after_the_warm_up():
    arrived = [float(at) for at in range(11)]
    window = Window.of(arrived)
    assert window.since == 1.0 and window.seconds == 9.0
    (p50, _, p99), throughput = of_callers(arrived, [99.0] + [0.5] * 9 + [2.0], window)
    assert (p50, p99) == (0.5, 2.0)
    assert throughput == 1.0


def test_who_gets_no_answer_has_waited_for_ever():
    (_, _, p99), _ = of_callers([0.0, 5.0, 10.0], [1.0, None, 1.0], Window.of([0.0, 5.0, 10.0]))
    assert p99 == float("inf")


def test_a_part_that_nobody_called_is_not_busy():
    assert busy([], Window(0.0, 0.0, 1.0), {"fetch": 4}) == ({"fetch": 0.0}, {"fetch": 0.0})


def test_a_plan_is_what_the_app_reads():
    assert A.environment == {"FETCH": "4", "CRUNCH": "1", "SCORE": "1", "BATCH": "8", "FILE": "16"}
    assert Plan("x", 1, 2, 3, 4, 5).places == {"fetch": 1, "crunch": 2, "score": 3, "file": 5}


def test_each_plan_is_predicted_with_the_concurrency_that_it_runs_with():
    """The app reads it from its environment, so the design that is predicted must be read with that of the plan."""
    for plan_ in (A, B, C):
        design = design_of(plan_)
        assert {name: design.by_name[name].concurrency for name in plan_.places} == plan_.places
        assert design.by_name["score"].batch.size == plan_.batch


def test_published_times_are_linear_between_the_sizes_that_were_published():
    assert BERT_LARGE.seconds(T4, 1) == pytest.approx(1 / 23.05)
    assert BERT_LARGE.seconds(V100, 3) == pytest.approx((2 / 95.41 + 4 / 124.43) / 2)
    with pytest.raises(ValueError, match="batches of 16"):
        BERT_LARGE.seconds(T4, 16)


def test_a_unit_has_the_largest_batch_that_is_in_time():
    chain = CHAINS[0]
    for slo in (0.15, 0.3, 0.6):
        for unit in units(chain, slo):
            batch = unit.ways[0].batch
            alone = sum(model.seconds(way.gpu, batch) for model, way in zip(chain.models, unit.ways, strict=True))
            assert alone <= slo


def test_the_coarse_plan_has_as_many_of_each_model_as_the_rate_needs():
    simulated = Simulated(CHAINS[1], GammaArrivals(900, 1.0), 500)
    one, many = (coarse(simulated, 0.2, rate) for rate in (900.0, 5000.0))
    assert one is not None and many is not None
    copies = {option.label.replicas for choice in many.choices for option in choice if isinstance(option.label, Ways)}
    assert len(copies) == 1 and many.cost > one.cost


def test_the_peak_of_bursty_arrivals_is_higher():
    calm, bursty = (Simulated(CHAINS[1], GammaArrivals(900, cv), 2000) for cv in (1.0, 4.0))
    assert 900 < calm.peak(0.1, 1) < bursty.peak(0.1, 1)


def test_a_connection_that_the_server_left_is_not_used_again():
    """It hangs up on those that were idle, and a request on one would wait for ever."""

    async def main() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = await Connection.open(port)
        generator = Generator(port, {"due": [], "paths": ["/"], "bodies": [], "method": "GET"})
        generator.free.append(connection)
        while not connection.lost:
            await asyncio.sleep(0)
        with pytest.raises(ConnectionResetError):
            await connection.ask(b"")
        assert await generator.connection() is not connection
        server.close()

    asyncio.run(main())
