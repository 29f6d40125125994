"""What an operator may change: runs, events, answers to questions, versions of models, and results of evaluations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json
from starlette.requests import Request

from parti.design.model import Model
from parti.design.topic import Topic
from parti.errors import PayloadError
from parti.ports.operations import EVALUATIONS, Operations
from parti.ports.store import ModelVersion
from parti.serve.answers import Answer, json_answer
from parti.serve.records import question_json, run_json
from parti.serve.refusals import body_misfits, not_json, unfit
from parti.serve.requests import header, idempotency_key, read_body, strict_json
from parti.serve.security import Gate
from parti.units import Bytes, Seconds

BODY_SECONDS: Final[Seconds] = 300.0
MODEL_BYTES: Final[Bytes] = 512 * 1024 * 1024
"""The largest upload of a model, as base64 in JSON."""

RESULT_BYTES: Final[Bytes] = 64 * 1024 * 1024
"""The largest result of an evaluation: some 300,000 cases."""

M = TypeVar("M", bound=BaseModel)


class AnswerBody(BaseModel):
    """What ``POST /-/questions/{id}`` takes."""

    model_config = ConfigDict(extra="forbid")
    answer: Any
    by: str = Field(min_length=1, max_length=200)


class VersionBody(BaseModel):
    """What ``POST /-/models/{name}`` takes: `onnx` in base64, `created` in seconds since 1970."""

    model_config = ConfigDict(extra="forbid")
    onnx: Base64Bytes = Field(min_length=1)
    metrics: dict[str, Any] = {}
    about: dict[str, Any] = {}
    code: str = ""
    created: float


class EvaluationBody(BaseModel):
    """What ``POST /-/evaluations`` takes."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(pattern=rf"^{EVALUATIONS}\d{{10}}\.\d{{6}}:.{{1,200}}$")
    result: dict[str, Any]


class Changes:
    """The routes that change something. They return when it is on disk."""

    def __init__(self, operations: Operations, gate: Gate) -> None:
        self._operations = operations
        self._gate = gate

    async def retry(self, request: Request) -> Answer:
        """Start a dead run again."""
        return json_answer(run_json(await self._operations.retry(request.path_params["id"])))

    async def cancel(self, request: Request) -> Answer:
        """End a run that has not ended."""
        return json_answer(run_json(await self._operations.cancel(request.path_params["id"])))

    async def publish(self, request: Request) -> Answer:
        """Publish one JSON value, or one a line (``application/x-ndjson``): all of them or none."""
        topic = self._operations.design.get(Topic, request.path_params["name"])
        tenant, key, many = self._gate.tenant(request), idempotency_key(request), _is_ndjson(request)
        lines = values_of(await read_body(request, within=BODY_SECONDS), many=many)
        try:
            done = await self._operations.publish(
                topic.name, [text for _, text in lines], tenant=tenant, idempotency_key=key
            )
        except PayloadError as wrong:
            raise _bad_line(topic, lines, wrong, many=many) from wrong
        return json_answer({"topic": done.topic, "published": len(done.positions), "positions": done.positions})

    async def answer(self, request: Request) -> Answer:
        """Answer an open question."""
        given = _read(AnswerBody, await read_body(request, within=BODY_SECONDS))
        question = await self._operations.answer(request.path_params["id"], to_json(given.answer), by=given.by)
        return json_answer(question_json(question))

    async def add_version(self, request: Request) -> Answer:
        """Store a new version of a model."""
        model = self._operations.design.get(Model, request.path_params["name"])
        body = await read_body(request, within=BODY_SECONDS, limit=MODEL_BYTES)
        # Decoding and hashing hundreds of megabytes would hold up every other request.
        version, onnx = await asyncio.to_thread(_version, model.name, body)
        stored = await self._operations.add_version(version, onnx)
        return json_answer({"model": stored.model, "version": stored.version, "blob": stored.blob})

    async def add_evaluation(self, request: Request) -> Answer:
        """Keep the result of an evaluation."""
        body = await read_body(request, within=BODY_SECONDS, limit=RESULT_BYTES)
        given = _read(EvaluationBody, body)
        await self._operations.add_evaluation(given.key, to_json(given.result))
        return json_answer({"key": given.key})


Lines = Sequence[tuple[int, bytes]]
"""Values with the number of the line that each stands on, from 1."""


def values_of(body: bytes, *, many: bool) -> Lines:
    """The values of a body: one, or one in each line that is not blank. Raises Refusal 400 when there is none."""
    lines = [(at, line) for at, line in enumerate(body.split(b"\n"), 1) if line.strip()] if many else [(1, body)]
    if not lines or not lines[0][1].strip():
        raise not_json("it is empty")
    return lines


def _is_ndjson(request: Request) -> bool:
    kind = (header(request, "content-type") or "").partition(";")[0].strip().lower()
    return kind == "application/x-ndjson"


def _bad_line(topic: Topic, lines: Lines, wrong: PayloadError, *, many: bool) -> Exception:
    """The same error, naming the line. Only looked for once something is known to be wrong."""
    for number, text in lines:
        try:
            from_json(text, allow_inf_nan=False)
        except ValueError as misread:
            fix = "write one JSON value a line"
            return PayloadError("P405", f"line {number}: {misread}", fix=fix) if many else not_json(str(misread))
        try:
            topic.payload.decode(text)
        except PayloadError as misfit:
            return PayloadError("P402", f"line {number}: {misfit.what}", fix=misfit.fix) if many else misfit
    return wrong


def _version(name: str, body: bytes) -> tuple[ModelVersion, bytes]:
    given = _read(VersionBody, body)
    version = ModelVersion(
        model=name,
        version=0,
        blob=sha256(given.onnx).hexdigest(),
        metrics=to_json(given.metrics),
        about=to_json(given.about),
        code=given.code,
        created=given.created,
    )
    return version, given.onnx


def _read(kind: type[M], body: bytes) -> M:
    """The body as that type. Raises Refusal 422 (P402) naming every field, 400 (P504) for what is not JSON."""
    try:
        return kind.model_validate_json(strict_json(body))
    except ValidationError as wrong:
        raise unfit(body_misfits(wrong), fix="send the fields that are named") from None
