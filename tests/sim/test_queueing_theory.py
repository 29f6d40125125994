"""What queueing theory has exact answers for, the simulator finds: within intervals over independent replications.

Seeds are fixed, so each test either always passes or always fails. An interval of level 0.999 misses the truth once in a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from parti.sim.arrivals import load_of
from parti.sim.distributions import Constant, Distribution, Exponential, Gamma, Lognormal
from parti.sim.load import Arrivals, Poisson
from parti.sim.network import END, EVERYONE, Call, Choice, Fork, Network, Station, tandem
from parti.sim.replications import Interval, interval
from parti.sim.result import Outcome, Simulated
from parti.sim.simulating import simulate

STRICT = 0.999


def replicated(
    network: Network,
    arrivals: Arrivals,
    measure: Callable[[Simulated], float],
    *,
    seconds: float,
    warmup: float,
    count: int = 10,
    level: float = STRICT,
) -> Interval:
    """The interval of a measure that may need the parts of requests' times."""
    values = []
    for seed in range(count):
        load = load_of(arrivals, seconds=seconds, seed=seed)
        values.append(measure(simulate(network, load, seed=seed, warmup=warmup)))
    return interval(values, level=level)


def waits(simulated: Simulated) -> np.ndarray:
    """Seconds in all queues, of counted requests."""
    assert simulated.parts
    found: np.ndarray = simulated.parts.waiting.sum(axis=0)[simulated.counted]
    return found


def mean_wait(simulated: Simulated) -> float:
    return float(waits(simulated).mean())


def one_station(service: Distribution, servers: int = 1, room: int | None = None) -> Network:
    return Network((Station("only", service, servers, room=room),), "only")


def erlang_c(servers: int, load: float) -> float:
    """The probability that a request has to wait in M/M/c, by Erlang's formula; `load` is rate x mean service."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


@pytest.mark.parametrize("servers", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("use", [0.5, 0.8, 0.95])
def test_many_servers_wait_as_erlang_found(servers: int, use: float) -> None:
    """M/M/c: the mean wait, and the share that waits more than one mean of those who wait at all (1917; Kleinrock 1975)."""
    rate, slack = use * servers, servers * (1.0 - use)
    waiting = erlang_c(servers, rate)
    network, seconds = one_station(Exponential(1.0), servers), 40_000.0 / rate / (1.0 - use) ** 0.5
    warmup = min(0.25 * seconds, 30.0 / slack / (1.0 - use))
    seen = [
        waits(simulate(network, load_of(Poisson(rate), seconds=seconds, seed=seed), seed=seed, warmup=warmup))
        for seed in range(12)
    ]
    mean = interval([float(each.mean()) for each in seen], level=STRICT)
    assert mean.low <= waiting / slack <= mean.high
    tail = interval([float((each > 1.0 / slack).mean()) for each in seen], level=STRICT)
    assert tail.low <= waiting * math.exp(-1.0) <= tail.high


def test_nineteen_of_twenty_intervals_of_level_95_hold_the_truth() -> None:
    """The interval over replications covers as it says: here 40 experiments of 8 replications, at use 0.8."""
    covered = 0
    for experiment in range(40):
        values = [
            mean_wait(
                simulate(
                    one_station(Exponential(1.0)),
                    load_of(Poisson(0.8), seconds=8000, seed=seed),
                    seed=seed,
                    warmup=1000,
                )
            )
            for seed in range(experiment * 8, experiment * 8 + 8)
        ]
        found = interval(values)
        covered += found.low <= 4.0 <= found.high
    assert covered >= 34, "a binomial variable of 40 and 0.95 is below 34 once in a hundred times"


@pytest.mark.parametrize(
    ("service", "squared_cv"),
    [(Constant(1.0), 0.0), (Gamma(1.0, 0.5), 0.25), (Lognormal(1.0, 1.5), 2.25), (Gamma(1.0, 2.0), 4.0)],
    ids=["constant", "gamma 0.5", "lognormal 1.5", "gamma 2"],
)
def test_one_server_waits_as_pollaczek_and_khinchine_found(service: Distribution, squared_cv: float) -> None:
    """M/G/1 at use 0.7: only mean and variance of the service matter for the mean wait (1930, 1932)."""
    found = replicated(one_station(service), Poisson(0.7), mean_wait, seconds=80_000, warmup=5_000)
    assert found.low <= 0.7 * (1.0 + squared_cv) / (2.0 * 0.3) <= found.high
    assert (found.high - found.low) / found.mean < 0.25, "the interval is narrow enough to say something"


def test_stations_in_a_row_are_as_if_alone() -> None:
    """Burke 1956: what leaves M/M/c is Poisson, so the mean times add up."""
    network = tandem(Station("a", Exponential(1.0)), Station("b", Exponential(1.0), 2), Station("c", Exponential(0.5)))
    found = replicated(network, Poisson(0.7), lambda one: float(one.latency.mean()), seconds=60_000, warmup=3_000)
    two = erlang_c(2, 0.7) / (2 - 0.7) + 1.0
    assert found.low <= 1.0 / 0.3 + two + 1.0 / (2.0 - 0.7) <= found.high


def test_a_network_with_feedback_is_as_jackson_found() -> None:
    """Jackson 1957: with routes back, each station is as M/M/c at the rate of all its visits."""
    network = Network(
        (Station("a", Exponential(0.5)), Station("b", Exponential(0.8), 2)),
        "a",
        {"a": Choice((("b", 0.6), (END, 0.4))), "b": Choice((("a", 0.5), ("b", 0.2), (END, 0.3)))},
    )
    # visits: a = 1 + b / 2, b = 0.6 a + 0.2 b, so a = 1.6 and b = 1.2
    rate = 0.9
    first, second = 1.6 * rate * 0.5, 1.2 * rate * 0.8
    here = first / (1.0 - first)
    there = second + erlang_c(2, second) * (second / 2) / (1.0 - second / 2)
    found = replicated(network, Poisson(rate), lambda one: float(one.latency.mean()), seconds=40_000, warmup=2_000)
    assert found.low <= (here + there) / rate <= found.high


def test_a_fork_into_two_queues_is_as_flatto_and_hahn_found() -> None:
    """Two exponential servers in step, joined: the mean is (12 - use) / 8 times that of one M/M/1 (Flatto, Hahn 1984)."""
    network = Network(
        (Station("in", Constant(0.0), EVERYONE), Station("x", Exponential(1.0)), Station("y", Exponential(1.0)),
         Station("out", Constant(0.0), EVERYONE)),
        "in",
        {"in": Fork(("x", "y")), "x": Choice((("out", 1.0),)), "y": Choice((("out", 1.0),))},
        calls=(Call("in", "in"), Call("x", "x"), Call("y", "y"), Call("out", "out", joins=2)),
    )  # fmt: skip
    found = replicated(network, Poisson(0.7), lambda one: float(one.latency.mean()), seconds=80_000, warmup=4_000)
    assert found.low <= (12.0 - 0.7) / 8.0 / (1.0 - 0.7) <= found.high


@pytest.mark.parametrize("room", [1, 3, 10])
def test_a_bounded_queue_turns_away_as_m_m_1_k(room: int) -> None:
    use = 0.9
    found = replicated(
        one_station(Exponential(1.0), room=room),
        Poisson(use),
        lambda one: one.share(Outcome.REJECTED),
        seconds=50_000,
        warmup=1_000,
    )
    assert found.low <= (1.0 - use) * use**room / (1.0 - use ** (room + 1)) <= found.high


def test_many_servers_without_a_queue_turn_away_as_erlang_found() -> None:
    """Erlang B depends on the mean service alone, whatever its distribution (1917; Sevastyanov 1957)."""
    blocked = 1.0
    for number in range(1, 6):
        blocked = 4.0 * blocked / (number + 4.0 * blocked)
    for service in (Exponential(1.0), Lognormal(1.0, 1.5)):
        found = replicated(
            one_station(service, 5, room=5),
            Poisson(4.0),
            lambda one: one.share(Outcome.REJECTED),
            seconds=10_000,
            warmup=200,
        )
        assert found.low <= blocked <= found.high


def test_littles_law_holds_in_every_run() -> None:
    """Mean number waiting = rate x mean wait, and use = rate x mean service: no statistics, but the run's own sums."""
    network = tandem(Station("a", Lognormal(0.03, 1.0), 2), Station("b", Gamma(0.02, 2.0)))
    simulated = simulate(network, load_of(Poisson(40), seconds=2000, seed=1), seed=1)
    assert simulated.parts
    for number, station in enumerate(network.stations):
        queued = simulated.parts.waiting[number].sum() / simulated.window
        busy = simulated.parts.service[number].sum() / simulated.window / station.servers
        assert simulated.queue()[station.name] == pytest.approx(queued, rel=1e-3)
        assert simulated.use()[station.name] == pytest.approx(busy, rel=1e-3)
        assert simulated.throughput()[station.name] == pytest.approx(40, rel=0.02)
