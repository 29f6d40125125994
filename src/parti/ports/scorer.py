"""The scorer port: what serves the versions of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from parti.design.model import Model, Reason
from parti.ports.store import ModelVersion


class Scorer(Protocol):
    """Serves ONNX versions. Loaded sessions are kept; calls are safe from several tasks."""

    def load(self, model: Model, version: ModelVersion, onnx: bytes) -> None:
        """Make a version ready; blocking, up to a second for large models."""
        ...

    def loaded(self, model: str, version: int) -> bool:
        """Whether the version is ready."""
        ...

    def predict(self, model: Model, version: int, features: Any) -> Any:
        """A value of the model's output type for one value of its inputs. Raises P603."""
        ...

    def predict_many(self, model: Model, version: int, rows: Sequence[Any]) -> list[Any]:
        """As many values of the model's output type, in order; in the place of one that fails, the exception (P402, P603)."""
        ...

    def reasons(self, model: Model, version: int, features: Any, count: int) -> list[Reason]:
        """The `count` features that move this answer furthest from that of the reference row, strongest first."""
        ...

    def forget(self, model: str, version: int) -> None:
        """Give back what a loaded version takes; it can be loaded again. Nothing happens when it is not loaded."""
        ...
