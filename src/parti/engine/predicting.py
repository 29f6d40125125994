"""Predictions: steps answered by one version of a model, the same throughout a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import TypeAdapter
from pydantic_core import to_json

from parti.design.model import Model, Reason
from parti.engine.budgets import settle
from parti.engine.calling import Offload
from parti.engine.services import Services
from parti.engine.serving import Timed, gathered
from parti.engine.steps import as_failure, counted, measured, reserve_or_fail, rewind
from parti.engine.turns import Turn
from parti.errors import DeclarationError, ModelError
from parti.journal.entries import Kind
from parti.journal.identity import step_digest
from parti.ports.scorer import Scorer
from parti.ports.store import ModelVersion

if TYPE_CHECKING:
    from parti.engine.context import RunContext

REASONS: TypeAdapter[list[Reason]] = TypeAdapter(list[Reason])


async def predict(context: RunContext, model: Model, features: Any, explain: int | None) -> Any:
    """The model's answer, or the reasons for it. Raises P601 without a version, P603 when the answer does not fit."""
    run = context.run
    body = model.inputs.encode(features)
    if explain is not None:
        body = b"[%b,%d]" % (body, explain)
    digest = step_digest(body)
    version = await _pinned(context, model)
    known = run.recorded.take(context.path, model.name, digest) if run.recorded else None
    if known and known.kind == Kind.FAIL:
        raise as_failure(known.answer)
    if known:
        return _decode(model, to_json(known.answer), explain)
    started = run.services.clock.now()
    held = reserve_or_fail(context, model, digest, body)
    timed = Timed() if model.concurrency is not None or model.batch is not None else None
    asked = Asked(model, version, features, explain, run.record.tenant, run.key, context.turns)
    try:
        answer = await counted(context, answered(run.services, asked, timed))
    finally:
        settle(context, model, digest, held, None)
    at, took, more = measured(run, started, timed)
    run.note(Kind.STEP, context.path, model.name, digest, at, took, body, answer, more)
    if run.services.replay_each:
        await rewind(context)
    return _decode(model, answer, explain)


class Asked(NamedTuple):
    """What one version of a model is asked, and for whom: the answer to `features`, or so many reasons for it."""

    model: Model
    version: int
    features: Any
    explain: int | None
    tenant: str
    key: str
    held: tuple[Turn, ...]


async def answered(services: Services, asked: Asked, timed: Timed | None) -> bytes:
    """The answer or the reasons as JSON, when it is their turn. `timed` is filled in for a model with a line or batch."""
    model = asked.model
    if timed is None:
        return await _score(services, asked, services.offload)
    if model.batch is not None and asked.explain is None:
        gathering = services.gatherings.of(model, asked.tenant, asked.version)
        serve = partial(_score_many, services, model, asked.version)
        return model.output.encode(await gathered(gathering, asked.key, asked.features, serve, timed))
    turn = await services.lines.enter(model, (asked.tenant, asked.key), asked.held)
    timed.waited, timed.began = turn.waited, turn.began
    try:
        return await _score(services, asked, turn.offload(services.offload))
    finally:
        turn.end()


async def _score(services: Services, asked: Asked, offload: Offload) -> bytes:
    """Ask one version of a model, beside the event loop."""
    model, version, features, explain = asked[:4]
    scorer = await ready(services, model, version)
    if explain is None:
        return model.output.encode(await offload(scorer.predict, model, version, features))
    return REASONS.dump_json(await offload(scorer.reasons, model, version, features, explain))


async def _score_many(services: Services, model: Model, version: int, rows: list[Any], turn: Turn) -> Sequence[Any]:
    """Ask one version of a model for many answers at once."""
    scorer = await ready(services, model, version)
    answers: list[Any] = await turn.offload(services.offload)(scorer.predict_many, model, version, rows)
    return answers


async def ready(services: Services, model: Model, version: int) -> Scorer:
    """The scorer with that version loaded."""
    scorer = services.scorer
    if scorer is None:
        raise DeclarationError("P110", "serving models needs onnxruntime", fix="pip install 'parti[ml]'")
    if not scorer.loaded(model.name, version):
        versions = await services.store.models(model.name)
        wanted = next((item for item in versions if item.version == version), None)
        onnx = await services.store.blob(wanted.blob) if wanted else None
        if wanted is None or onnx is None:
            raise ModelError("P601", f"version {version} of `{model.name}` is gone", fix=f"parti train {model.name}")
        await services.offload(scorer.load, model, wanted, onnx)
    return scorer


def latest(services: Services, model: Model) -> ModelVersion:
    """The newest version, or P601."""
    version = services.latest.get(model.name)
    if version is None:
        raise ModelError(
            "P601", f"`{model.name}` has no version yet", place=model.place, fix=f"parti train {model.name}"
        )
    return version


async def _pinned(context: RunContext, model: Model) -> int:
    run = context.run
    if model.name in run.pins:
        return run.pins[model.name]
    if run.recorded and model.name in run.recorded.pins:
        version = run.recorded.pins[model.name]
    else:
        version = latest(run.services, model).version
        run.note(Kind.PIN, context.path, model.name, "", run.services.clock.now(), 0.0, b"null", b"%d" % version)
    run.pins[model.name] = version
    return version


def _decode(model: Model, answer: bytes, explain: int | None) -> Any:
    return model.output.decode(answer) if explain is None else REASONS.validate_json(answer)
