"""Questions: settling each exactly once, by a person, a stand-in or its deadline."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from parti.design.person import Person
from parti.design.question import Question
from parti.engine.machine import Woken, advance
from parti.engine.services import Services
from parti.engine.waiting import EXPIRED, WITHDRAWN, answered
from parti.errors import PayloadError, RunError
from parti.journal.entries import BLOBS, Kind, chunk, encode
from parti.ports.store import QuestionRecord, Receipt, RunRecord


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
        self._put: dict[str, dict[str, QuestionRecord]] = {}

    def put(self, question: QuestionRecord) -> None:
        """A run put a question, now or before the process started."""
        self._put.setdefault(question.run, {})[question.id] = question

    def withdraw(self, run: str) -> None:
        """The run ended: nobody needs to answer what it still asks. Should it be tried again, it asks again."""
        now, batch = self._services.clock.now(), self._services.commits.batch
        for id, question in self._put.pop(run, {}).items():
            batch.questions[id] = question._replace(state="withdrawn", answered=now)
            if not question.answer:
                entry = encode(Kind.ANSWER, "", question.who, id, 0, now, 0.0, b"null", WITHDRAWN, {})
                batch.entries.append((run, chunk([entry])))

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
        question = await self._stored(id)
        if question is not None and question.state == "open" and id not in self._settling:
            await self._settle(question, EXPIRED, "")

    async def answer_for(self, person: Person, id: str, key: str) -> None:
        """Let a person's declared stand-in answer, if the question is still open."""
        question = await self._stored(id)
        if question is None or question.state != "open" or id in self._settling or person.stand_in is None:
            return
        answer = person.stand_in(Question(question.id, question.run, key, question.who, question.text, question.asked))
        value = await answer if inspect.isawaitable(answer) else answer
        await self.answer(id, to_json(value), f"stand-in for {person.name}")

    async def _stored(self, id: str) -> QuestionRecord | None:
        """A question that the engine itself put: at the latest it is on disk after the present batch."""
        question = await self._services.store.question(id)
        if question is None:
            await self._services.commits.durable()
            question = await self._services.store.question(id)
        return question

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
        commits, now = self._services.commits, self._services.clock.now()
        expired = outcome == EXPIRED
        settled = question._replace(
            state="expired" if expired else "answered",
            answer=b"" if expired else outcome[9:-1],
            by=by,
            answered=now,
        )
        batch = commits.batch
        batch.questions[question.id] = settled
        batch.entries.append((question.run, chunk([_entry(question, outcome, by, now, batch.blobs)])))
        resting = self._resting(question.run)
        if resting is not None:
            batch.runs[question.run] = advance(resting, Woken())[0]
        self._settling[question.id] = question.run
        self._forget(question)
        commits.then(partial(self._settled, question, outcome))  # also when nobody waits for it any more
        commits.touch(3)
        await commits.durable()
        return settled

    def _forget(self, question: QuestionRecord) -> None:
        mine = self._put.get(question.run, {})
        mine.pop(question.id, None)
        if not mine:
            self._put.pop(question.run, None)

    def _settled(self, question: QuestionRecord, outcome: bytes, _: Receipt) -> None:
        del self._settling[question.id]
        self._wake(question.run, question.id, from_json(outcome))


def _state(question: QuestionRecord) -> str:
    return "being answered" if question.state == "open" else question.state


def _entry(question: QuestionRecord, outcome: bytes, by: str, now: float, blobs: BLOBS) -> bytes:
    """The journal entry of a settled question; a settled doubt says what became of the write."""
    if question.answer:
        doubt = json.loads(question.answer)
        told = json.loads(outcome)["value"]
        kind = Kind.DONE if told["happened"] else Kind.UNDONE
        result = to_json(told.get("result"))
        return encode(kind, doubt["key"], doubt["tool"], doubt["digest"], 0, now, 0.0, to_json(by), result, blobs)
    return encode(Kind.ANSWER, "", question.who, question.id, 0, now, 0.0, to_json(by), outcome, blobs)


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
