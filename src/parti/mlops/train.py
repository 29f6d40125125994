"""Training a version: run the user's training, export it, measure exactly what will be served."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count
from math import isfinite
from numbers import Real
from pathlib import Path
from traceback import extract_tb
from typing import Any

from parti.design.features import features_of, rows_of
from parti.design.model import Model
from parti.design.places import Place
from parti.errors import ModelError, PartiError
from parti.mlops.training import Training, usual
from parti.ports.exporter import Exporter
from parti.ports.scorer import Scorer
from parti.ports.store import ModelVersion
from parti.units import Seconds

_TRIALS = count(1)
"""Numbers of versions on trial; they are negative in the scorer, so that they never meet a stored version."""


async def train_version(
    model: Model, *, exporter: Exporter, scorer: Scorer, created: Seconds
) -> tuple[ModelVersion, bytes]:
    """Train `model` once: the new version (numbered 0 until it is stored) and its ONNX bytes.

    What `evaluate` measures is the exported ONNX through the scorer, not the estimator. Blocking work runs in a thread.
    Raises P602 when the estimator cannot be exported, P603 when its answers do not fit the output type, P604 when the
    user's `train` or `evaluate` fails, with the line that raised.
    """
    features = features_of(model)
    training = await _trained(model)
    exported = await asyncio.to_thread(exporter.export, model, training.estimator, training.sample)
    about = {
        **exported.about,
        "features": [feature.name for feature in features],
        "reference": _reference(model, training),
        "rows": training.rows,
        "period": list(training.period),
    }
    version = ModelVersion(
        model=model.name,
        version=-next(_TRIALS),
        blob=sha256(exported.onnx).hexdigest(),
        metrics=b"{}",
        about=json.dumps(about).encode(),
        code=model.digest,
        created=created,
    )
    try:
        await asyncio.to_thread(scorer.load, model, version, exported.onnx)
        metrics = await _measured(model, scorer, version.version)
    finally:
        scorer.forget(model.name, version.version)
    return version._replace(version=0, metrics=json.dumps(metrics).encode()), exported.onnx


async def _trained(model: Model) -> Training:
    if model.train is None:
        raise _failed(model, "has no `train`", "declare the model with train=a function that returns an estimator")
    result = await _call(model, "training", model.train)
    training = result if isinstance(result, Training) else Training(estimator=result)
    if not isinstance(training.estimator, bytes) and not hasattr(training.estimator, "predict"):
        kind = type(training.estimator).__name__
        raise _failed(
            model,
            f"was trained to a {kind}, which cannot predict",
            "return a fitted scikit-learn estimator, ONNX bytes, or a Training that holds one",
        )
    return replace(training, sample=[model.inputs.coerce(item) for item in training.sample])


def _reference(model: Model, training: Training) -> dict[str, Any] | None:
    """A value for every feature, ready for JSON; None when nothing says what is usual."""
    features = features_of(model)
    row_of = rows_of(features)
    if training.reference is None:
        return usual(features, [row_of(item) for item in training.sample]) if training.sample else None
    names = {feature.name for feature in features}
    if odd := names ^ set(training.reference):
        raise _failed(
            model,
            f"has a reference row that does not fit its features ({', '.join(sorted(odd))})",
            f"give one value for each of: {', '.join(sorted(names))}",
        )
    row = row_of(model.inputs.coerce(dict(training.reference)))
    return dict(zip((feature.name for feature in features), row, strict=True))


async def _measured(model: Model, scorer: Scorer, version: int) -> dict[str, float]:
    if model.evaluate is None:
        return {}

    def predict(features: Any) -> Any:
        if isinstance(features, Sequence) and not isinstance(features, str | bytes):
            return [scorer.predict(model, version, item) for item in features]
        return scorer.predict(model, version, features)

    found = await _call(model, "evaluating", model.evaluate, predict)
    if not isinstance(found, Mapping):
        raise _failed(
            model,
            f"was evaluated to a {type(found).__name__}",
            'return a mapping from names to numbers, such as {"auc": 0.8}',
        )
    for name, value in found.items():
        if not isinstance(value, Real) or not isfinite(value):
            raise _failed(model, f"has the metric {name!r} = {value!r}", "return finite numbers only")
    return {str(name): float(value) for name, value in found.items()}


async def _call(model: Model, doing: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a user's function returns, sync or async. Parti's own errors pass; any other becomes P604 with its place."""
    try:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        return await asyncio.to_thread(function, *arguments)
    except PartiError:
        raise
    except Exception as wrong:
        name = getattr(function, "__name__", type(function).__name__)
        raise ModelError(
            "P604",
            f"{doing} `{model.name}` failed: {type(wrong).__name__}: {wrong}",
            place=_place(wrong, function) or model.place,
            fix=f"mend `{name}`; it can be called by itself to see more",
        ) from wrong


def _place(error: BaseException, function: Callable[..., Any]) -> Place | None:
    """The last line of the user's own code that the error passed: code below the folder that the function's import
    path starts from, installed packages aside."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    file = Path(code.co_filename)
    root = file.parents[min(function.__module__.count("."), len(file.parents) - 1)]
    own = [
        frame
        for frame in extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(root) and "site-packages" not in Path(frame.filename).parts
    ]
    return Place(str(Path(own[-1].filename).relative_to(root)), own[-1].lineno or 0) if own else None


def _failed(model: Model, what: str, fix: str) -> ModelError:
    return ModelError("P604", f"`{model.name}` {what}", place=model.place, fix=fix)
