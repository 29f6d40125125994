"""Stored records as JSON, for people and programs that look at a running system."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from parti.ports.store import JournalRow, QuestionRecord, RunRecord


def run_json(run: RunRecord) -> dict[str, Any]:
    """A run, with its arguments, result and error as values."""
    said = {"arguments": _value(run.arguments), "result": _value(run.result), "error": _value(run.error)}
    return {**run._asdict(), **said}


def question_json(question: QuestionRecord) -> dict[str, Any]:
    """A question, with the schema its answer must fit and the answer, if there is one."""
    return {**question._asdict(), "schema": _value(question.schema), "answer": _value(question.answer)}


def journal_json(row: JournalRow) -> dict[str, Any]:
    """A row of the journal, with its entries as values."""
    return {"seq": row.seq, "entries": _value(row.body)}


def _value(body: bytes) -> Any:
    return from_json(body) if body else None
