"""The lending example's data and model: real applications, learned and measured without race."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from declared_models import Trained, declared

from parti.adapters.onnx.scorer import OnnxScorer

LENDING = Path(__file__).parents[2] / "examples" / "lending"


@pytest.fixture(scope="module")
def lending() -> Iterator[tuple[ModuleType, ModuleType]]:
    before = set(sys.modules)
    sys.path.insert(0, str(LENDING))
    try:
        yield import_module("data"), import_module("model")
    finally:
        sys.path.remove(str(LENDING))
        for name in {"data", "model"} - before:
            sys.modules.pop(name, None)


def test_every_published_application_is_there_once(lending: tuple[ModuleType, ModuleType]) -> None:
    data, _ = lending
    ids = [application["id"] for application in data.applications()]
    assert sorted(ids) == [f"hmda-{number:04}" for number in range(1, 2381)]
    assert data.past() + data.incoming() == data.applications()


def test_the_first_published_row_is_read_as_it_stands(lending: tuple[ModuleType, ModuleType]) -> None:
    data, _ = lending
    first = next(application for application in data.applications() if application["id"] == "hmda-0001")
    assert first == {
        "id": "hmda-0001",
        "debt_to_income": 0.221,
        "loan_to_value": 0.8,
        "credit_history": 5,
        "mortgage_history": 2,
        "public_record": False,
        "unemployment": 3.9,
        "self_employed": False,
        "race": "other",
        "single": False,
    }
    assert data.recorded_decision("hmda-0001")


def test_the_bank_approved_seven_of_eight_in_either_half(lending: tuple[ModuleType, ModuleType]) -> None:
    data, _ = lending
    for half in (data.past(), data.incoming()):
        approved = sum(data.recorded_decision(application["id"]) for application in half) / len(half)
        assert approved == pytest.approx(0.88, abs=0.01)


def test_neither_race_nor_marital_status_nor_the_insurers_verdict_is_a_feature(
    lending: tuple[ModuleType, ModuleType],
) -> None:
    data, model = lending
    assert set(model.RiskFeatures.model_fields) == set(data.applications()[0]) - {"id", "race", "single"}


def test_the_served_model_ranks_unseen_applications_better_than_the_debt_ratio(
    lending: tuple[ModuleType, ModuleType], train: Trained
) -> None:
    _, model = lending
    version, _ = train(
        declared(model.RiskFeatures, model.RiskScore, train=model.train_risk, evaluate=model.evaluate_risk)
    )
    metrics = json.loads(version.metrics)
    assert metrics["auc"] > 0.79
    assert metrics["auc_baseline"] < 0.68


def test_the_lines_drawn_approve_as_often_as_the_bank_and_leave_few_to_a_person(
    lending: tuple[ModuleType, ModuleType], train: Trained, scorer: OnnxScorer
) -> None:
    data, model = lending
    risk = declared(model.RiskFeatures, model.RiskScore, train=model.train_risk)
    version, onnx = train(risk)
    scorer.load(risk, version, onnx)
    scores = [scorer.predict(risk, 0, model.RiskFeatures.of(item)) for item in data.incoming()]
    assert sum(score.approve for score in scores) / len(scores) == pytest.approx(0.88, abs=0.02)
    assert 0.05 < sum(score.unsure for score in scores) / len(scores) < 0.10
