"""Models are evaluated by the version that is stored, and past runs of handlers, endpoints and models become cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_apps import lines, parti, work

APP = """from pydantic import BaseModel

from parti import Case, Journal, System, Training, checks

desk = System("desk")


class Size(BaseModel):
    width: float


class Price(BaseModel):
    value: float


class Order(BaseModel):
    id: str
    width: float


def learn() -> Training:
    from sklearn.linear_model import LinearRegression

    sample = [Size(width=float(width)) for width in range(8)]
    fitted = LinearRegression().fit([[size.width] for size in sample], [2 * size.width for size in sample])
    return Training(estimator=fitted, rows=8, period=("0", "7"), sample=sample)


price = desk.model("price", inputs=Size, output=Price, train=learn)
orders = desk.topic("orders", Order, key="id")
prices = desk.topic("prices", Order, key="id")


@desk.on(orders, to=prices)
async def decide(order: Order) -> Order:
    found = await price.predict(Size(width=order.width))
    return Order(id=order.id, width=round(found.value))


@desk.post("/add")
async def add(one: int, other: int = 1) -> int:
    return one + other


@desk.evaluation(of=price, data="sizes.jsonl", gate=0.9)
def close(case: Case[Size, float], output: Price) -> bool:
    return abs(output.value - case.expected) < 0.01


desk.evaluation("sums", of=add, data="sums.jsonl", check=checks.exact())
desk.evaluation("past decisions", of=decide, data=Journal(), check=checks.exact())
desk.evaluation("past prices", of=price, data=Journal(since="1h", limit=2), check=checks.schema())
"""


@pytest.fixture
def shop(desk: Path) -> Path:
    (desk / "app.py").write_text(APP, encoding="utf-8")
    lines(desk / "sizes.jsonl", {"input": {"width": 4}, "expected": 8}, {"input": {"width": 5}, "expected": 10})
    lines(desk / "sums.jsonl", {"input": {"one": 1}, "expected": 2}, {"input": {"one": 1, "other": 2}, "expected": 3})
    return desk


def test_an_endpoint_takes_its_arguments_by_name(shop: Path) -> None:
    assert parti("eval", "sums", "--json").json[0]["mean"] == 1.0
    lines(shop / "sums.jsonl", {"input": {"two": 1}})
    said = parti("eval", "sums", "--json")
    assert json.loads(said.err)["place"] == "sums.jsonl:1"
    assert "`add` takes no two" in said.err


def test_a_model_is_evaluated_by_its_latest_version_and_without_one_says_so(shop: Path) -> None:
    pytest.importorskip("sklearn")
    assert parti("eval", "close", "--json").error == "P601"
    parti("train", "price")
    first = parti("eval", "close", "--json").json[0]
    assert first["mean"] == 1.0
    parti("train", "price")
    assert parti("eval", "close", "--json").json[0]["version"] != first["version"]


def test_past_runs_become_cases_of_handlers_and_models(shop: Path) -> None:
    pytest.importorskip("sklearn")
    lines(shop / "orders.jsonl", *({"id": f"o{number}", "width": number} for number in range(3)))
    parti("publish", "orders", "orders.jsonl")
    work()
    decisions = parti("eval", "past decisions", "--json").json[0]
    assert (len(decisions["cases"]), decisions["mean"]) == (3, 1.0)
    assert len(parti("eval", "past prices", "--json").json[0]["cases"]) == 2
