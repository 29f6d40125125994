"""A training: what a model's `train` function returns, the estimator and where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from parti.design.features import Feature, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A fitted scikit-learn estimator (or the bytes of an ONNX file), and what is worth keeping about its making.

    `rows` is how many examples it learned from, `period` their first and last id or date. `sample` holds some of the
    inputs it learned from, as values of the model's inputs type: ONNX and scikit-learn are compared on them. `reference`
    maps each feature to a usual value, against which answers are explained; by default the lower median (numbers) or the
    commonest (categories) of `sample`.
    """

    estimator: Any
    rows: int = 0
    period: tuple[str, str] = ("", "")
    reference: Mapping[str, Any] | None = None
    sample: Sequence[Any] = field(default=(), repr=False)


def usual(features: Sequence[Feature], rows: Sequence[Row]) -> dict[str, Any]:
    """The usual value of each feature over `rows`: the median of numbers that are there, the commonest category."""
    columns = zip(features, zip(*rows, strict=True), strict=True)
    return {feature.name: _usual(column, feature.text) for feature, column in columns}


def _usual(column: Sequence[Any], text: bool) -> Any:
    if text:
        return Counter(column).most_common(1)[0][0]
    known = [float(value) for value in column if value is not None]
    return median_low(known) if known else None
