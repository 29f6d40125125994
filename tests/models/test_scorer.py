"""Serving versions: what fills an answer, what is refused, and why a model answers as it does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from declared_models import Chance, Measures, Trained, declared
from pydantic import BaseModel, Field, create_model
from sklearn.linear_model import LinearRegression, LogisticRegression

from parti.adapters.onnx.scorer import OnnxScorer
from parti.design.model import Reason
from parti.errors import ModelError, PayloadError
from parti.mlops.training import Training

X = np.random.default_rng(1).normal(size=(300, 2))
KINDS = np.where(X[:, 0] > 0.5, "large", np.where(X[:, 1] > 0, "middle", "small"))
BINARY = LogisticRegression().fit(X, X[:, 0] > 0)
THREE = LogisticRegression().fit(X, KINDS)
LINE = LinearRegression().fit(X, 3 * X[:, 0] - X[:, 1])
BOX = Measures(width=2.0, height=-1.0)
Serve = Callable[..., Callable[[Any], Any]]


class Number(BaseModel):
    value: float


def _training(estimator: Any, reference: dict[str, float] | None = None) -> Callable[[], Training]:
    return lambda: Training(estimator=estimator, reference=reference or {"width": 0.0, "height": 0.0})


def test_a_classifier_fills_label_probability_and_probabilities(serve: Serve) -> None:
    class Sorted(BaseModel):
        label: Literal["large", "middle", "small"]
        probability: float
        probabilities: dict[str, float]
        note: str = "by the model"

    answer = serve(declared(output=Sorted, train=_training(THREE)))(BOX)
    expected = THREE.predict_proba([[2.0, -1.0]])[0]
    assert answer.label == "large"
    assert answer.probability == pytest.approx(expected[2], abs=1e-5)
    assert answer.probabilities == pytest.approx(
        dict(zip(["large", "middle", "small"], expected, strict=True)), abs=1e-5
    )
    assert answer.note == "by the model"


def test_probabilities_may_be_a_list_in_the_order_of_the_classes(serve: Serve) -> None:
    shares = create_model("Shares", probabilities=(list[float], ...))
    answer = serve(declared(output=shares, train=_training(BINARY)))(BOX)
    assert answer.probabilities == pytest.approx(BINARY.predict_proba([[2.0, -1.0]])[0], abs=1e-5)


def test_a_regression_fills_value_of_a_dataclass(serve: Serve) -> None:
    @dataclass
    class Length:
        value: float

    assert serve(declared(output=Length, train=_training(LINE)))(BOX) == Length(pytest.approx(7.0, abs=1e-4))


def test_fields_with_an_alias_are_filled(serve: Serve) -> None:
    aliased = create_model("Aliased", value=(float, Field(alias="number")))
    assert serve(declared(output=aliased, train=_training(LINE)))(BOX).value == pytest.approx(7.0, abs=1e-4)


@pytest.mark.parametrize(
    ("estimator", "fields", "named"),
    [
        (LINE, {"probability": (float, ...)}, "`probability`"),
        (BINARY, {"value": (float, ...)}, "`value`"),
        (BINARY, {"probability": (float, ...), "colour": (str, ...)}, "`colour`"),
        (BINARY, {"probability": (str, ...)}, "`probability`"),
        (THREE, {"label": (Literal["huge"], ...)}, "`label`"),
    ],
)
def test_an_output_type_that_cannot_be_filled_is_refused_when_the_version_is_loaded(
    train: Trained, estimator: Any, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(ModelError) as refused:
        train(declared(output=create_model("Odd", **fields), train=_training(estimator)))
    assert refused.value.code == "P603"
    assert f"{named} of Odd" in refused.value.what


def test_an_unfillable_field_is_found_even_without_a_row_to_try(train: Trained) -> None:
    model = declared(output=create_model("Odd", value=(float, ...)), train=lambda: BINARY)
    with pytest.raises(ModelError, match=r"`value` of Odd .* the model gives label, probability, probabilities"):
        train(model)


def test_an_output_without_fields_is_refused(train: Trained) -> None:
    with pytest.raises(ModelError, match=r"P603.*no fields"):
        train(declared(output=float, train=_training(LINE)))


def test_an_answer_that_is_not_finite_is_refused(serve: Serve) -> None:
    predict = serve(declared(output=Number, train=_training(LINE)))
    with pytest.raises(ModelError, match=r"P603.*nan"):
        predict(Measures(width=float("nan"), height=0.0))


def test_features_may_come_as_a_mapping_and_are_checked(serve: Serve) -> None:
    predict = serve(declared(output=Number, train=_training(LINE)))
    assert predict({"width": 2.0, "height": -1.0}).value == pytest.approx(7.0, abs=1e-4)
    with pytest.raises(PayloadError, match="P402"):
        predict({"width": "wide", "height": -1.0})


def test_each_version_answers_for_itself_until_it_is_forgotten(train: Trained, scorer: OnnxScorer) -> None:
    models = [declared(output=Number, train=_training(LinearRegression().fit(X, X[:, 0] * times))) for times in (1, 2)]
    for number, model in enumerate(models, 1):
        version, onnx = train(model)
        scorer.load(model, version._replace(version=number), onnx)
    assert [round(scorer.predict(models[0], number, BOX).value, 3) for number in (1, 2)] == [2.0, 4.0]
    scorer.forget("fit", 1)
    assert not scorer.loaded("fit", 1)
    assert scorer.loaded("fit", 2)
    with pytest.raises(ModelError, match="P601"):
        scorer.predict(models[0], 1, BOX)


def test_many_threads_get_the_answers_that_one_gets(serve: Serve) -> None:
    predict = serve(declared(train=_training(BINARY)))
    boxes = [Measures(width=width, height=height) for width, height in X]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(predict, boxes)) == [predict(box) for box in boxes]


def test_the_reasons_for_a_line_are_its_slopes_times_the_distance_from_the_reference(
    serve: Serve, scorer: OnnxScorer
) -> None:
    model = declared(output=Number, train=_training(LINE, {"width": 1.0, "height": 4.0}))
    serve(model)
    reasons = scorer.reasons(model, 0, BOX, 5)
    assert [(reason.feature, reason.value) for reason in reasons] == [("height", -1.0), ("width", 2.0)]
    assert [reason.effect for reason in reasons] == pytest.approx([5.0, 3.0], abs=1e-4)
    assert scorer.reasons(model, 0, BOX, 1) == reasons[:1]


def test_a_feature_at_its_usual_value_is_no_reason(serve: Serve, scorer: OnnxScorer) -> None:
    model = declared(output=Number, train=_training(LINE, {"width": 2.0, "height": 0.0}))
    serve(model)
    assert [reason.feature for reason in scorer.reasons(model, 0, BOX, 5)] == ["height"]


def test_reasons_push_the_probability_of_the_last_of_two_classes(serve: Serve, scorer: OnnxScorer) -> None:
    model = declared(train=_training(BINARY))
    serve(model)
    strongest = scorer.reasons(model, 0, BOX, 1)[0]
    without = BINARY.predict_proba([[0.0, -1.0]])[0, 1]
    assert strongest == Reason(
        "width", 2.0, pytest.approx(BINARY.predict_proba([[2.0, -1.0]])[0, 1] - without, abs=1e-5)
    )


def test_reasons_of_three_classes_push_the_likeliest_one(serve: Serve, scorer: OnnxScorer) -> None:
    model = declared(output=create_model("Shares", probabilities=(list[float], ...)), train=_training(THREE))
    serve(model)
    moved = THREE.predict_proba([[2.0, -1.0]])[0, 0] - THREE.predict_proba([[0.0, -1.0]])[0, 0]
    assert scorer.reasons(model, 0, BOX, 1)[0].effect == pytest.approx(moved, abs=1e-5)


def test_a_version_without_a_reference_row_says_so(serve: Serve, scorer: OnnxScorer) -> None:
    model = declared(train=lambda: BINARY)
    assert isinstance(serve(model)(BOX), Chance)
    with pytest.raises(ModelError) as refused:
        scorer.reasons(model, 0, BOX, 3)
    assert refused.value.code == "P605"
    assert "reference=" in refused.value.fix


def test_many_rows_are_answered_as_each_would_be(serve: Serve, scorer: OnnxScorer) -> None:
    model = declared(output=Number, train=_training(LINE))
    predict = serve(model)
    rows = [Measures(width=float(x), height=float(y)) for x, y in X[:50]]
    answers = scorer.predict_many(model, 0, rows)
    assert [answer.value for answer in answers] == pytest.approx([predict(row).value for row in rows], rel=1e-5)
    assert scorer.predict_many(model, 0, []) == []


def test_of_many_rows_one_that_cannot_be_answered_fails_alone(serve: Serve, scorer: OnnxScorer) -> None:
    class Small(BaseModel):
        value: float = Field(le=100.0)

    model = declared(output=Small, train=_training(LINE))
    serve(model)
    rows: list[Any] = [BOX, Measures(width=1e6, height=0.0), {"width": "wide", "height": 0.0}, BOX]
    first, too_large, unfit, last = scorer.predict_many(model, 0, rows)
    assert first == last
    assert first.value == pytest.approx(7.0, abs=1e-3)
    assert (type(too_large), too_large.code) == (ModelError, "P603")
    assert (type(unfit), unfit.code) == (PayloadError, "P402")


def test_a_graph_that_fails_on_many_rows_is_asked_row_by_row(
    serve: Serve, scorer: OnnxScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = declared(output=Number, train=_training(LINE))
    serve(model)
    graph = scorer._find(model, 0)._graph
    run = graph.run

    def touchy(rows: Any, names: Any) -> Any:
        if any(row[0] == 13.0 for row in rows):
            raise ModelError("P603", "it does not like 13")
        return run(rows, names)

    monkeypatch.setattr(graph, "run", touchy)
    answers = scorer.predict_many(model, 0, [BOX, Measures(width=13.0, height=0.0), BOX])
    assert [getattr(answer, "code", "fine") for answer in answers] == ["fine", "P603", "fine"]
