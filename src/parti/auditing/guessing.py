"""Models without a version answer by made-up values of their output type: the port ports.scorer.Scorer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from parti.auditing.making import Maker
from parti.design.fields import fields_of
from parti.design.model import Model, Reason
from parti.ports.scorer import Scorer
from parti.ports.store import ModelVersion

NO_VERSION = ModelVersion("", 1, "", b"{}", b"{}", "", 0.0)
"""Stands for the version of a model that has none."""


@dataclass(slots=True)
class Guessing:
    """`guessed` models give every value of their output's flags and enums in turn; all others are served by `real`."""

    guessed: frozenset[str]
    real: Scorer | None
    asked: Counter[str] = field(default_factory=Counter)

    def load(self, model: Model, version: ModelVersion, onnx: bytes) -> None:
        """See the port."""
        if model.name not in self.guessed and self.real is not None:
            self.real.load(model, version, onnx)

    def loaded(self, model: str, version: int) -> bool:
        """See the port."""
        return model in self.guessed or (self.real is not None and self.real.loaded(model, version))

    def predict(self, model: Model, version: int, features: Any) -> Any:
        """See the port."""
        if model.name not in self.guessed and self.real is not None:
            return self.real.predict(model, version, features)
        number = self.asked[model.name]
        self.asked[model.name] += 1
        return model.output.decode(to_json(Maker(model.output.schema, number=number).make()))

    def predict_many(self, model: Model, version: int, rows: Sequence[Any]) -> list[Any]:
        """See the port."""
        if model.name not in self.guessed and self.real is not None:
            return self.real.predict_many(model, version, rows)
        return [self.predict(model, version, row) for row in rows]

    def reasons(self, model: Model, version: int, features: Any, count: int) -> list[Reason]:
        """See the port: the first features, all to the same effect."""
        if model.name not in self.guessed and self.real is not None:
            return self.real.reasons(model, version, features, count)
        return [Reason(name, None, 1.0) for name in [*fields_of(model.inputs.kind)][:count]]

    def forget(self, model: str, version: int) -> None:
        """See the port."""
        if model not in self.guessed and self.real is not None:
            self.real.forget(model, version)
