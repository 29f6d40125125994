"""The planner: the cheapest plan that keeps its promises, what it predicts, and what it says of itself."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from plan_kit import a_desk, asked, its_profile, made, measured
from profile_kit import graph_of, profile

from parti import PartiError, Slo, System
from parti.optimise.oracle import quantile
from parti.planning.asked import Asked
from parti.planning.comparing import compare
from parti.planning.deployment import Deployed, Deployment
from parti.planning.load import Stream, Workload
from parti.planning.overload import overloaded
from parti.planning.plan_file import plan_json, read_plan, write_plan
from parti.planning.planned import Planned
from parti.planning.planner import bottleneck
from parti.planning.predicting import latencies, predict, simulated
from parti.sim.distributions import Empirical
from parti.sim.load import Poisson


@pytest.fixture(scope="module")
def planned() -> tuple[Asked, Planned]:
    """The small desk, planned for 120 requests a second within 150 ms."""
    desk, _ = a_desk(Slo(p99="150ms"))
    question = asked(desk, its_profile(), rate=120)
    return question, made(question)


def test_the_plan_keeps_its_promise_in_fresh_runs(planned: tuple[Asked, Planned]) -> None:
    question, found = planned
    assert found.verification.broken == 0 and found.verification.p99_high <= 0.15
    prediction = predict(question.model, found.deployed, range(900, 910))
    assert prediction.p99.high <= 0.15 and prediction.done.low == 1.0


def test_no_cheaper_plan_keeps_it_on_the_sample(planned: tuple[Asked, Planned]) -> None:
    """All cheaper combinations of both parts that take machines, one after the other, by the other kernel's path."""
    question, found = planned
    cheapest = found.usd_per_hour - found.verification.safety
    menus = [question.space.options(name) for name in ("asking", "read")]
    for options in product(*menus):
        if sum(one.cost for one in options) < cheapest - 1e-9:
            network = question.model.network(Deployed(tuple(one.label for one in options)), limits=False)
            one = simulated(question.model, network, question.seed)
            assert quantile(latencies(one.run, one.counted), 0.99) > 0.15
    assert found.proof.optimal or found.relaxed.optimal


def test_each_part_says_why_it_is_not_cheaper(planned: tuple[Asked, Planned]) -> None:
    reasons = {part.deployment.part: part.reason for part in planned[1].parts}
    assert reasons["look_up"] == "only waits, so it runs inside its caller"
    assert "a month less" in reasons["read"]


def test_the_time_of_a_p99_request_is_split_into_its_parts(planned: tuple[Asked, Planned]) -> None:
    prediction = planned[1].prediction
    split = sum(one.waiting + one.batching + one.service + one.retrying for one in prediction.parts)
    assert split == pytest.approx(prediction.p99.mean, rel=0.1)


def test_the_front_gets_slower_as_it_gets_cheaper(planned: tuple[Asked, Planned]) -> None:
    front = planned[1].front
    assert len(front) > 1
    assert [point.p99 for point in front] == sorted((point.p99 for point in front), reverse=True)
    assert [point.usd_per_hour for point in front] == sorted(point.usd_per_hour for point in front)


def test_what_would_be_otherwise_is_told(planned: tuple[Asked, Planned]) -> None:
    found = planned[1]
    (more, *_) = found.sensitivity
    assert more.what == "1.5 times the load" and more.p99 > found.prediction.p99.mean
    assert found.next_step is not None and found.next_step.usd_per_hour > found.usd_per_hour
    assert any("promise" in change.what and change.usd_per_hour <= found.usd_per_hour for change in found.relaxing)


def test_the_same_question_has_the_same_answer() -> None:
    desk, _ = a_desk(Slo(p99="150ms"))
    first, again = (made(asked(desk, its_profile(), rate=60)) for _ in range(2))
    assert first == again


def test_a_plan_file_is_read_as_it_was_written(planned: tuple[Asked, Planned], tmp_path: Path) -> None:
    question, found = planned
    facts = plan_json(question, found)
    write_plan(tmp_path / "plan.json", facts)
    assert read_plan(tmp_path / "plan.json", question) == found.deployed
    assert json.loads((tmp_path / "plan.json").read_text())["verification"]["broken"] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no plan"),
        ('{"version": 1, "system": "desk", "parts": [{"part": "read", "replicas": 0}]}', "parts.0.replicas"),
        ('{"version": 9, "system": "desk", "parts": []}', "newer Parti"),
        ('{"version": 1, "system": "desk", "parts": [{"part": "gone"}]}', "has `gone`, which desk has not"),
        ('{"version": 1, "system": "shop", "parts": []}', "is a plan of shop, not of desk"),
        ('{"version": 1, "system": "desk", "parts": [{"part": "read", "machine": "own/huge"}]}', "on own/huge, which"),
        ('{"version": 1, "system": "desk", "parts": [{"part": "read", "variant": "v9"}]}', "variant 'v9' of `read`"),
        ('{"version": 1, "system": "desk", "parts": [{"part": "read", "site": "mars"}]}', "at mars, which is no site"),
        ('{"version": 1, "system": "desk", "parts": [{"part": "read", "batch": 8}]}', "takes calls one by one"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(PartiError, match="P834") as wrong:
        read_plan(path, asked(a_desk()[0], its_profile()))
    assert said in str(wrong.value)


def test_a_promise_that_nothing_keeps_names_the_part_that_makes_it_impossible() -> None:
    desk, _ = a_desk(Slo(p99="20ms"))
    with pytest.raises(PartiError, match=r"P811 no plan has a p99 of 20ms[\s\S]*`look_up"):
        made(asked(desk, its_profile()))


def test_a_budget_that_nothing_keeps_says_what_the_cheapest_costs() -> None:
    desk, _ = a_desk(Slo(p99="150ms", usd_per_month=1))
    with pytest.raises(PartiError, match=r"P811 no plan keeps its promises for \$1.00 a month: the cheapest"):
        made(asked(desk, its_profile(), rate=60))


def test_a_promise_of_quality_takes_the_better_variant() -> None:
    desk = _with_variants(Slo(p99="1s", quality=0.9))
    found = made(_two_variants(desk))
    assert [part.deployment.variant for part in found.parts if part.deployment.part == "read"] == ["large"]
    cheap = made(_two_variants(_with_variants(Slo(p99="1s", quality=0.7))))
    assert [part.deployment.variant for part in cheap.parts if part.deployment.part == "read"] == ["small"]
    assert cheap.usd_per_hour < found.usd_per_hour


def test_qualities_of_several_parts_need_a_word_on_how_they_combine() -> None:
    qualities = {"read": {"small": 0.8, "large": 0.95}, "asking": {"": 0.9}}
    with pytest.raises(PartiError, match="P833 `asking`, `read` have qualities"):
        _ = _two_variants(_with_variants(Slo(p99="1s", quality=0.7)), qualities).problem


def _with_variants(slo: Slo) -> System:
    from parti import Variant  # noqa: PLC0415

    desk, read = a_desk(slo)
    desk.choices(read, variants=[Variant("small"), Variant("large")])
    return desk


def _two_variants(desk: System, qualities: Any = None) -> Asked:
    from parti.planning.profile import PartProfile, Service  # noqa: PLC0415
    from parti.planning.sampled import Sampled  # noqa: PLC0415

    known = its_profile()
    services = (
        Service("small", 1, Sampled.of([0.005] * 9), cpu=0.005), Service("large", 1, Sampled.of([0.03] * 9), cpu=0.03),
    )  # fmt: skip
    parts = [
        PartProfile("read", "step", services, one.outcomes, 0.0, 1.0) if one.part == "read" else one
        for one in known.parts
    ]
    return asked(
        desk, profile(*parts, graphs=known.graphs), rate=60,
        qualities=qualities or {"read": {"small": 0.8, "large": 0.95}},
    )  # fmt: skip


def test_more_than_can_be_served_is_told_as_such() -> None:
    desk, _ = a_desk()
    question = asked(desk, its_profile(), rate=120)
    prediction = predict(question.model, Deployed((Deployment("read", 1), Deployment("asking", 1))), range(4))
    assert prediction.unstable == ("read",)
    assert prediction.throughput.mean == pytest.approx(50, rel=0.1)


def test_hands_hold_up_runs_that_wait_inside() -> None:
    """With two hands and 71 ms a run, 20 a second keep 71% of the hands at work: runs wait for them, and for nothing else."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.tool(effect="read")
    async def look_up(size: int) -> str:
        return str(size)

    @desk.post("/ask", concurrency=2)
    async def asking(text: str) -> str:
        return await look_up(len(text))

    known = profile(
        measured("asking", "endpoint", [0.001], cpu=1.0), measured("look_up", "tool", [0.07], cpu=0.0),
        graphs=(graph_of("asking", [[("look_up",)]]),),
    )  # fmt: skip
    question = asked(desk, known, rate=20)
    held = predict(question.model, Deployed(()), range(5))
    free = predict(question.model, Deployed((Deployment("asking", 20),)), range(5))
    assert free.p99.mean == pytest.approx(0.071, rel=0.05)
    assert held.p99.mean > 2 * free.p99.mean


def test_plans_are_compared_request_by_request() -> None:
    desk, _ = a_desk()
    question = asked(desk, its_profile(), rate=40)
    one, two = (Deployed((Deployment("read", n, machine="own/large"),)) for n in (1, 2))
    found = compare(question, one, two, range(5))
    assert found.p99.high < 0 and found.second_usd_per_hour == 2 * found.first_usd_per_hour
    apart = math.hypot(*(one.high - one.low for one in (found.first.p99, found.second.p99)))
    assert found.p99.high - found.p99.low < 2 * apart


def test_tokens_of_several_traces_are_mixed_by_their_rates() -> None:
    desk, _ = a_desk()
    one = Stream(Poisson(10), (("asking", 1.0),), "a", prompt=Empirical((100.0, 100.0)))
    two = Stream(Poisson(30), (("asking", 1.0),), "b", prompt=Empirical((500.0, 500.0)))
    stations = replace(asked(desk, its_profile()), workload=Workload((one, two))).stations
    assert stations.prompt is not None and stations.prompt.mean == pytest.approx(400, rel=0.01)
    assert stations.output is None


def test_a_load_that_nothing_serves_is_refused_with_the_part() -> None:
    """A short sample would keep its promise: the queue has had no time to grow."""
    desk, read = a_desk(Slo(p99="2s"))
    desk.choices(read, replicas=1, machines=["own/large"])
    with pytest.raises(PartiError, match=r"P836 no deployment of `read` that may be chosen serves 60"):
        made(asked(desk, its_profile(), rate=60))


def test_hands_that_cannot_do_are_refused_as_well() -> None:
    desk = System("desk", slo=Slo(p99="2s"))

    @desk.tool(effect="read")
    async def look_up(size: int) -> str:
        return str(size)

    @desk.post("/ask", concurrency=2)
    async def asking(text: str) -> str:
        return await look_up(len(text))

    desk.choices(asking, replicas=1, machines=["own/large"])
    known = profile(
        measured("asking", "endpoint", [0.001], cpu=1.0), measured("look_up", "tool", [0.07], cpu=0.0),
        graphs=(graph_of("asking", [[("look_up",)]]),),
    )  # fmt: skip
    with pytest.raises(PartiError, match=r"P836 no deployment of `asking`[\s\S]*raise its concurrency="):
        made(asked(desk, known, rate=40))


def test_more_load_than_can_be_served_keeps_no_promise(planned: tuple[Asked, Planned]) -> None:
    question, found = planned
    assert overloaded(question, found.deployed) == ()
    assert overloaded(question.scaled(20), found.deployed) == ("asking", "read")


def test_what_takes_longest_is_named_where_nobody_waits() -> None:
    desk, _ = a_desk()
    question = asked(desk, its_profile(), rate=0.5)
    assert bottleneck(predict(question.model, Deployed(()), range(4))).startswith("hardly anybody waits: `look_up`")
