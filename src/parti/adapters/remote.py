"""A running system spoken to over its operator's routes: the part of the operations port that changes something."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from pydantic_core import from_json, to_json

from parti.errors import CODES, Overloaded, PartiError, PayloadError, RunError, StoreError, UsageError
from parti.ports.operations import Published
from parti.ports.store import ModelVersion, QuestionRecord, RunRecord, State
from parti.units import Seconds

TIMEOUT: Final[Seconds] = 60.0
_KINDS: Final = {"2": StoreError, "3": RunError, "4": PayloadError}
"""The class of an error by the first digit of its code."""


class Remote:
    """Implements publish, retry, cancel, answer, add_version and add_evaluation of ports.operations.Operations over HTTP.

    All methods raise what the running system answers, P502 when the token is not the one it was started with, and P506
    when it does not answer.
    """

    def __init__(self, url: str, token: str, *, timeout: Seconds = TIMEOUT) -> None:
        self.url = url
        self._token = token
        self._timeout = timeout
        # The process is on this machine, or one address away: never by way of a proxy.
        self._opener: OpenerDirector = build_opener(ProxyHandler({}))

    async def publish(
        self, topic: str, payloads: Sequence[bytes], *, tenant: str = "main", idempotency_key: str = ""
    ) -> Published:
        """See Operations.publish. A payload must not hold line breaks."""
        headers = {"content-type": "application/x-ndjson", "parti-tenant": tenant}
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        said = await self._post(f"topics/{_segment(topic)}", b"\n".join(payloads), headers)
        return Published(said["topic"], [(partition, offset) for partition, offset in said["positions"]])

    async def retry(self, run: str) -> RunRecord:
        """See Operations.retry."""
        return _run(await self._post(f"runs/{_segment(run)}/retry"))

    async def cancel(self, run: str) -> RunRecord:
        """See Operations.cancel."""
        return _run(await self._post(f"runs/{_segment(run)}/cancel"))

    async def answer(self, question: str, answer: bytes, *, by: str) -> QuestionRecord:
        """See Operations.answer."""
        said = await self._post(f"questions/{_segment(question)}", b'{"answer":%b,"by":%b}' % (answer, to_json(by)))
        return QuestionRecord(**{**said, "schema": _bytes(said["schema"]), "answer": _bytes(said["answer"])})

    async def add_version(self, version: ModelVersion, onnx: bytes) -> ModelVersion:
        """See Operations.add_version."""
        body = {
            "onnx": b64encode(onnx).decode(),
            "metrics": json.loads(version.metrics),
            "about": json.loads(version.about),
            "code": version.code,
            "created": version.created,
        }
        said = await self._post(f"models/{_segment(version.model)}", json.dumps(body).encode())
        return version._replace(version=said["version"], blob=said["blob"])

    async def add_evaluation(self, key: str, result: bytes) -> None:
        """See Operations.add_evaluation."""
        await self._post("evaluations", b'{"key":%b,"result":%b}' % (to_json(key), result))

    async def _post(self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        request = Request(
            f"{self.url}/-/{path}",
            data=body,
            method="POST",
            headers={"content-type": "application/json", **(headers or {}), "authorization": f"Bearer {self._token}"},
        )
        return await asyncio.to_thread(self._send, request)

    def _send(self, request: Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                said: dict[str, Any] = from_json(answer.read())
                return said
        except HTTPError as refused:
            with refused:
                raise _refusal(refused.code, refused.read(), refused.headers.get("retry-after", "")) from None
        except (URLError, OSError, HTTPException, ValueError) as wrong:
            raise UsageError(
                "P506",
                f"the system at {self.url} did not answer: {getattr(wrong, 'reason', wrong)}",
                fix="look at what `parti up` says, and try again",
            ) from wrong


def _refusal(status: int, body: bytes, retry_after: str) -> PartiError:
    """The error that an answer tells of."""
    try:
        facts = from_json(body)
        code, what, fix = facts["code"], facts["error"], facts.get("try", "")
    except (ValueError, KeyError, TypeError):
        code, what, fix = "", "", ""
    if code not in CODES:
        return UsageError("P506", f"the system answered with the status {status}", fix="is it a system of Parti?")
    if code == "P502":
        return UsageError(code, "the running system has another token", fix="set PARTI_TOKEN to the one it was given")
    if status == 503:
        return Overloaded(code, what, fix=fix, retry_after=float(retry_after) if retry_after.isdecimal() else 1.0)
    return _KINDS.get(code[1], UsageError)(code, what, fix=fix)


def _run(said: dict[str, Any]) -> RunRecord:
    packed = {name: _bytes(said[name]) for name in ("arguments", "result", "error")}
    return RunRecord(**{**said, **packed, "state": State(said["state"])})


def _bytes(value: Any) -> bytes:
    return b"" if value is None else to_json(value)


def _segment(text: str) -> str:
    return quote(text, safe="")
