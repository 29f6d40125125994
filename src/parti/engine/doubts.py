"""Doubts: writes of which nobody knows whether they happened are put to a person, and the run waits for the word."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic_core import to_json

from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.engine.activation import Activation, Unwinding
from parti.engine.calling import OutOfTime
from parti.engine.limits import in_doubt
from parti.engine.machine import Doubted, HandedBack
from parti.engine.steps import in_words
from parti.journal.identity import question_of_doubt
from parti.ports.store import QuestionRecord
from parti.units import Seconds, duration_text

OPERATOR: Final = "operator"
"""Who is asked about writes in doubt."""


async def park(
    run: Activation, tool: Tool, key: str, digest: str, starts: int, error: Exception | None = None
) -> NoReturn:
    """Set the run aside until a person says whether the write happened."""
    cause = f" ({_cause(tool, error)})" if error else ""
    _ask(run, tool.name, tool.function.returns.schema, key, digest, starts, cause)
    run.doubted.add((tool.name, key))
    await _stand_down(run)


def instead_of_ending(run: Activation, busy: Seconds, *, settled: bool) -> Doubted | HandedBack | None:
    """What happens to a run that would end with writes in doubt: a person is asked, or has just been (`settled`)."""
    if not in_doubt(run.recorded):
        return None
    if settled:  # the journal says more by now than this activation has read
        return HandedBack(busy)
    return Doubted(busy) if _ask_at_the_end(run) else None


def _ask_at_the_end(run: Activation) -> bool:
    """Ask about every write that nobody may repeat and that is in doubt as the run ends for good; whether there is one."""
    asked = False
    for (name, key), known in (run.recorded.writes if run.recorded else {}).items():
        schema = _asked_about(run, name) if known.state == "doubt" else None
        if schema is not None:
            _ask(run, name, schema, key, known.digest, known.starts, " as its run ended")
            asked = True
    return asked


def _asked_about(run: Activation, name: str) -> Mapping[str, Any] | None:
    """The schema of what a tool returns that nobody may call again when in doubt; None for all others."""
    services = run.services
    tool = services.remote.get(name) or services.design.by_name.get(name)
    if isinstance(tool, Tool):
        return None if tool.repeatable else tool.function.returns.schema
    # A tool of a server that this process has not asked yet: rather ask a person once too often.
    return {} if isinstance(services.design.by_name.get(name.partition(".")[0]), ToolServer) else None


def _ask(
    run: Activation, tool: str, returns: Mapping[str, Any], key: str, digest: str, starts: int, cause: str
) -> None:
    question = QuestionRecord(
        id=question_of_doubt(run.record.id, tool, digest, starts),
        run=run.record.id,
        who=OPERATOR,
        text=f"`{tool}` with the key {key!r} was cut off{cause}. Did it happen?",
        schema=_doubt_schema(returns),
        asked=run.services.clock.now(),
        deadline=0.0,
        state="open",
        answer=to_json({"tool": tool, "key": key, "digest": digest}),
        by="",
        answered=0.0,
    )
    run.services.commits.batch.questions[question.id] = question
    run.services.commits.touch()
    run.services.on_question(question)
    run.flush()


async def _stand_down(run: Activation) -> NoReturn:
    """Let other writes that are under way end, then take the run down."""
    ended = run.unwinding is not Unwinding.NO
    if not ended:
        run.unwinding = Unwinding.PARK
    while others := [flying for identity, flying in run.flying.items() if identity not in run.doubted]:
        await asyncio.wait(others)
    if not ended:
        run.take_down()
    if asyncio.current_task() is run.task and run.inside and not ended:
        await asyncio.get_running_loop().create_future()  # until the cancellation arrives
    raise asyncio.CancelledError(Unwinding.PARK.name)


def _cause(tool: Tool, error: Exception) -> str:
    late = f"it took longer than {duration_text(tool.timeout)}"
    return late if isinstance(error, OutOfTime) else f"{type(error).__name__}: {in_words(error)}"


def _doubt_schema(returns: Mapping[str, Any]) -> bytes:
    """The schema of a person's word on a doubt: what the tool would have returned belongs to "it happened"."""
    result = {name: value for name, value in returns.items() if name != "$defs"}
    told = {"properties": {"result": result}, "required": [] if result.get("type") == "null" else ["result"]}
    schema = {
        "title": "InDoubt",
        "type": "object",
        "properties": {"happened": {"type": "boolean"}, "result": {}},
        "required": ["happened"],
        "if": {"properties": {"happened": {"const": True}}},
        "then": told,
        "$defs": returns.get("$defs", {}),
    }
    return to_json(schema)
