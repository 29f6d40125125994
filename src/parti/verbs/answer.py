"""Answering a question, once."""

from __future__ import annotations

import json
from getpass import getuser
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.errors import RunError
from parti.ports.store import QuestionRecord, Store
from parti.verbs.target import Target

_WORDS: Final = {"yes": True, "true": True, "no": False, "false": False}


async def answer(target: Target, id: str, text: str, *, by: str = "", token: str = "") -> QuestionRecord:
    """Answer the question `id`; the id of a run stands for the one question it waits for.

    `text` is JSON, one of yes, no, true, false, or plain words where the question wants a text. Raises P308, P309, and
    P402 when the answer does not fit.
    """
    async with target.reading() as store:
        question = await _question(store, id)
    async with target.changing(token) as system:
        return await system.answer(question.id, _value(question, text), by=by or _user())


async def _question(store: Store, id: str) -> QuestionRecord:
    found = await store.question(id)
    if found is not None:
        return found
    waiting = [question for question in await store.questions(limit=1_000_000) if question.run == id]
    if len(waiting) == 1:
        return waiting[0]
    what = f"{id} waits for {len(waiting)} questions" if waiting else f"there is no question {id!r}"
    raise RunError("P308", what, fix="list them with `parti questions`")


def _value(question: QuestionRecord, text: str) -> bytes:
    """The answer as JSON, read with an eye to what was asked for."""
    schema = json.loads(question.schema)
    value = _read(text, schema)
    if schema.get("title") == "InDoubt" and isinstance(value, bool):
        value = {"happened": value}
    return to_json(value)


def _read(text: str, schema: dict[str, Any]) -> Any:
    wants_text = schema.get("type") == "string"
    word = text.strip().lower()
    if word in _WORDS and not wants_text:
        return _WORDS[word]
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:
        return text
    return text if wants_text and not isinstance(value, str) else value


def _user() -> str:
    """Who is at the keyboard."""
    try:
        return getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "operator"
