"""Thinning: menus do not grow with the load, no plan gets dearer by it, and every phase keeps to its time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_kit import a_desk, asked, its_profile

from parti import Slo
from parti.optimise.found import Found, Limits
from parti.optimise.searching import search
from parti.optimise.verifying import Care
from parti.planning import thinning, windows
from parti.planning.asked import Asked
from parti.planning.deployment import Deployment
from parti.planning.overload import steady
from parti.planning.planner import plan
from parti.planning.staged import Staged
from parti.planning.thinning import LISTED, around, listed
from parti.planning.windows import cut, horizon
from parti.sim.load import GammaArrivals


class Clock:
    """A clock that goes on by so many seconds whenever a stage is simulated, and a little whenever it is looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, each: float) -> None:
        self.now = 0.0
        extend = Staged.extend

        def slowly(staged: Staged, state: object, choice: object) -> object:
            self.now += each
            return extend(staged, state, choice)  # type: ignore[arg-type]

        monkeypatch.setattr(Staged, "extend", slowly)

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now


def bursty(rate: float, p99: str = "105ms") -> Asked:
    """The small desk under a load that comes in bursts."""
    return asked(a_desk(Slo(p99=p99))[0], its_profile(), rate=rate, arrivals=GammaArrivals(rate, 10))


@given(least=st.integers(1, 10**6), more=st.integers(0, 10**6))
def test_a_list_has_both_ends_all_that_is_near_the_least_and_not_too_many(least: int, more: int) -> None:
    found = listed(least, least + more)
    assert found == tuple(sorted(set(found))) and (found[0], found[-1]) == (least, least + more)
    assert len(found) <= LISTED and found[:16] == tuple(range(least, least + min(16, more + 1)))


@given(least=st.integers(1, 10**5), more=st.integers(0, 10**5), data=st.data())
def test_going_nearer_finds_every_number_of_replicas(least: int, more: int, data: st.DataObject) -> None:
    """Whichever is the best: from its nearest neighbour on the list, in a few steps."""
    best = data.draw(st.integers(least, least + more))
    known = listed(least, least + more)
    for _ in range(6):
        nearest = min(known, key=lambda count: (abs(count - best), count))
        known = tuple(sorted({*known, *around(known, nearest)}))
    assert best in known


@pytest.mark.parametrize("rate", [1e5, 1e6])
def test_menus_do_not_grow_with_the_load(rate: float) -> None:
    for part in asked(a_desk()[0], its_profile(), rate=rate).problem.parts():
        assert len(part.options) <= 2 * LISTED  # of two machine types


def found_by(question: Asked) -> Found:
    """The search, without a bound on its time."""
    return search(
        steady(question), question.staged, question.promise, seed=1, clock=lambda: 0.0, limits=Limits(math.inf)
    )


def test_the_plan_costs_what_it_would_if_all_numbers_of_replicas_were_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """95 replicas are on no list of 40 to 166; the plan has them. What is proved allows for those that were left out."""
    thinned = found_by(bursty(3000))
    tried = {option.label for part in bursty(3000).problem.parts() for option in part.options}
    monkeypatch.setattr(thinning, "LISTED", 10**6)
    complete = found_by(bursty(3000))
    chosen = {option.label for choice in thinned.plan.choices for option in choice}
    assert (
        Deployment("read", 95, machine="own/large") in chosen,
        Deployment("read", 95, machine="own/large") in tried,
    ) == (True, False)
    assert complete.relaxed.optimal and thinned.best.cost == pytest.approx(complete.best.cost)
    assert thinned.relaxed.lower <= complete.best.cost + 1e-9 and 0 < thinned.relaxed.gap < 0.01
    assert thinned.proof.lower <= thinned.relaxed.lower


@pytest.mark.parametrize("rate", [1e5, 1e6])
def test_every_phase_of_planning_keeps_to_its_time(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds to search, as long again to verify, and to tell what else could be; with what is under way by then."""
    monkeypatch.setattr(windows, "PROMISES", 0.1)
    clock, said = Clock(monkeypatch, each=0.05), dict[str, float]()
    question = bursty(rate, "110ms")
    found = plan(
        question, clock=clock, limits=Limits(10.0), care=Care(), say=lambda what: said.setdefault(what, clock.now)
    )
    assert found.verification.runs >= 5 and found.usd_per_hour > 0
    searched = said["predicting"] - said["searching"]
    assert searched <= 2 * 10.0 + 2.0
    assert clock.now - said["predicting"] <= 10.0 + 2 * 1.0 + 2.0


def test_a_search_without_time_says_so_instead_of_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, each=1.0)
    question = bursty(1000)
    began = clock.now
    with pytest.raises(Exception, match="P811 no plan was found in time that has a p99 of 105ms, and no time was left"):
        search(steady(question), question.staged, question.promise, seed=1, clock=clock, limits=Limits(4.0))
    assert clock.now - began <= 2 * 4.0 + 2.0


def test_under_a_heavy_load_no_less_is_simulated_than_some_times_what_is_promised() -> None:
    """3,000 requests are over in 30 ms of 100,000 a second: none of them is done by then."""
    load = asked(a_desk()[0], its_profile(), rate=1e5).load
    assert horizon(load, 3000) == pytest.approx(0.03 / 0.9)
    assert horizon(load, 3000, promised=0.15) == pytest.approx(1.5 / 0.9)
    assert cut(load, horizon(load, 3000, promised=0.15), 0.15) == ()
    (note,) = cut(load, horizon(load, 3000, promised=1.0), 1.0)
    assert note.startswith("only 2s of this load are simulated at a time, 2 times the promised 1s")
