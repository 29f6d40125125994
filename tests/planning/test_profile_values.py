"""Profiles: what was measured, kept as JSON, and what can be read from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from profile_kit import PROFILES, graph_of, part, profile

from parti import PartiError
from parti.planning.calls import Group
from parti.planning.profile import ArrivalsSeen, PartProfile, Profile, Service
from parti.planning.sampled import Sampled
from parti.planning.storing import profile_json, profile_of, profile_path, read_profile
from parti.sim.distributions import Empirical
from parti.student import t_quantile


@settings(deadline=None, max_examples=60)
@given(PROFILES)
def test_a_profile_read_back_is_the_same(kept: Profile) -> None:
    assert profile_of(profile_json(kept), "p") == kept


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "p.json is no profile: it is not JSON"),
        (b"[]", "p.json is no profile: it: "),
        (b'{"version": 99}', "p.json is a profile of version 99, and this Parti reads up to 1"),
        (profile_json(profile(part("a", 1.0))).replace(b'"batch": 1', b'"bitch": 1'), "parts.0.services.0.batch"),
    ],
)
def test_what_is_no_profile_is_refused_with_the_field(body: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(body)
    with pytest.raises(PartiError, match="P820") as wrong:
        read_profile(tmp_path / "p.json")
    assert said in wrong.value.what


def test_a_missing_profile_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PartiError) as wrong:
        read_profile(profile_path(tmp_path / "desk.parti"))
    assert wrong.value.code == "P820"
    assert "desk.parti.profile.json" in wrong.value.what
    assert wrong.value.fix == "make one with `parti profile`"


def test_the_interval_of_few_samples_is_students() -> None:
    found = Sampled.of([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.high - found.mean == pytest.approx(4.303 / 3**0.5, rel=1e-3)


def test_one_sample_says_nothing_of_the_mean() -> None:
    assert Sampled.of([2.0]) == Sampled(1, 2.0, 0.0, 4.0, (2.0, 2.0))


def test_samples_that_drift_have_a_wider_interval_than_the_same_ones_mixed() -> None:
    drifting = [float(at // 50) for at in range(500)]
    mixed = [float(at % 10) for at in range(500)]
    assert Sampled.of(drifting).mean == Sampled.of(mixed).mean
    assert Sampled.of(drifting).high - 4.5 > 4 * (Sampled.of(mixed).high - 4.5)


def test_quantiles_are_those_of_the_samples() -> None:
    found = Sampled.of([float(at) for at in range(10_001)])
    assert len(found.quantiles) == 513
    assert found.quantile(0.99) == pytest.approx(9900)
    assert (found.quantile(0), found.quantile(1)) == (0.0, 10_000.0)
    assert found.distribution == Empirical(found.quantiles)
    assert found.distribution.mean == pytest.approx(found.mean)


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (30, 2.042), (40, 2.0211), (120, 1.9799), (10**6, 1.95996)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, value: float) -> None:
    assert t_quantile(0.975, freedom) == pytest.approx(value, abs=5e-4)


def test_a_batch_grows_by_what_was_measured_and_linearly_between() -> None:
    services = tuple(Service("", size, Sampled.of([seconds] * 2)) for size, seconds in ((1, 0.1), (2, 0.12), (4, 0.2)))
    grown = PartProfile("a", "model", services, part("a", 1.0).outcomes, 0.0, 1.0).growth()
    assert grown == pytest.approx((1.0, 1.2, 1.6, 2.0))


def test_growth_is_unknown_where_a_batch_of_one_was_not_measured() -> None:
    assert part("a", 1.0, batch=2).growth() == ()


def test_the_variant_measured_most_is_meant_where_none_is_named() -> None:
    services = (Service("v1", 1, Sampled.of([1.0])), Service("v2", 1, Sampled.of([2.0, 2.0])))
    found = PartProfile("m", "model", services, part("a", 1.0).outcomes, 0.0, 1.0)
    assert (found.main_variant, found.variants) == ("v2", ("v1", "v2"))
    assert found.service() is services[1]
    assert found.service("v1") is services[0]
    assert found.service("v1", batch=8) is None


def test_shares_of_entries_are_those_of_what_arrived() -> None:
    seen = (ArrivalsSeen("a", 30, 10.0, 1.0), ArrivalsSeen("b", 10, 9.0, 1.0))
    found = profile(arrivals=seen)
    assert found.shares == {"a": 0.75, "b": 0.25}
    assert seen[1].per_second == 1.0
    assert found.age(160.0) == 60.0


def test_code_that_calls_a_part_three_times_is_no_loop() -> None:
    graph = graph_of("h", [[("a",), ("a",), ("a",), ("b", "c")]] * 2)
    assert graph.after(None) == ((Group(("a",), 1), 1.0),)
    assert graph.after(Group(("a",), 3)) == ((Group(("b", "c")), 1.0),)
    assert graph.after(Group(("b", "c"))) == ((None, 1.0),)
    assert graph.visits() == {"a": 3.0, "b": 1.0, "c": 1.0}
    assert graph.visits_max == 3


def test_folded_turns_of_an_agent_are_a_loop_with_the_probabilities_seen() -> None:
    graph = graph_of(
        "agent", [[("llm",)], [("llm",), ("tool",), ("llm",)], [("llm",), ("tool",), ("llm",), ("tool",), ("llm",)]]
    )
    looped = graph.looped()
    assert dict(looped.after(Group(("llm",)))) == {None: 0.5, Group(("tool",)): 0.5}
    assert looped.visits() == graph.visits() == {"llm": 2.0, "tool": 1.0}
    assert graph.after(Group(("llm",), 2)) == ((Group(("tool",), 2), 0.5), (None, 0.5))


def test_the_json_says_its_version_first_hand() -> None:
    assert json.loads(profile_json(profile()))["version"] == 1
