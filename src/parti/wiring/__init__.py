"""Wiring: where the ports of an engine meet the adapters of this machine."""

from __future__ import annotations

from parti.adapters.chance import SystemChance
from parti.adapters.clock import SystemClock
from parti.adapters.process import tune_process
from parti.adapters.remote import Remote
from parti.adapters.sqlite import describe_holder, open_store
from parti.adapters.sqlite.verify import verify_file
from parti.agents.purse import Purse
from parti.wiring.changes import changing, default_path
from parti.wiring.engines import Apart, engine_apart, labelling_for, new_engine
from parti.wiring.http import serving
from parti.wiring.outside import (
    Providers,
    Tape,
    alikeness,
    embedder_for,
    exporter,
    local_llm,
    local_weights,
    provider_for,
    purse_for,
    scorer_for,
    this_machine,
)

__all__ = [
    "Apart",
    "Providers",
    "Purse",
    "Remote",
    "SystemChance",
    "SystemClock",
    "Tape",
    "alikeness",
    "changing",
    "default_path",
    "describe_holder",
    "embedder_for",
    "engine_apart",
    "exporter",
    "labelling_for",
    "local_llm",
    "local_weights",
    "new_engine",
    "open_store",
    "provider_for",
    "purse_for",
    "scorer_for",
    "serving",
    "this_machine",
    "tune_process",
    "verify_file",
]
