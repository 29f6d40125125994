"""Profiling: parts are measured under controlled load, or read from traffic; the result is kept beside the store."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from parti.design.graph import Design
from parti.engine.loop import Engine
from parti.errors import RunError, StoreError, UsageError
from parti.mlops.evaluation.no_servers import NoServers
from parti.planning.drift import Drifted, drift
from parti.planning.grouped import VERSIONS
from parti.planning.measuring import Amount, Progress, measure
from parti.planning.profile import Profile, Unmeasured
from parti.planning.storing import profile_json, profile_path, read_profile
from parti.planning.subjects import Bench, bench_of
from parti.planning.traffic import LIMIT, profile_of_traffic
from parti.ports.machine import Machine
from parti.ports.store import ModelVersion
from parti.units import Seconds
from parti.verbs.inputs import inputs_for
from parti.verbs.target import Target, now
from parti.wiring import new_engine, open_store, this_machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is measured and how: the parts `only` (all), with inputs from `files` by part; `paid` allows what costs money."""

    only: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    paid: bool = False
    amount: Amount = Amount()


async def profile_under_load(
    target: Target, options: Options, *, progress: Progress = lambda done, of: None, machine: Machine | None = None
) -> Profile:
    """Measure the parts of an app in a store of their own, without effects outside.

    What arrives and in which order runs call comes from traffic, where there is some: a measurement has none of its own.
    Raises P829 where nothing can be measured, P308 for an unknown part, P402, P405, P504 for inputs that cannot be read.
    """
    design = target.design
    for name in options.only:
        if name not in design.by_name:
            raise RunError("P308", f"{design.name} has no part {name!r}", fix=f"one of: {', '.join(design.by_name)}")
    here = machine or this_machine()
    bench = bench_of(design, await inputs_for(target, options.files), here, paid=options.paid)
    if options.only:
        bench = replace(bench, subjects=tuple(one for one in bench.subjects if one.name in options.only))
    async with _engine(bench, await _versions(target)) as engine:
        found = await measure(engine, design, bench, here, options.amount, progress=progress)
    return await _with_traffic(target, found)


async def _with_traffic(target: Target, measured: Profile) -> Profile:
    """The measured profile with what only traffic knows: arrivals, and parts and call graphs that were not measured."""
    try:
        seen = await profile_from_traffic(target)
    except (StoreError, UsageError) as none:
        if none.code not in ("P208", "P829"):
            raise
        return measured
    known = {part.part for part in measured.parts}
    graphs = {graph.caller: graph for graph in (*measured.graphs, *seen.graphs)}
    added = tuple(part for part in seen.parts if part.part not in known)
    names = {part.part for part in added if part.services}
    unmeasured = tuple(_taken(one) if one.part in names else one for one in measured.unmeasured)
    return replace(
        measured, parts=(*measured.parts, *added), graphs=tuple(graphs.values()), arrivals=seen.arrivals, unmeasured=unmeasured,
    )  # fmt: skip


def _taken(one: Unmeasured) -> Unmeasured:
    return Unmeasured(one.part, f"taken from traffic, since {one.why}")


async def profile_from_traffic(
    target: Target, *, since: Seconds = 0.0, until: Seconds = 0.0, limit: int = LIMIT
) -> Profile:
    """The profile of the journal's latest runs. Raises P208 without a store, P829 without a run."""
    async with target.reading() as store:
        return await profile_of_traffic(target.design, store, now=now(), since=since, until=until, limit=limit)


def save(profile: Profile, target: Target, out: Path | None) -> Path:
    """Keep a profile, beside the store unless it is told otherwise; where it lies. Raises P820 where it cannot be written."""
    path = out or profile_path(target.path)
    try:
        path.write_bytes(profile_json(profile))
    except OSError as wrong:
        raise UsageError("P820", f"{path} cannot be written: {wrong.strerror}", fix="give --out FILE") from wrong
    return path


def stored_profile(target: Target, out: Path | None) -> Profile:
    """The kept profile. Raises P820."""
    return read_profile(out or profile_path(target.path))


async def profile_drift(target: Target, out: Path | None, *, since: Seconds = 0.0, limit: int = LIMIT) -> Drifted:
    """What recent traffic says otherwise than the kept profile. Raises P820, P208, P829."""
    return drift(stored_profile(target, out), await profile_from_traffic(target, since=since, limit=limit))


async def _versions(target: Target) -> list[tuple[ModelVersion, bytes]]:
    """The latest versions of each model that the system's store has, oldest first, with their ONNX."""
    try:
        async with target.reading() as store:
            by_model: dict[str, list[ModelVersion]] = {}
            for version in await store.models():
                by_model.setdefault(version.model, []).append(version)
            latest = [version for versions in by_model.values() for version in versions[-VERSIONS:]]
            return [(version, await store.blob(version.blob) or b"") for version in latest]
    except StoreError as none:
        if none.code != "P208":
            raise
        return []


@asynccontextmanager
async def _engine(bench: Bench, versions: list[tuple[ModelVersion, bytes]]) -> AsyncIterator[Engine]:
    """An engine for the bench's design, in a store that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="parti-profile-") as folder:
        store = open_store(Path(folder) / "measured.parti")
        try:
            engine = new_engine(bench.design, store, stand_ins=True, servers=NoServers(), holds=False)
            try:
                await engine.start(work=False)
                await _add(engine, bench.design, versions)
                engine.begin()
                yield engine
            finally:
                await engine.stop(grace=0.0)
        finally:
            await store.close()


async def _add(engine: Engine, design: Design, versions: list[tuple[ModelVersion, bytes]]) -> None:
    for version, onnx in versions:
        if version.model in design.by_name:
            await engine.add_version(version, onnx)
