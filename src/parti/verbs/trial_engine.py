"""Where trials run: an engine on a store of its own beside the system's, with the system's latest models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from parti.design.graph import Design
from parti.engine.loop import Engine
from parti.errors import StoreError
from parti.mlops.evaluation.no_servers import NoServers
from parti.ports.llm import Llms
from parti.ports.store import ModelVersion
from parti.verbs.target import Target
from parti.wiring import Tape, new_engine, open_store


async def latest_models(target: Target) -> dict[str, tuple[ModelVersion, bytes]]:
    """The latest version of each model that the system's store has, with its ONNX."""
    try:
        async with target.reading() as store:
            latest = {version.model: version for version in await store.models()}
            return {name: (version, await store.blob(version.blob) or b"") for name, version in latest.items()}
    except StoreError as none:
        if none.code != "P208":
            raise
        return {}


@asynccontextmanager
async def trial_engine(
    trial: Design,
    folder: Path,
    models: Mapping[str, tuple[ModelVersion, bytes]],
    *,
    tape: Tape | None = None,
    llms: Llms | None = None,
) -> AsyncIterator[Engine]:
    """An engine for the trial's design on its own store, which outlives the block unless it is removed.

    Its language models are those that are declared, on a `tape`, or `llms` in their place.
    """
    store = open_store(folder / "trial.parti")
    try:
        engine = new_engine(trial, store, stand_ins=True, tape=tape, llms=llms, servers=NoServers(), holds=False)
        try:
            await engine.start(work=False)
            held = {version.model for version in await store.models()}
            for name, (version, onnx) in models.items():
                if name not in held and name in trial.by_name:
                    await engine.add_version(version, onnx)
            engine.begin()
            yield engine
        finally:
            await engine.stop(grace=0.0)
    finally:
        await store.close()
