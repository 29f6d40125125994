"""Shared by the tests of models: training and serving with the real exporter and scorer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from declared_models import Trained

from parti.adapters.onnx.export import OnnxExporter
from parti.adapters.onnx.scorer import OnnxScorer
from parti.design.model import Model
from parti.mlops.train import train_version


@pytest.fixture
def scorer() -> OnnxScorer:
    return OnnxScorer()


@pytest.fixture
def train(scorer: OnnxScorer) -> Trained:
    """Trains a model with the real exporter and scorer."""
    return lambda model: asyncio.run(train_version(model, exporter=OnnxExporter(), scorer=scorer, created=1000.0))


@pytest.fixture
def serve(train: Trained, scorer: OnnxScorer) -> Callable[..., Callable[[Any], Any]]:
    """Trains and loads a model that `estimator` (or a Training) answers for; gives its predict function."""

    def ready(model: Model) -> Callable[[Any], Any]:
        version, onnx = train(model)
        scorer.load(model, version, onnx)
        return lambda features: scorer.predict(model, 0, features)

    return ready
