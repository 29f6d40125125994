"""Prices: the list that comes with Parti, one of your own in its place, and what is wrong with one by file and line."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from parti import PartiError, System
from parti.adapters.llm.prices import listed_cost
from parti.design.llm import Llm, Price
from parti.planning.prices import MachineType, prices_of, read_prices, with_speeds

MINE = """
[sources.rack]
url = "our books"
date = "2026-11-01"

[[machine]]
name = "own/rack"
region = "home"
kind = "general"
vcpu = 8
memory_gib = 32
usd_per_hour = 0.05
source = "rack"
speed = 1.25

[[llm]]
target = "openai:gpt-4o-mini"
usd_per_million_in = 0.10
usd_per_million_out = 0.40
source = "rack"
"""


def an_llm(target: str, price: Price | None = None) -> Llm:
    desk = System("desk")
    desk.llm(target, name="mind", price=price)
    return desk.design.get(Llm, "mind")


def test_the_list_that_comes_along_has_the_three_clouds_each_with_gpus_and_a_dated_source() -> None:
    prices = read_prices()
    assert {one.cloud for one in prices.machines} == {"aws", "gcp", "azure"}
    for cloud in ("aws", "gcp", "azure"):
        kinds = {one.kind for one in prices.machines if one.cloud == cloud}
        assert {"general", "compute", "gpu"} <= kinds, cloud
    for one in prices.machines:
        assert one.usd_per_hour > 0
        assert one.source.url.startswith("https://")
        assert date.fromisoformat(one.source.date) <= date(2026, 11, 24)
        assert one.vcpu >= 2 and one.memory >= 2 and one.region
        assert (one.kind == "gpu") == bool(one.accelerator) == (one.accelerators > 0 and one.accelerator_memory > 0)
        assert (one.speed, one.speed_source) == (None, "")


def test_machines_of_one_family_cost_by_their_size() -> None:
    """A slip of a digit in the list would break the line."""
    small, large = (read_prices().machine(f"aws/m7i.{size}") for size in ("large", "4xlarge"))
    assert small is not None and large is not None
    assert (small.usd_per_hour, small.vcpu, small.memory) == (0.1008, 2, 8)
    assert large.usd_per_hour == pytest.approx(8 * small.usd_per_hour)
    by_core: dict[str, list[float]] = {}
    for one in read_prices().machines:
        if one.kind != "gpu" and "t4g" not in one.name:  # whose sizes differ in memory alone
            family = re.sub(r"(?<=\.)\d*x?large$|(?<=-)\d+$|(?<=_[A-Z])\d+", "", one.name)
            by_core.setdefault(family, []).append(one.usd_per_hour / one.vcpu)
    assert len(by_core) == 18
    assert {family: costs for family, costs in by_core.items() if max(costs) > 1.03 * min(costs)} == {}


def test_a_list_of_your_own_takes_the_place_of_all(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    found = read_prices(tmp_path / "mine.toml")
    assert found.name == "mine.toml"
    (machine,) = found.machines
    assert isinstance(machine, MachineType)
    assert (machine.speed, machine.speed_source, machine.cloud) == (1.25, "declared", "own")
    assert machine.source.date == "2026-11-01"
    assert found.machine("own/rack", "home") is machine
    assert found.machine("own/rack", "mars") is None


def test_a_price_by_the_month_is_one_by_the_hour() -> None:
    (machine,) = prices_of(MINE.replace("usd_per_hour = 0.05", "usd_per_month = 73"), "m").machines
    assert machine.usd_per_hour == pytest.approx(0.1)


def test_a_measured_speed_replaces_a_declared_one() -> None:
    (machine,) = with_speeds(prices_of(MINE, "m"), {"own/rack": 0.8}, "profile of 2026-11-24").machines
    assert (machine.speed, machine.speed_source) == (0.8, "profile of 2026-11-24")


def test_tokens_cost_as_the_list_says_else_as_declared_else_as_the_provider_lists() -> None:
    prices = prices_of(MINE, "m")
    mini = an_llm("openai:gpt-4o-mini", Price(9, 9))
    assert prices.llm_price(mini) == Price(0.10, 0.40)
    other = an_llm("openai:gpt-4o", Price(1, 2))
    assert prices.llm_price(other, listed_cost) == Price(1, 2)
    assert read_prices().llm_price(replace(mini, price=None), listed_cost) == Price(0.15, 0.60)
    assert read_prices().llm_price(an_llm("local"), listed_cost) == Price(0, 0)
    assert read_prices().llm_price(an_llm("openai:no-such-model"), listed_cost) is None
    assert read_prices().llm_price(replace(mini, price=None)) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "usd_per_hour = 0.05",
            "usd_per_hour = -0.2",
            "m.toml:12: P822 `usd_per_hour` of the machine `own/rack` is -0.2",
        ),
        (
            "usd_per_hour = 0.05",
            'usd_per_hour = "cheap"',
            "m.toml:12: P822 `usd_per_hour` of the machine `own/rack` is 'cheap'",
        ),
        ("usd_per_hour = 0.05", "usd_per_hour = inf", "m.toml:12: P822"),
        ("usd_per_hour = 0.05", "usd_per_hour = true", "m.toml:12: P822"),
        ("vcpu = 8", "vcpu = 0", "m.toml:10: P822 `vcpu` of the machine `own/rack` is 0"),
        ("speed = 1.25", "speed = -1", "m.toml:14: P822"),
        ("usd_per_million_in = 0.10", "usd_per_million_in = -1", "m.toml:18: P822"),
        ("vcpu = 8\n", "", "m.toml:6: P823 the machine `own/rack` has no `vcpu`"),
        ("usd_per_hour = 0.05\n", "", "m.toml:6: P823 the machine `own/rack` has no `usd_per_hour`"),
        ('name = "own/rack"\n', "", "m.toml:6: P823 the machine number 1 has no `name`"),
        ('date = "2026-11-01"\n', "", "m.toml:2: P823 the source `rack` has no `date`"),
        ('target = "openai:gpt-4o-mini"\n', "", "m.toml:16: P823 the llm number 1 has no `target`"),
        ("usd_per_hour", "usd_per_minute", "m.toml:12: P824 `usd_per_minute` of the machine `own/rack` is not known"),
        ("memory_gib", "memory_mb", "m.toml:11: P824 `memory_mb` of the machine `own/rack` is not known"),
        ("[[llm]]", "[[model]]", "m.toml:16: P824 `model` is not known"),
        ('date = "2026-11-01"', 'date = "soon"', "m.toml:4: P821 'soon' is no date"),
        ('source = "rack"\nspeed', 'source = "rock"\nspeed', "m.toml:13: P821 there is no source 'rock'"),
        ('region = "home"', "region = 3", "m.toml:8: P821 `region` of the machine `own/rack` is no text"),
        ("[[machine]]", "[machine]", "m.toml:6: P821 `machine` is no list of tables"),
        ("[[machine]]", "[[machine]", "m.toml:6: P821 this is not TOML"),
        (
            "[[llm]]",
            MINE[MINE.index("[[machine]]") : MINE.index("[[llm]]")] + "[[llm]]",
            "P821 the machine `own/rack` is listed twice for `home`",
        ),
    ],
)
def test_what_is_wrong_with_a_list_is_told_with_its_file_and_line(before: str, after: str, said: str) -> None:
    assert before in MINE
    with pytest.raises(PartiError) as wrong:
        prices_of(MINE.replace(before, after, 1), "m.toml")
    assert said in str(wrong.value)
    assert wrong.value.fix


def test_an_unknown_unit_names_the_known_ones_of_the_same_quantity() -> None:
    with pytest.raises(PartiError) as wrong:
        prices_of(MINE.replace("usd_per_hour", "usd_per_minute"), "m.toml")
    assert wrong.value.fix == "one of: usd_per_hour, usd_per_month"


def test_a_list_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PartiError, match=r"P821.*cannot be read"):
        read_prices(tmp_path / "none.toml")
    with pytest.raises(PartiError, match="P821 it lists neither a machine nor an llm"):
        prices_of("", "m.toml")
