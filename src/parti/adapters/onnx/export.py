"""The ONNX exporter: turns fitted scikit-learn estimators into ONNX, and refuses those that then answer otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from parti.adapters.onnx.graph import Graph, short
from parti.design.features import Feature, features_of, rows_of
from parti.design.model import Model
from parti.errors import ModelError
from parti.extras import need
from parti.ports.exporter import Exported

TOLERANCE: Final = 1e-4
"""The largest difference allowed between scikit-learn and ONNX; relative where a regression's value exceeds 1."""
COMPARED: Final = 256
"""How many rows of a sample are compared."""
_PACKAGES: Final = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime")


class OnnxExporter:
    """Exports with skl2onnx: probabilities as plain tensors, one input tensor, or one per column where texts are."""

    def export(self, model: Model, estimator: Any, sample: Sequence[Any]) -> Exported:
        """`estimator` as ONNX; see `parti.ports.exporter`. ONNX bytes are checked and kept as they are.

        Raises P602 when skl2onnx cannot convert the estimator, when it was fitted on other columns than the model's
        features, or when scikit-learn and ONNX differ by more than 1e-4 on a row of `sample`.
        """
        features = features_of(model)
        if isinstance(estimator, bytes):
            Graph(model, estimator)
            return Exported(estimator, _about(estimator, "", ()))
        need("sklearn", extra="ml", purpose="exporting a model")
        _check_estimator(model, estimator, features)
        onnx = _convert(model, estimator, features)
        _compare(model, estimator, onnx, sample[:COMPARED])
        classes = [getattr(name, "item", lambda name=name: name)() for name in getattr(estimator, "classes_", ())]
        return Exported(onnx, _about(onnx, type(estimator).__name__, classes))


def _check_estimator(model: Model, estimator: Any, features: Sequence[Feature]) -> None:
    fitted_on = _columns(estimator)
    declared = [feature.name for feature in features]
    if fitted_on and set(fitted_on) != set(declared):
        odd = ", ".join(sorted(set(fitted_on) ^ set(declared)))
        raise _refusal(
            model,
            f"was fitted on other columns than {model.inputs.name} has (one side only: {odd})",
            f"train on exactly these: {', '.join(declared)}",
        )
    if (width := getattr(estimator, "n_features_in_", len(declared))) != len(declared):
        raise _refusal(
            model,
            f"was fitted on {width} columns, not {len(declared)}",
            f"train on exactly these: {', '.join(declared)}",
        )
    if hasattr(estimator, "classes_") and not hasattr(estimator, "predict_proba"):
        raise _refusal(
            model, "gives no probabilities", "wrap it: sklearn.calibration.CalibratedClassifierCV(estimator)"
        )


def _convert(model: Model, estimator: Any, features: Sequence[Feature]) -> bytes:
    """One tensor when every feature is a number; columns by name when there are texts, or when the estimator asks for
    columns by name itself (a ColumnTransformer) and so cannot take a tensor."""
    types = need("skl2onnx.common.data_types", extra="ml", purpose="exporting a model")
    text = {feature.name: feature.text for feature in features}
    fitted_on = _columns(estimator) or list(text)
    by_column = [
        (name, (types.StringTensorType if text[name] else types.FloatTensorType)([None, 1])) for name in fitted_on
    ]
    attempts = [by_column]
    if not any(text.values()) and fitted_on == list(text):
        attempts.insert(0, [("features", types.FloatTensorType([None, len(text)]))])
    failure: Exception | None = None
    for inputs in attempts:
        try:
            return _to_onnx(estimator, inputs)
        except Exception as wrong:  # skl2onnx raises whatever its converters stumble over
            failure = failure or wrong
    fix = "use an estimator of skl2onnx's list of supported ones, or return ONNX bytes"
    assert failure is not None
    raise _refusal(model, f"cannot be turned into ONNX: {short(failure)}", fix) from failure


def _to_onnx(estimator: Any, inputs: list[tuple[str, Any]]) -> bytes:
    convert = need("skl2onnx", extra="ml", purpose="exporting a model").convert_sklearn
    options = {"zipmap": False} if hasattr(estimator, "classes_") else None
    onnx: bytes = convert(
        estimator, initial_types=inputs, options={id(estimator): options} if options else None
    ).SerializeToString()
    return onnx


def _compare(model: Model, estimator: Any, onnx: bytes, sample: Sequence[Any]) -> None:
    """Raises P602 naming the row on which scikit-learn and ONNX differ most, when they do."""
    if not sample:
        return
    rows = list(map(rows_of(features_of(model)), sample))
    graph = Graph(model, onnx)
    role, answer = ("probabilities", "predict_proba") if hasattr(estimator, "classes_") else ("value", "predict")
    try:
        expected = getattr(estimator, answer)(_table(model, estimator, rows)).reshape(len(rows), -1)
    except Exception as wrong:
        raise _refusal(model, f"fails on its own sample: {short(wrong)}", "sample what it was trained on") from wrong
    given = graph.run(rows, [graph.outputs[role]])[0].reshape(len(rows), -1)
    gaps = (abs(expected - given) / abs(expected).clip(min=1.0)).max(axis=1)
    worst = int(gaps.argmax())
    if not gaps[worst] <= TOLERANCE:
        raise _refusal(
            model,
            f"answers {given[worst].tolist()} in ONNX but {expected[worst].tolist()} in scikit-learn for {sample[worst]!r}",
            "train on single precision (X.astype('float32')), or use another estimator",
        )


def _table(model: Model, estimator: Any, rows: Sequence[tuple[Any, ...]]) -> Any:
    """The rows as the estimator was given its training data: a data frame when it knows column names, else an array."""
    features = features_of(model)
    if columns := _columns(estimator):
        pandas = need("pandas", extra="ml", purpose="an estimator fitted on data frames")
        values = {
            feature.name: [row[at] if feature.text or row[at] is None else float(row[at]) for row in rows]
            for at, feature in enumerate(features)
        }
        return pandas.DataFrame(values)[columns]
    numpy = need("numpy", extra="ml", purpose="exporting a model")
    return numpy.array(rows, dtype=object if any(feature.text for feature in features) else float)


def _columns(estimator: Any) -> list[str]:
    return [str(name) for name in getattr(estimator, "feature_names_in_", ())]


def _about(onnx: bytes, estimator: str, classes: Sequence[Any]) -> dict[str, Any]:
    loaded = need("onnx", extra="ml", purpose="exporting a model").load_from_string(onnx)
    return {
        "estimator": estimator,
        "classes": list(classes),
        "opset": max((entry.version for entry in loaded.opset_import if not entry.domain), default=0),
        "libraries": {package: version(package) for package in _PACKAGES},
    }


def _refusal(model: Model, what: str, fix: str) -> ModelError:
    return ModelError("P602", f"what trains `{model.name}` {what}", place=model.place, fix=fix)
