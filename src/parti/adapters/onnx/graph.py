"""A graph: one ONNX model that takes rows of features and gives its outputs by what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from parti.design.features import Feature, Row, features_of
from parti.design.model import Model
from parti.errors import ModelError
from parti.extras import need

_ELEMENTS: Final[Mapping[str, str]] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
Feed = Callable[[Sequence[Row]], dict[str, Any]]


class Graph:
    """An onnxruntime session for one model. `outputs` maps a role to the name of the ONNX output that plays it.

    Roles: `label` (n whole numbers or texts), `probabilities` (n rows, one column per class or one for the positive
    class) and `value` (n numbers, or n rows of one).
    """

    def __init__(self, model: Model, onnx: bytes) -> None:
        """Raises P602 when the bytes are not ONNX, or do not take the model's features."""
        self._model = model
        self._session = _session(model, onnx)
        self._feed = _feed(model, self._session.get_inputs())
        self.outputs = _roles(model, self._session.get_outputs())

    def run(self, rows: Sequence[Row], names: Sequence[str]) -> list[Any]:
        """The outputs called `names` for `rows`, one array each. Raises P603 when the model fails on them."""
        try:
            answers: list[Any] = self._session.run(names, self._feed(rows))
        except Exception as wrong:
            raise ModelError(
                "P603",
                f"`{self._model.name}` failed on its features: {short(wrong)}",
                place=self._model.place,
                fix="compare the features with those it was trained on",
            ) from wrong
        return answers


def short(error: BaseException, limit: int = 200) -> str:
    """The kind and the first words of an error; some of those below print whole models."""
    first = (str(error).strip().splitlines() or [""])[0]
    text = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _session(model: Model, onnx: bytes) -> Any:
    runtime = need("onnxruntime", extra="ml", purpose="serving a model")
    options = runtime.SessionOptions()
    # One row is far too little work to share: handing it to other threads costs more than it saves.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return runtime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as wrong:
        raise ModelError(
            "P602",
            f"the ONNX of `{model.name}` cannot be read: {short(wrong)}",
            place=model.place,
            fix="return a fitted scikit-learn estimator, or the bytes of an ONNX file",
        ) from wrong


def _feed(model: Model, inputs: Sequence[Any]) -> Feed:
    """How rows become the graph's inputs: one tensor of all features, or one column per feature."""
    features = features_of(model)
    types = {entry.name: _ELEMENTS.get(entry.type, "") for entry in inputs}
    index = {feature.name: place for place, feature in enumerate(features)}
    if len(inputs) == 1 and (inputs[0].name not in index or inputs[0].shape[-1:] == [len(features)] != [1]):
        return _tensor_feed(model, features, inputs[0], types[inputs[0].name])
    wrong = [name for name, element in types.items() if name not in index or not element]
    if not wrong:
        wrong = [name for name, element in types.items() if (element == "object") != features[index[name]].text]
    if wrong:
        raise _misfit(model, f"takes the inputs {', '.join(types)}, of which {wrong[0]} is not a feature of that type")
    numpy = need("numpy", extra="ml", purpose="serving a model")
    plan = [(name, index[name], element) for name, element in types.items()]
    return lambda rows: {name: numpy.array([[row[at]] for row in rows], dtype) for name, at, dtype in plan}


def _tensor_feed(model: Model, features: Sequence[Feature], entry: Any, element: str) -> Feed:
    width = entry.shape[-1] if len(entry.shape) == 2 else 0
    if isinstance(width, int) and width != len(features):
        raise _misfit(model, f"takes an input of the shape {entry.shape} for {len(features)} features")
    if any((element == "object") != feature.text or not element for feature in features):
        raise _misfit(model, f"takes one {entry.type} for all features")
    array = need("numpy", extra="ml", purpose="serving a model").array
    name = entry.name
    return lambda rows: {name: array(rows, element)}


def _misfit(model: Model, what: str) -> ModelError:
    names = ", ".join(feature.name for feature in features_of(model))
    return ModelError(
        "P602",
        f"the ONNX of `{model.name}` {what}",
        place=model.place,
        fix=f"train on exactly these columns, in this order: {names}",
    )


def _roles(model: Model, outputs: Sequence[Any]) -> dict[str, str]:
    roles: dict[str, str] = {}
    labelled = any(_is_label(output) for output in outputs)
    for output in outputs:
        if output.type not in _ELEMENTS:
            raise ModelError(
                "P602",
                f"the ONNX of `{model.name}` gives {output.name} as {output.type}",
                place=model.place,
                fix='export it with plain tensors: options={"zipmap": False}',
            )
        graded = labelled or "prob" in output.name.lower()
        roles.setdefault("label" if _is_label(output) else "probabilities" if graded else "value", output.name)
    return roles


def _is_label(output: Any) -> bool:
    return output.type in ("tensor(int64)", "tensor(int32)", "tensor(string)", "tensor(bool)")
