"""Networks for the tests of the simulator: generated ones, and how two results are compared bit by bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import strategies as st

from parti.sim.distributions import Constant, Empirical, Exponential, Gamma, Lognormal
from parti.sim.load import Load
from parti.sim.network import END, EVERYONE, Batch, Call, Choice, Fork, Llm, Network, Rate, Station
from parti.sim.result import Simulated

TIMES = st.sampled_from([0.0, 0.5, 1.0, 1.5])
"""Few different times, so that many things happen at one instant."""
SERVICES = st.one_of(
    TIMES.map(Constant),
    st.just(Exponential(0.8)),
    st.just(Gamma(0.9, 0.5)),
    st.just(Gamma(0.7, 2.0)),
    st.just(Lognormal(0.6, 1.5)),
    st.just(Empirical((0.0, 0.5, 0.5, 3.0))),
)
LLMS = st.builds(
    Llm,
    slots=st.integers(1, 3),
    prompt=st.sampled_from([Constant(2.0), Exponential(3.0)]),
    output=st.sampled_from([Constant(1.0), Constant(4.0), Exponential(5.0)]),
    prefill_seconds=st.sampled_from([0.0, 0.25]),
    prefill_seconds_per_token=st.sampled_from([0.0, 0.125]),
    step_seconds=st.sampled_from([0.0, 0.25]),
    step_seconds_per_sequence=st.sampled_from([0.0, 0.125]),
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    size = draw(st.integers(1, 4))
    growth = draw(st.sampled_from([(), tuple(1.0 + 0.5 * extra for extra in range(size))]))
    return Batch(size, draw(TIMES), growth)


@st.composite
def stations(draw: st.DrawFn, name: str) -> Station:
    if draw(st.integers(0, 4)) == 0:
        return Station(name, draw(LLMS), draw(st.integers(1, 2)))
    return Station(
        name,
        draw(SERVICES),
        draw(st.sampled_from([1, 2, 3, EVERYONE])),
        batch=draw(st.none() | batches()),
        room=draw(st.sampled_from([None, None, 1, 3, 8])),
        rate=draw(st.none() | st.builds(Rate, st.sampled_from([0.5, 2.0]), st.integers(1, 3), st.booleans())),
    )


@st.composite
def feed_forward(draw: st.DrawFn) -> Network:
    """Up to six stations, each sending on to later ones: by choice, to several at once, or to the end; two calls may share one."""
    made = [draw(stations(name)) for name in "abcdef"[: draw(st.integers(1, 6))]]
    made = [each if each.servers < EVERYONE or not each.batch else Station(each.name, each.service) for each in made]
    names = [each.name for each in made]
    calls = [Call(name, name, joins=draw(st.sampled_from([1, 1, 1, 2]))) for name in names]
    calls[0] = Call(names[0], names[0])
    routes: dict[str, Choice | Fork] = {}
    for number, name in enumerate(names):
        later = [*names[number + 1 :], END]
        targets = draw(st.lists(st.sampled_from(later), min_size=1, max_size=3, unique=True))
        if draw(st.booleans()) and len(targets) > 1:
            routes[name] = Fork(tuple(targets))
        else:
            routes[name] = Choice(tuple((target, 1.0 / len(targets)) for target in targets))
    return Network(tuple(made), names[0], routes, calls=tuple(calls))


@st.composite
def loads(draw: st.DrawFn) -> Load:
    """Up to forty requests, many of them at the same instant."""
    gaps = draw(st.lists(st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 0.3]), min_size=1, max_size=40))
    return Load(np.cumsum(gaps))


def assert_same(one: Simulated, other: Simulated) -> None:
    """Every bit of both results is the same."""
    np.testing.assert_array_equal(one.left, other.left)
    np.testing.assert_array_equal(one.outcome, other.outcome)
    for name in (field.name for field in fields(one.totals)):
        np.testing.assert_array_equal(getattr(one.totals, name), getattr(other.totals, name), name)
    assert one.events == other.events
    assert (one.parts is None) == (other.parts is None)
    if one.parts is not None and other.parts is not None:
        for name in (field.name for field in fields(one.parts)):
            np.testing.assert_array_equal(getattr(one.parts, name), getattr(other.parts, name), name)
        np.testing.assert_array_equal(one.via, other.via)
