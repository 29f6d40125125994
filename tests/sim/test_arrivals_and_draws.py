"""Arrivals and draws: rates, variation, burstiness, recorded traces, and that draws are what their distributions say."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from parti.errors import PlanError
from parti.sim.arrivals import load_of, played, times_of
from parti.sim.compiled import kept
from parti.sim.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal
from parti.sim.draws import normal_quantile, unit
from parti.sim.load import Arrivals, GammaArrivals, Load, Mmpp, Poisson, Ticks, Trace
from parti.sim.network import EVERYONE, Network, Station
from parti.sim.simulating import simulate


@kept
def quantile_of(level: float) -> float:
    return normal_quantile(level)


@kept
def units(made: np.ndarray) -> None:
    for request in range(made.shape[0]):
        for turn in range(made.shape[1]):
            made[request, turn] = unit(12345, request, turn, 1, 0)


def services(distribution: Distribution, count: int = 200_000) -> np.ndarray:
    """Draws, as services of a station where nobody waits."""
    station = Station("only", distribution, EVERYONE)
    simulated = simulate(Network((station,), "only"), Load(np.zeros(count)), seed=5)
    found: np.ndarray = simulated.left
    return found


@pytest.mark.parametrize(
    ("distribution", "cv"),
    [
        (Constant(0.3), 0.0),
        (Exponential(0.3), 1.0),
        (Lognormal(0.3, 0.8), 0.8),
        (Gamma(0.3, 0.4), 0.4),
        (Gamma(0.3, 2.0), 2.0),
        (Empirical((0.0, 0.3, 0.6)), 1 / math.sqrt(3)),
    ],
    ids=str,
)
def test_draws_have_the_mean_and_variation_of_their_distribution(distribution: Distribution, cv: float) -> None:
    drawn = services(distribution)
    assert drawn.mean() == pytest.approx(0.3, rel=0.02)
    assert drawn.std() == pytest.approx(0.3 * cv, rel=0.03, abs=1e-12)
    assert distribution.mean == pytest.approx(0.3)


def test_exponential_and_gamma_draws_of_cv_1_have_the_same_quantiles() -> None:
    """Which they reach by different ways: an inverse, and rejection."""
    levels = [0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
    exact = [-0.3 * math.log(1 - level) for level in levels]
    for distribution in (Exponential(0.3), Gamma(0.3, 1.0)):
        assert np.quantile(services(distribution), levels) == pytest.approx(exact, rel=0.05)


def test_samples_come_back_as_they_were_measured() -> None:
    """A few are kept whole, many are thinned to quantiles."""
    rng = np.random.default_rng(1)
    samples = rng.lognormal(0.0, 1.0, 50_000)
    kept = Empirical.of(samples.tolist())
    assert len(kept.quantiles) == 1025
    levels = [0.05, 0.5, 0.95, 0.99]
    assert np.quantile(services(kept), levels) == pytest.approx(np.quantile(samples, levels), rel=0.03)
    assert Empirical.of([2.0]).quantiles == (2.0, 2.0)
    assert Empirical.of([3.0, 1.0, 2.0]).quantiles == (1.0, 2.0, 3.0)


def test_the_normal_quantile_is_exact() -> None:
    exact = statistics.NormalDist()
    for level in (1e-300, 1e-9, 0.01, 0.2, 0.5, 0.9, 1 - 1e-9):
        assert quantile_of(level) == pytest.approx(exact.inv_cdf(level), rel=1e-12, abs=1e-15)


def test_units_are_even_and_do_not_depend_on_each_other() -> None:
    """By request, turn and purpose: neighbours are not correlated, and every tenth gets its share."""
    numbers = np.zeros((20_000, 4))
    units(numbers)
    assert 0.0 < numbers.min() < numbers.max() < 1.0
    share = np.histogram(numbers, bins=10, range=(0, 1))[0] / numbers.size
    assert share == pytest.approx([0.1] * 10, abs=0.005)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(4)).max() < 0.03
    assert abs(np.corrcoef(numbers[1:, 0], numbers[:-1, 0])[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("arrivals", "rate", "cv"),
    [(Poisson(50.0), 50.0, 1.0), (GammaArrivals(50.0, 4.0), 50.0, 4.0), (GammaArrivals(50.0, 0.5), 50.0, 0.5)],
    ids=["poisson", "bursty", "even"],
)
def test_arrivals_have_their_rate_and_variation(arrivals: Arrivals, rate: float, cv: float) -> None:
    times = times_of(arrivals, seconds=4000, seed=3)
    assert len(times) / 4000 == pytest.approx(rate, rel=0.03)
    gaps = np.diff(times)
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.03)
    assert (gaps >= 0).all()


def test_an_mmpp_has_the_mean_rate_of_its_states_and_comes_in_bursts() -> None:
    """10/s for 9 s, 110/s for 1 s: 20/s in the mean, and counts per second that vary far more than those of Poisson."""
    times = times_of(Mmpp((10.0, 110.0), (9.0, 1.0)), seconds=20_000, seed=3)
    assert len(times) / 20_000 == pytest.approx(20, rel=0.05)
    counts = np.histogram(times, bins=20_000, range=(0, 20_000))[0]
    assert counts.var() / counts.mean() > 10


def test_a_trace_is_played_as_recorded_or_faster() -> None:
    assert times_of(Trace((0.0, 1.0, 4.0)), seconds=3, seed=1).tolist() == [0.0, 1.0]
    assert times_of(Trace((0.0, 1.0, 4.0), faster=2.0), seconds=3, seed=1).tolist() == [0.0, 0.5, 2.0]


def test_a_trace_that_is_played_from_elsewhere_begins_again_after_its_end() -> None:
    trace = Trace((0.0, 1.0, 4.0), faster=2.0, span=10.0)
    assert played(trace, seconds=8, begin=1.0).tolist() == [1.0, 4.0, 4.5, 6.0]
    assert Trace((0.0, 1.0, 4.0)).cycle == 6.0


def test_ticks_are_whole_multiples_on_one_clock() -> None:
    """What ticks every minute does so together with what ticks every 10 s; another seed looks at another moment."""
    often, rare = (times_of(Ticks(every), seconds=600, seed=2) for every in (10.0, 60.0))
    assert len(rare) == 10 and np.diff(often) == pytest.approx(10.0)
    assert np.isin(rare.round(3), often.round(3)).all()
    assert times_of(Ticks(60.0), seconds=600, seed=3)[0] != rare[0]


def test_an_mmpp_begins_in_a_state_as_often_as_it_lasts() -> None:
    calm = [not len(times_of(Mmpp((1e3, 0.0), (100.0, 300.0)), seconds=0.1, seed=seed)) for seed in range(400)]
    assert sum(calm) / 400 == pytest.approx(0.75, abs=0.07)


def test_loads_differ_by_seed_and_name() -> None:
    loads = [
        load_of(Poisson(5), seconds=10, seed=seed, name=name).arrived[0] for seed, name in ((1, ""), (2, ""), (1, "b"))
    ]
    assert len(set(loads)) == 3
    assert load_of(Poisson(5), seconds=10, seed=1).arrived[0] == loads[0]


@pytest.mark.parametrize(
    "arrivals",
    [Poisson(-1.0), Poisson(math.inf), GammaArrivals(1.0, 0.0), Mmpp((1.0,), (1.0, 2.0)), Mmpp((0.0,), (1.0,)), Trace((2.0, 1.0)), Trace((1.0,), 0.0)],
    ids=str,
)  # fmt: skip
def test_arrivals_that_cannot_be_are_refused(arrivals: Arrivals) -> None:
    with pytest.raises(PlanError) as raised:
        times_of(arrivals, seconds=10, seed=1)
    assert raised.value.code == "P803"
    assert raised.value.fix
