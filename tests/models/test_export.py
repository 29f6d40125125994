"""From scikit-learn estimators to ONNX that answers alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from declared_models import Chance, Measures, declared
from pydantic import BaseModel
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from parti.adapters.onnx.export import OnnxExporter
from parti.errors import ModelError
from parti.mlops.training import Training

X = np.random.default_rng(1).normal(size=(200, 2))
Y = X[:, 0] + 0.5 * X[:, 1] > 0.2
SAMPLE = [Measures(width=width, height=height) for width, height in X[:50]]
Serve = Callable[..., Callable[[Any], Any]]


class House(BaseModel):
    town: Literal["Ulm", "Jena"]
    area: float
    rooms: int


class Price(BaseModel):
    value: float


HOUSES = pd.DataFrame({"town": ["Ulm", "Jena"] * 20, "area": np.arange(40.0, 80.0), "rooms": [1, 2, 3, 4] * 10})
PRICES = HOUSES.area * 3 + HOUSES.rooms * 10 + (HOUSES.town == "Ulm") * 50


def _refusal(
    estimator: Any, sample: list[Any] | None = None, inputs: Any = Measures, output: Any = Chance
) -> ModelError:
    with pytest.raises(ModelError) as refused:
        OnnxExporter().export(declared(inputs, output), estimator, sample or [])
    assert refused.value.code == "P602"
    assert refused.value.fix
    return refused.value


def _house_model(names: list[Any]) -> Any:
    town, *numbers = names
    columns = ColumnTransformer([("town", OneHotEncoder(), [town]), ("numbers", StandardScaler(), numbers)])
    return make_pipeline(columns, LinearRegression())


@pytest.mark.parametrize(
    "estimator", [make_pipeline(StandardScaler(), LogisticRegression()), RandomForestClassifier(10, random_state=0)]
)
def test_the_served_probability_is_the_estimators_own(serve: Serve, estimator: Any) -> None:
    estimator.fit(X, Y)
    predict = serve(declared(train=lambda: Training(estimator=estimator, sample=SAMPLE)))
    expected = estimator.predict_proba(X[:50])[:, 1]
    assert [predict(item).probability for item in SAMPLE] == pytest.approx(expected, abs=1e-4)


def test_a_regression_with_categories_trained_on_a_data_frame_is_served(serve: Serve) -> None:
    estimator = _house_model(["town", "area", "rooms"]).fit(HOUSES, PRICES)
    sample = [House(**row) for row in HOUSES.to_dict("records")]
    predict = serve(declared(House, Price, train=lambda: Training(estimator=estimator, sample=sample)))
    assert [predict(house).value for house in sample] == pytest.approx(PRICES.tolist(), rel=1e-4)


def test_a_regression_with_categories_trained_on_an_array_is_served(serve: Serve) -> None:
    estimator = _house_model([0, 1, 2]).fit(HOUSES.to_numpy(), PRICES)
    sample = [House(**row) for row in HOUSES.to_dict("records")]
    predict = serve(declared(House, Price, train=lambda: Training(estimator=estimator, sample=sample)))
    assert predict(sample[5]).value == pytest.approx(PRICES[5], rel=1e-4)


def test_columns_of_a_data_frame_may_come_in_another_order_than_the_fields(serve: Serve) -> None:
    frame = pd.DataFrame(X[:, ::-1], columns=["height", "width"])
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, Y)
    predict = serve(declared(train=lambda: Training(estimator=estimator, sample=SAMPLE)))
    expected = estimator.predict_proba(frame)[:50, 1]
    assert [predict(item).probability for item in SAMPLE] == pytest.approx(expected, abs=1e-4)


def test_numbers_picked_by_column_name_are_served(serve: Serve) -> None:
    frame = pd.DataFrame(X, columns=["width", "height"])
    columns = ColumnTransformer([("scaled", StandardScaler(), ["height"])], remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression()).fit(frame, Y)
    predict = serve(declared(train=lambda: Training(estimator=estimator, sample=SAMPLE)))
    assert predict(SAMPLE[0]).probability == pytest.approx(estimator.predict_proba(frame)[0, 1], abs=1e-4)


def test_a_missing_number_reaches_the_estimator_as_missing(serve: Serve) -> None:
    class Gappy(BaseModel):
        width: float | None
        height: float

    holes = np.where(X < -1, np.nan, X)
    holes[:, 1] = X[:, 1]
    estimator = DecisionTreeClassifier(max_depth=3, random_state=0).fit(holes, np.isnan(holes[:, 0]))
    sample = [Gappy(width=None, height=0.0), Gappy(width=0.5, height=0.0)]
    predict = serve(declared(Gappy, train=lambda: Training(estimator=estimator, sample=sample)))
    assert [predict(item).probability for item in sample] == [1.0, 0.0]


def test_an_estimator_that_answers_otherwise_in_single_precision_is_refused() -> None:
    fine = np.random.default_rng(2).uniform(1e8, 1e8 + 10, size=(200, 2))
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(fine, fine[:, 0] > 1e8 + 5)
    refused = _refusal(estimator, [Measures(width=width, height=height) for width, height in fine])
    assert "in ONNX but" in refused.what
    assert "Measures(" in refused.what


def test_an_estimator_of_other_columns_is_refused_with_the_difference() -> None:
    estimator = LogisticRegression().fit(pd.DataFrame(X, columns=["width", "depth"]), Y)
    assert "depth, height" in _refusal(estimator).what


def test_an_estimator_of_another_number_of_columns_is_refused() -> None:
    estimator = LogisticRegression().fit(X[:, :1], Y)
    with pytest.raises(ModelError, match="P602"):
        OnnxExporter().export(declared(), estimator, SAMPLE)


def test_a_classifier_without_probabilities_is_refused() -> None:
    assert "CalibratedClassifierCV" in _refusal(LinearSVC().fit(X, Y)).fix


def test_an_estimator_that_was_not_fitted_is_refused() -> None:
    assert "cannot be turned into ONNX" in _refusal(LogisticRegression()).what


def test_onnx_bytes_are_kept_as_they_are() -> None:
    onnx = to_onnx(GradientBoostingRegressor().fit(X, X[:, 0]), X[:1].astype("float32")).SerializeToString()
    exported = OnnxExporter().export(declared(output=Price), onnx, [])
    assert exported.onnx == onnx
    assert exported.about["opset"] > 0


def test_onnx_that_gives_maps_instead_of_tensors_is_refused() -> None:
    onnx = to_onnx(LogisticRegression().fit(X, Y), X[:1].astype("float32")).SerializeToString()
    assert "zipmap" in _refusal(onnx).fix


def test_onnx_of_another_width_is_refused() -> None:
    onnx = to_onnx(LinearRegression().fit(X[:, :1], X[:, 1]), X[:1, :1].astype("float32")).SerializeToString()
    assert "for 2 features" in _refusal(onnx).what


def test_bytes_that_are_not_onnx_are_refused() -> None:
    assert "cannot be read" in _refusal(b"not a model").what


def test_what_was_exported_says_what_it_is() -> None:
    about = OnnxExporter().export(declared(), LogisticRegression().fit(X, Y), SAMPLE).about
    assert about["estimator"] == "LogisticRegression"
    assert about["classes"] == [False, True]
    assert set(about["libraries"]) == {"scikit-learn", "skl2onnx", "onnx", "onnxruntime"}


def test_an_estimator_that_fails_on_its_own_sample_is_refused() -> None:
    holes = [Measures(width=float("nan"), height=1.0)]
    assert "fails on its own sample" in _refusal(LogisticRegression().fit(X, Y), holes).what


def test_a_feature_may_be_called_features(serve: Serve) -> None:
    class Building(BaseModel):
        features: float
        height: float

    estimator = LogisticRegression().fit(X, Y)
    sample = [Building(features=width, height=height) for width, height in X[:5]]
    predict = serve(declared(Building, train=lambda: Training(estimator=estimator, sample=sample)))
    assert predict(sample[0]).probability == pytest.approx(estimator.predict_proba(X[:1])[0, 1], abs=1e-4)
