"""A running system without a store: endpoint functions are called directly, idempotency keys are remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.topic import Topic
from parti.errors import PartiError, PayloadError, RunError
from parti.ports.operations import Outcome, Published
from parti.ports.store import JournalRow, ModelVersion, QuestionRecord, RunRecord, State

TOKEN = "a-long-token"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
Ask = Callable[..., httpx.Response]


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(main, 20))


def run_record(id: str, *, part: str = "apply", state: State = State.DONE) -> RunRecord:
    return RunRecord(id, part, "main", "a", state, 1, "", -1, -1, b'["x"]', b"1", b"", 1.0, 1.0, 2.0, 0.0, 0.5, "c0de")


QUESTION = QuestionRecord(
    "q:1", "r:1", "underwriter", "Approve?", b'{"type":"boolean"}', 1.0, 0.0, "open", b"", "", 0.0
)


@dataclass
class FakeStore:
    """The few reads that HTTP needs."""

    kept: dict[str, RunRecord] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    async def run(self, id: str) -> RunRecord | None:
        return self.kept.get(id)

    async def runs(self, **asked: Any) -> list[RunRecord]:
        self.asked = asked
        return list(self.kept.values())

    async def journal(self, run: str) -> list[JournalRow]:
        return [JournalRow(7, run, b'[["begin",{"n":1}]]')]

    async def ends(self) -> dict[tuple[str, int], tuple[int, int]]:
        return {("applications", 1): (0, 3), ("applications", 0): (2, 10)}

    async def cursors(self) -> dict[tuple[str, str, int], int]:
        return {("decide", "applications", 0): 9, ("decide", "applications", 1): 1}

    async def questions(self, **asked: Any) -> list[QuestionRecord]:
        self.asked = asked
        return [QUESTION]


@dataclass
class FakeOperations:
    """Does what Operations promises, in memory."""

    design: Design
    store: Any = field(default_factory=FakeStore)
    published: list[bytes] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    versions: list[tuple[ModelVersion, bytes]] = field(default_factory=list)
    trouble: PartiError | None = None
    answers: dict[str, tuple[bytes, asyncio.Future[bytes]]] = field(default_factory=dict)

    async def call(
        self,
        endpoint: str,
        arguments: Sequence[Any],
        *,
        idempotency_key: str = "",
        tenant: str = "main",
        tell: Any = None,
    ) -> Outcome:
        if self.trouble:
            raise self.trouble
        part = self.design.get(Endpoint, endpoint)
        key = idempotency_key or f"fresh-{len(self.calls)}"
        self.calls.append(
            {"endpoint": endpoint, "arguments": list(arguments), "key": idempotency_key, "tenant": tenant}
        )
        asked = part.function.arguments.encode(tuple(arguments))
        run = f"{endpoint}:{tenant}:{key}"
        if run in self.answers:
            before, future = self.answers[run]
            if before != asked:
                raise RunError("P310", f"the idempotency key {key!r} was used with other arguments")
            return Outcome(run, await asyncio.shield(future), True)
        future = asyncio.get_running_loop().create_future()
        self.answers[run] = (asked, future)
        try:
            result = part.function.returns.encode(await part.function.call(*arguments))
        except PartiError as wrong:
            del self.answers[run]
            wrong.run = run
            raise
        future.set_result(result)
        return Outcome(run, result, False)

    async def answer_plain(self, endpoint: str, arguments: Sequence[Any], *, tenant: str = "main") -> bytes:
        if self.trouble:
            raise self.trouble
        part = self.design.get(Endpoint, endpoint)
        self.calls.append({"endpoint": endpoint, "arguments": list(arguments), "tenant": tenant})
        return part.function.returns.encode(await part.function.call(*arguments))

    async def publish(
        self, topic: str, payloads: Sequence[bytes], *, tenant: str = "main", idempotency_key: str = ""
    ) -> Published:
        payload = self.design.get(Topic, topic).payload
        for index, body in enumerate(payloads):
            try:
                payload.decode(body)
            except PayloadError as wrong:
                raise PayloadError(wrong.code, f"event {index}: {wrong.what}", fix=wrong.fix) from wrong
        self.calls.append({"topic": topic, "tenant": tenant, "key": idempotency_key})
        self.published += payloads
        return Published(topic, [(0, index) for index in range(len(payloads))])

    async def retry(self, run: str) -> RunRecord:
        if run != "r:dead":
            raise RunError("P309", f"{run} is not dead")
        return run_record(run, state=State.QUEUED)

    async def cancel(self, run: str) -> RunRecord:
        return run_record(run, state=State.CANCELLED)

    async def answer(self, question: str, answer: bytes, *, by: str) -> QuestionRecord:
        return QUESTION._replace(id=question, state="answered", answer=answer, by=by)

    async def add_version(self, version: ModelVersion, onnx: bytes) -> ModelVersion:
        self.versions.append((version, onnx))
        return version._replace(version=len(self.versions))

    async def note_reveal(self, place: str, *, by: str) -> None:
        raise NotImplementedError

    async def figures(self) -> dict[str, dict[str, float]]:
        return {"drift": {"psi": 0.1, "empty": float("nan")}}
