"""Questions: settling each exactly once, by a person, a stand-in or its deadline."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from parti.design.person import Person
from parti.design.question import Question
from parti.engine.entries import Kind, chunk, encode
from parti.engine.machine import Woken, advance
from parti.engine.services import Services
from parti.engine.waiting import EXPIRED, answered
from parti.errors import PayloadError, RunError
from parti.ports.store import QuestionRecord, RunRecord


class Wake(Protocol):
    """Tell the run `run` that the question `id` was settled with `facts`."""

    def __call__(self, run: str, id: str, facts: dict[str, Any], /) -> None: ...


class Questions:
    """The open questions of an engine; each is settled once, however many try at one moment.

    `resting` gives the record of a run that waits outside memory: it is put on record as woken together with the answer.
    """

    def __init__(self, services: Services, resting: Callable[[str], RunRecord | None], wake: Wake) -> None:
        self._services = services
        self._resting = resting
        self._wake = wake
        self._settling: dict[str, str] = {}

    def is_settling(self, run: str) -> bool:
        """Whether an answer to the run is on its way to the disk."""
        return run in self._settling.values()

    async def answer(self, id: str, body: bytes, by: str) -> QuestionRecord:
        """Settle an open question. Raises P308, P309 when it is settled already, P402 when the answer does not fit."""
        question = await self._open(id)
        _fits(question, body)
        return await self._settle(question, answered(body), by)

    async def expire(self, id: str) -> None:
        """Settle a question whose deadline has passed, unless someone was faster."""
        question = await self._services.store.question(id)
        if question is not None and question.state == "open" and id not in self._settling:
            await self._settle(question, EXPIRED, "")

    async def answer_for(self, person: Person, id: str, key: str) -> None:
        """Let a person's declared stand-in answer, if the question is still open."""
        question = await self._services.store.question(id)
        if question is None or question.state != "open" or id in self._settling or person.stand_in is None:
            return
        answer = person.stand_in(Question(question.id, question.run, key, question.who, question.text, question.asked))
        value = await answer if inspect.isawaitable(answer) else answer
        await self.answer(id, to_json(value), f"stand-in for {person.name}")

    async def _open(self, id: str) -> QuestionRecord:
        question = await self._services.store.question(id)
        if question is None:
            raise RunError("P308", f"there is no question {id!r}", fix="list them with `parti questions`")
        run = await self._services.store.run(question.run)
        if run is not None and run.state.ended:
            raise RunError("P309", f"the run {run.id} has ended", fix="list open questions: `parti questions`")
        if question.state != "open" or id in self._settling:
            raise RunError(
                "P309", f"the question {id!r} is {_state(question)}", fix="list open ones: `parti questions`"
            )
        return question

    async def _settle(self, question: QuestionRecord, outcome: bytes, by: str) -> QuestionRecord:
        services = self._services
        self._settling[question.id] = question.run
        try:
            now = services.clock.now()
            expired = outcome == EXPIRED
            settled = question._replace(
                state="expired" if expired else "answered",
                answer=b"" if expired else outcome[9:-1],
                by=by,
                answered=now,
            )
            batch = services.commits.batch
            batch.questions[question.id] = settled
            batch.entries.append((question.run, chunk([_entry(question, outcome, by, now)])))
            resting = self._resting(question.run)
            if resting is not None:
                batch.runs[question.run] = advance(resting, Woken())[0]
            services.commits.touch(3)
            await services.commits.durable()
        finally:
            del self._settling[question.id]
        self._wake(question.run, question.id, from_json(outcome))
        return settled


def _state(question: QuestionRecord) -> str:
    return "being answered" if question.state == "open" else question.state


def _entry(question: QuestionRecord, outcome: bytes, by: str, now: float) -> bytes:
    """The journal entry of a settled question; a settled doubt says what became of the write."""
    if question.answer:
        doubt = json.loads(question.answer)
        told = json.loads(outcome)["value"]
        kind = Kind.DONE if told["happened"] else Kind.UNDONE
        result = to_json(told.get("result"))
        return encode(kind, doubt["key"], doubt["tool"], doubt["digest"], 0, now, 0.0, to_json(by), result, {})
    return encode(Kind.ANSWER, "", question.who, question.id, 0, now, 0.0, to_json(by), outcome, {})


def _fits(question: QuestionRecord, body: bytes) -> None:
    """Raise P402 unless the answer fits the schema that was asked for."""
    import jsonschema  # heavy, and only people's answers need it  # noqa: PLC0415

    try:
        value = from_json(body)
    except ValueError as wrong:
        raise PayloadError(
            "P402", f"the answer is not JSON: {wrong}", fix='write true, "text" or {"field": 1}'
        ) from wrong
    try:
        jsonschema.validate(value, json.loads(question.schema))
    except jsonschema.ValidationError as wrong:
        raise PayloadError(
            "P402", f"the answer does not fit: {wrong.message}", fix=f"it must fit {question.schema.decode()}"
        ) from wrong
