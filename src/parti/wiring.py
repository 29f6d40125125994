"""Wiring: where the ports of an engine meet the adapters of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from parti.adapters.chance import SystemChance
from parti.adapters.clock import SystemClock
from parti.adapters.sqlite import SqliteStore, open_store
from parti.design.graph import Design
from parti.design.model import Model
from parti.engine.loop import Engine
from parti.ports.scorer import Scorer


def new_engine(
    design: Design, store: SqliteStore, *, stand_ins: bool = False, replay_each: bool = False
) -> Engine:
    """An engine for `design` on this machine's clock and chance. It must be made inside a running event loop."""
    return Engine(
        design,
        store=store,
        clock=SystemClock(),
        chance=SystemChance(),
        offload=asyncio.to_thread,
        scorer=scorer_for(design),
        stand_ins=stand_ins,
        replay_each=replay_each,
    )


def scorer_for(design: Design) -> Scorer | None:
    """What serves the models of a design; None when it has none, so that nothing heavy is imported."""
    if not any(design.all(Model)):
        return None
    from parti.adapters.onnx.scorer import OnnxScorer  # noqa: PLC0415 numpy and onnxruntime only where models are

    return OnnxScorer()


def default_path(app: Path, system: str) -> Path:
    """Where the store of an app lies unless it is told otherwise: beside the app file, named after the system."""
    return app.parent / f"{system}.parti"


__all__ = ["default_path", "new_engine", "open_store", "scorer_for"]
