"""The ONNX scorer: serves the versions of models with onnxruntime, and says why they answer as they do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from parti.adapters.onnx.answers import Answers
from parti.adapters.onnx.graph import Graph
from parti.design.features import Row, features_of, record_type, rows_of
from parti.design.model import Model, Reason
from parti.errors import ModelError, PartiError
from parti.ports.store import ModelVersion

T = TypeVar("T")


class OnnxScorer:
    """Keeps one onnxruntime session per loaded version. Safe from several threads."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, int], _Served] = {}

    def load(self, model: Model, version: ModelVersion, onnx: bytes) -> None:
        """Make a version ready.

        Raises P602 when the ONNX does not take the model's features, P603 when its answers do not fit the output type:
        both now, not at some later prediction.
        """
        about = json.loads(version.about or b"{}")
        self._served[model.name, version.version] = _Served(model, onnx, about)

    def loaded(self, model: str, version: int) -> bool:
        """Whether the version is ready."""
        return (model, version) in self._served

    def forget(self, model: str, version: int) -> None:
        """Give back what a loaded version takes."""
        self._served.pop((model, version), None)

    def predict(self, model: Model, version: int, features: Any) -> Any:
        """A value of the model's output type. About 10 µs beyond onnxruntime's own time.

        Raises P601 when the version is not loaded, P402 when `features` do not fit, P603 when the answer does not.
        """
        return self._find(model, version).predict(features)

    def predict_many(self, model: Model, version: int, rows: Sequence[Any]) -> list[Any]:
        """As many values of the model's output type, in order, by one run of the graph.

        In the place of one that fails, the exception (P402, P603). Raises P601 when the version is not loaded.
        """
        return self._find(model, version).predict_many(rows)

    def reasons(self, model: Model, version: int, features: Any, count: int) -> list[Reason]:
        """The `count` features that move this answer furthest from that of the reference row, strongest first.

        The effect of a feature is the model's answer minus its answer when that feature alone takes its value in the
        reference row (the typical row of the training data): single-feature ablation against a baseline, after
        Robnik-Šikonja & Kononenko, "Explaining Classifications For Individual Instances" (IEEE TKDE 20(5), 2008). The
        answer is the value of a regression, the probability of the last class of two, else that of the likeliest class.
        Effects leave interactions out, so they need not add up to the whole difference. Features without any effect are
        left out. One ONNX call. Raises P605 when the version has no reference row or gives only labels.
        """
        return self._find(model, version).reasons(features, count)

    def _find(self, model: Model, version: int) -> _Served:
        served = self._served.get((model.name, version))
        if served is None:
            raise ModelError(
                "P601",
                f"version {version} of `{model.name}` is not loaded",
                place=model.place,
                fix=f"parti train {model.name}",
            )
        return served


class _Served:
    """One loaded version: everything that does not depend on the row is worked out here, once."""

    def __init__(self, model: Model, onnx: bytes, about: Mapping[str, Any]) -> None:
        self._model = model
        self._features = features_of(model)
        self._kind = record_type(model.inputs) or object
        self._row_of = rows_of(self._features)
        self._graph = Graph(model, onnx)
        self._answers = Answers(model, self._graph.outputs, about.get("classes") or ())
        self._reference = _reference_row(about, [feature.name for feature in self._features])
        self._try()

    def predict(self, features: Any) -> Any:
        answers = self._answers
        return answers.build(self._graph.run((self._row(features),), answers.needs), 0)

    def predict_many(self, features: Sequence[Any]) -> list[Any]:
        rows = [_or_error(partial(self._row, each)) for each in features]
        fit = [row for row in rows if not isinstance(row, PartiError)]
        try:
            arrays = self._graph.run(fit, self._answers.needs) if fit else []
        except ModelError:  # one of them, but nobody can tell which: each by itself, then only that one fails
            return [_or_error(partial(self.predict, each)) for each in features]
        places = iter(range(len(fit)))
        return [
            row if isinstance(row, PartiError) else _or_error(partial(self._answers.build, arrays, next(places)))
            for row in rows
        ]

    def reasons(self, features: Any, count: int) -> list[Reason]:
        reference = self._reference
        if reference is None:
            raise self._unexplained("has no reference row", "return a Training with `reference=` or `sample=`")
        row = self._row(features)
        changed = [(*row[:at], usual, *row[at + 1 :]) for at, usual in enumerate(reference)]
        answer, *others = self._numbers([row, *changed])
        reasons = [
            Reason(feature.name, value if feature.text or value is None else float(value), answer - other)
            for feature, value, other in zip(self._features, row, others, strict=True)
            if answer != other
        ]
        return sorted(reasons, key=lambda reason: -abs(reason.effect))[:count]

    def _row(self, features: Any) -> Row:
        return self._row_of(features if isinstance(features, self._kind) else self._model.inputs.coerce(features))

    def _numbers(self, rows: Sequence[Row]) -> list[float]:
        """One number per row that says how the model answers: see `OnnxScorer.reasons`."""
        outputs = self._graph.outputs
        if name := outputs.get("value"):
            return self._graph.run(rows, [name])[0].reshape(len(rows), -1)[:, 0].tolist()  # type: ignore[no-any-return]
        if name := outputs.get("probabilities"):
            shares = self._graph.run(rows, [name])[0].reshape(len(rows), -1)
            column = -1 if shares.shape[1] <= 2 else int(shares[0].argmax())
            return shares[:, column].tolist()  # type: ignore[no-any-return]
        raise self._unexplained("gives labels without probabilities", "train an estimator that has predict_proba")

    def _try(self) -> None:
        """Answer once, so that what cannot work fails while it is loaded. Without a reference row only the graph runs."""
        if self._reference is not None:
            self._answers.build(self._graph.run([self._reference], self._answers.needs), 0)
        else:
            self._graph.run([tuple("" if feature.text else 0 for feature in self._features)], self._answers.needs)

    def _unexplained(self, what: str, fix: str) -> ModelError:
        return ModelError("P605", f"this version of `{self._model.name}` {what}", place=self._model.place, fix=fix)


def _or_error(make: Callable[[], T]) -> T | PartiError:
    """What is made, or the error in its place."""
    try:
        return make()
    except PartiError as wrong:
        return wrong


def _reference_row(about: Mapping[str, Any], names: Sequence[str]) -> Row | None:
    reference = about.get("reference")
    return tuple(reference[name] for name in names) if reference else None
