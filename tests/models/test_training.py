"""Training a version: what it keeps, what is measured, and where a failure is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from declared_models import Chance, Measures, Trained, declared
from sklearn.linear_model import LogisticRegression

import parti
from parti.adapters.onnx.export import OnnxExporter
from parti.adapters.onnx.scorer import OnnxScorer
from parti.errors import ModelError, PayloadError
from parti.mlops.train import train_version
from parti.mlops.training import Training

X = np.random.default_rng(1).normal(size=(100, 2))
ESTIMATOR = LogisticRegression().fit(X, X[:, 0] > 0)
SAMPLE = [Measures(width=width, height=height) for width, height in X]


def _failure(trained: Trained, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as failed:
        trained(declared(**options))
    assert failed.value.code == "P604"
    return failed.value


def test_a_version_names_its_bytes_its_code_and_where_it_comes_from(train: Trained) -> None:
    training = Training(estimator=ESTIMATOR, rows=100, period=("a-1", "a-100"), sample=SAMPLE)
    version, onnx = train(declared(train=lambda: training))
    about = json.loads(version.about)
    assert (version.model, version.version, version.code, version.created) == ("fit", 0, "c0de", 1000.0)
    assert version.blob == hashlib.sha256(onnx).hexdigest()
    assert version.metrics == b"{}"
    assert about["features"] == ["width", "height"]
    assert (about["rows"], about["period"]) == (100, ["a-1", "a-100"])
    assert about["opset"] > 0


def test_the_reference_row_is_the_usual_value_of_the_sample(train: Trained) -> None:
    sample = [Measures(width=width, height=1.0) for width in (1.0, 2.0, 50.0)]
    version, _ = train(declared(train=lambda: Training(estimator=ESTIMATOR, sample=sample)))
    assert json.loads(version.about)["reference"] == {"width": 2.0, "height": 1.0}


def test_a_declared_reference_row_wins_over_the_sample(train: Trained) -> None:
    reference = {"width": 7.0, "height": 8.0}
    version, _ = train(declared(train=lambda: Training(estimator=ESTIMATOR, sample=SAMPLE, reference=reference)))
    assert json.loads(version.about)["reference"] == reference


def test_training_and_evaluating_may_be_async(train: Trained) -> None:
    async def learn() -> Any:
        await asyncio.sleep(0)
        return ESTIMATOR

    async def measure(predict: Any) -> dict[str, float]:
        await asyncio.sleep(0)
        return {"one": predict(SAMPLE[0]).probability}

    version, _ = train(declared(train=learn, evaluate=measure))
    assert 0 < json.loads(version.metrics)["one"] < 1


def test_what_is_measured_is_the_stored_onnx_through_the_scorer(train: Trained, scorer: OnnxScorer) -> None:
    seen: list[Chance] = []

    def measure(predict: Any) -> dict[str, Any]:
        seen.extend(predict(SAMPLE))
        return {
            "mean": np.mean([answer.probability for answer in seen]),
            "rows": len(seen),
            "same": predict(SAMPLE[0]) == seen[0],
        }

    model = declared(train=lambda: ESTIMATOR, evaluate=measure)
    version, onnx = train(model)
    scorer.load(model, version, onnx)
    assert seen == [scorer.predict(model, 0, item) for item in SAMPLE]
    assert json.loads(version.metrics) == {
        "mean": pytest.approx(sum(answer.probability for answer in seen) / 100),
        "rows": 100.0,
        "same": 1.0,
    }


def test_a_version_on_trial_leaves_nothing_in_the_scorer(train: Trained, scorer: OnnxScorer) -> None:
    train(declared(train=lambda: ESTIMATOR))
    _failure(train, train=lambda: ESTIMATOR, evaluate=lambda predict: {"auc": float("nan")})
    assert not scorer._served


def test_two_trainings_of_one_model_at_once_measure_their_own(scorer: OnnxScorer) -> None:
    estimators = iter([ESTIMATOR, LogisticRegression().fit(X, X[:, 0] < 0)])
    model = declared(
        train=lambda: next(estimators),
        evaluate=lambda predict: {"wide": predict(Measures(width=9.0, height=0.0)).probability},
    )

    async def both() -> list[Any]:
        trainings = (train_version(model, exporter=OnnxExporter(), scorer=scorer, created=0.0) for _ in range(2))
        return [version for version, _ in await asyncio.gather(*trainings)]

    found = sorted(json.loads(version.metrics)["wide"] for version in asyncio.run(both()))
    assert found[0] < 0.01
    assert found[1] > 0.99


def test_the_line_that_raised_in_training_is_named(train: Trained) -> None:
    def helper() -> None:
        raise KeyError("deny")

    failed = _failure(train, train=helper)
    assert str(failed.place) == f"test_training.py:{helper.__code__.co_firstlineno + 1}"
    assert "KeyError: 'deny'" in failed.what


def test_an_error_below_the_users_code_is_placed_where_the_user_called_it(train: Trained) -> None:
    def learn() -> Any:
        return LogisticRegression().fit(X, np.zeros(100))

    failed = _failure(train, train=learn)
    assert str(failed.place) == f"test_training.py:{learn.__code__.co_firstlineno + 1}"


def test_installed_packages_below_the_app_are_not_the_users_code(
    train: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / ".venv" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "bought_library.py").write_text("def learn():\n    raise OSError('offline')\n")
    (tmp_path / "own_training.py").write_text("import bought_library\n\ndef learn():\n    bought_library.learn()\n")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.syspath_prepend(tmp_path)
    failed = _failure(train, train=import_module("own_training").learn)
    assert str(failed.place) == "own_training.py:4"


def test_an_error_in_evaluating_is_named_as_such(train: Trained) -> None:
    failed = _failure(train, train=lambda: ESTIMATOR, evaluate=lambda predict: 1 / 0)
    assert "evaluating `fit` failed: ZeroDivisionError" in failed.what


@pytest.mark.parametrize("result", [None, {"model": 1}, Training(estimator="ESTIMATOR")])
def test_what_cannot_predict_is_no_training(train: Trained, result: Any) -> None:
    assert "cannot predict" in _failure(train, train=lambda: result).what


def test_a_model_without_training_says_so(train: Trained) -> None:
    assert "has no `train`" in _failure(train).what


@pytest.mark.parametrize("metrics", [None, 0.8, {"auc": "good"}, {"auc": float("nan")}])
def test_metrics_are_finite_numbers_by_name(train: Trained, metrics: Any) -> None:
    _failure(train, train=lambda: ESTIMATOR, evaluate=lambda predict: metrics)


def test_a_reference_row_of_other_features_is_refused_with_the_difference(train: Trained) -> None:
    failed = _failure(train, train=lambda: Training(estimator=ESTIMATOR, reference={"width": 1.0, "depth": 2.0}))
    assert "depth, height" in failed.what


def test_a_sample_that_is_no_input_of_the_model_is_refused(train: Trained) -> None:
    with pytest.raises(PayloadError, match="P402"):
        train(declared(train=lambda: Training(estimator=ESTIMATOR, sample=[{"width": 1.0}])))


def test_nothing_in_parti_pickles() -> None:
    sources = Path(parti.__file__).parent.rglob("*.py")
    imported = re.compile(
        r"""(^\s*(import|from)|(need|import_module)\(["'])\s*(pickle|joblib|cloudpickle|dill)\b""", re.MULTILINE
    )
    assert [str(path) for path in sources if imported.search(path.read_text())] == []
