"""`parti train` and `parti models`: versions of a small real model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_apps import parti
from processes import up

pytest.importorskip("sklearn")

MODEL = '''"""A desk with a model."""

from __future__ import annotations

from pydantic import BaseModel

from parti import System, Training

desk = System("desk")


class Size(BaseModel):
    width: float


class Price(BaseModel):
    value: float


def learn() -> Training:
    """Learn that a price is twice the width."""
    from sklearn.linear_model import LinearRegression

    sample = [Size(width=float(width)) for width in range(8)]
    fitted = LinearRegression().fit([[size.width] for size in sample], [2 * size.width for size in sample])
    return Training(estimator=fitted, rows=8, period=("0", "7"), sample=sample)


def measure(predict: object) -> dict[str, float]:
    """How far off it is."""
    return {"error": abs(predict(Size(width=100.0)).value - 200.0)}


price = desk.model("price", inputs=Size, output=Price, train=learn, evaluate=measure)


@desk.get("/price/{width}")
async def quote(width: float) -> float:
    """The price of a width."""
    return (await price.predict(Size(width=width))).value
'''


@pytest.fixture
def shop(desk: Path) -> Path:
    (desk / "app.py").write_text(MODEL, encoding="utf-8")
    return desk


def test_training_stores_one_version_after_the_other(shop: Path) -> None:
    first = parti("train", "price", "--json").json
    assert first["before"] is None
    assert first["version"]["version"] == 1
    assert first["version"]["metrics"]["error"] < 0.01
    said = parti("train", "price")
    assert "price version 2  8 rows" in said.out
    assert "(version 1: " in said.out
    one, two = parti("models", "price", "--json").json
    assert [one["version"], two["version"]] == [1, 2]
    assert (one["rows"], one["period"], one["current"]) == (8, ["0", "7"], True)
    assert one["size"] > 100


def test_a_version_of_older_code_is_marked(shop: Path) -> None:
    parti("train", "price")
    (shop / "app.py").write_text(MODEL.replace("rows=8", "rows=9"), encoding="utf-8")
    assert parti("models", "--json").json[0]["current"] is False
    said = parti("models")
    assert "(changed since)" in said.out
    assert said.err.endswith("next: parti train price\n")


def test_up_trains_what_has_no_version_and_a_new_one_is_served_at_once(shop: Path) -> None:
    with up(shop) as running:
        assert [version["version"] for version in parti("models", "--json").json] == [1]
        assert parti("train", "price", "--json").json["version"]["version"] == 2
        said = running.end()
    assert "training price, which has no version yet" in said.err
    assert 'trained price version 1: {"error": ' in said.err
    assert json.loads(said.out)["runners"] == []
    again = parti("up", "--until-idle", "--port", "0")
    assert "training" not in again.err


def test_a_training_that_fails_names_the_line(shop: Path) -> None:
    (shop / "app.py").write_text(MODEL.replace("range(8)", "range(0)"), encoding="utf-8")
    said = parti("train", "price", "--json")
    assert (said.code, said.error) == (2, "P604")
    assert json.loads(said.err.splitlines()[-1])["place"].startswith("app.py:")
    assert parti("up", "--until-idle", "--port", "0", "--json").error == "P604"
