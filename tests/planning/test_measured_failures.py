"""Failures that were measured: parts that fail are told, and runs that failed do not count as done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_kit import PRICES, a_desk, asked, its_profile, measured
from profile_kit import graph_of, profile
from pydantic import BaseModel

from parti import Slo, System
from parti.planning.calls import Published
from parti.planning.deployment import Deployed
from parti.planning.predicting import predict
from parti.planning.profile import Outcomes, Profile
from parti.planning.stations import Stations


def failing(name: str, failed: int) -> Profile:
    """The desk's profile, in which so many of a thousand calls of a part failed."""
    known = its_profile()
    parts = (
        replace(part, outcomes=replace(part.outcomes, calls=1000, done=1000 - failed, failed=failed))
        if part.part == name
        else part
        for part in known.parts
    )
    return replace(known, parts=tuple(parts))


def test_parts_of_which_more_than_one_call_in_a_thousand_failed_are_told() -> None:
    design = a_desk()[0].design
    assert Stations(design, failing("read", 500), PRICES).failing() == {"read": 0.5}
    assert Stations(design, failing("read", 1), PRICES).failing() == {}


def test_runs_that_failed_when_they_were_measured_do_not_end_well_in_a_prediction() -> None:
    """Half of the endpoint's runs failed; calls of a tool that failed may have been made good by whoever called."""
    desk, _ = a_desk()
    half, tool = (
        predict(asked(desk, failing(name, 500), rate=10).model, Deployed(()), range(2))
        for name in ("asking", "look_up")
    )
    assert (half.done.mean, tool.done.mean) == (0.5, 1.0)
    assert half.throughput.mean == pytest.approx(tool.throughput.mean / 2)


class Letter(BaseModel):
    """What is sent."""

    id: str


def test_a_story_ends_well_where_all_its_runs_do() -> None:
    """Each order is answered by a letter; one in ten letters fails, and one in five orders."""
    desk = System("desk", slo=Slo(p99="1s"))
    orders, letters = desk.topic("orders", Letter, key="id"), desk.topic("letters", Letter, key="id")

    @desk.on(orders, to=letters)
    async def decide(order: Letter) -> Letter:
        return order

    @desk.on(letters)
    async def send(letter: Letter) -> None: ...

    parts = [
        replace(measured(name, "handler", [0.001], cpu=1.0), outcomes=Outcomes(100, 100 - failed, failed, 0, 0, 0, 100))
        for name, failed in (("decide", 20), ("send", 10))
    ]
    graph = replace(graph_of("decide", [[]]), published=(Published("letters", 1, ("send",)),))
    known = profile(*parts, graphs=(graph, graph_of("send", [[]])))
    whole, alone = (asked(desk, known, rate=10, entry="decide", of=of).model for of in ((), ("decide",)))
    assert predict(whole, Deployed(()), range(2)).done.mean == pytest.approx(0.72)
    assert predict(alone, Deployed(()), range(2)).done.mean == pytest.approx(0.8)
