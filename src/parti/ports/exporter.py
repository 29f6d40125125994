"""The exporter port: what turns a trained estimator into the bytes that are stored and served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from parti.design.model import Model


class Exported(NamedTuple):
    """An estimator as ONNX; `about` says what it is (`estimator`, `classes`, `opset`, `libraries`), ready for JSON."""

    onnx: bytes
    about: Mapping[str, Any]


class Exporter(Protocol):
    """Turns estimators into ONNX. Blocking; safe from several threads."""

    def export(self, model: Model, estimator: Any, sample: Sequence[Any]) -> Exported:
        """`estimator` (fitted, or already ONNX bytes) as ONNX.

        `sample` holds values of the model's inputs: on up to 256 of them both must answer alike. Raises P602.
        """
        ...
