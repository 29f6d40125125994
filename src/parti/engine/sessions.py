"""Sessions: what was said before under a run's key, read as rows are, and what is said now, written as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from parti.design.agent import Agent, session_table
from parti.design.outcome import Outcome
from parti.engine import tainting, veiling
from parti.engine.steps import counted
from parti.errors import RunError
from parti.journal.entries import Kind
from parti.journal.identity import step_digest
from parti.ports.agents import Earlier

if TYPE_CHECKING:
    from parti.engine.context import RunContext

SAID_MAX: Final = 20_000
"""Characters that are kept of a task, and of an answer."""


async def earlier(context: RunContext, agent: Agent) -> Earlier:
    """What was said under the run's key: the same in every replay. Raises P305 without a key."""
    run = context.run
    place = _place(context, agent)
    digest = step_digest(to_json(place[2]))
    known = run.recorded.take(context.path, place[0], digest) if run.recorded else None
    if known:
        return _noted(context, agent, known.answer)
    started = run.services.clock.now()
    held, row = (True, run.rows[place]) if place in run.rows else run.services.overlay.get(place)
    if not held:
        row = await counted(context, run.services.store.row(*place))
    took = run.services.clock.now() - started
    run.note(Kind.READ, context.path, place[0], digest, started, took, to_json(place[2]), row or b"null")
    return _noted(context, agent, from_json(row) if row else None)


def _noted(context: RunContext, agent: Agent, row: Any) -> Earlier:
    """What was said, with what had been read by then noted as read."""
    labels, before = row[3] if row and len(row) > 3 else None, _read(row)
    tainting.read_session(context, agent, labels, any_said=bool(row))
    veiling.learn_session(context.run, agent, before, labels)
    return before


def go_on(context: RunContext, agent: Agent, left: Earlier, task: str, outcome: Outcome[Any]) -> None:
    """Keep what was said now, when the run commits; the oldest goes where there are more than the agent is shown.

    `left` is what is left of what was said before, once a summary took the place of a part.
    """
    if not outcome.done:
        return
    said = outcome.text or agent.output.encode(outcome.output).decode()
    kept = [*left.exchanges, (task[:SAID_MAX], said[:SAID_MAX])][-agent.sessions :]
    labels = tainting.of_session(context.run)
    more: list[Any] = [left.summary] if left.summary else []
    if labels is not None:
        more = [left.summary, labels]
    context.run.rows[_place(context, agent)] = to_json(["session", kept, *more])


def as_journaled(before: Earlier, left: Earlier) -> list[Any]:
    """How `left` follows from `before`: how many exchanges are in the summary now, what those were (a digest), the summary."""
    count = len(before.exchanges) - len(left.exchanges)
    return [count, _digest(before, count), left.summary]


def after_replay(before: Earlier, journaled: list[Any] | None) -> Earlier:
    """What is left of `before` by the journal. All of it, where a person's retry reads another session than there was."""
    if journaled is None:
        return before
    count, digest, summary = journaled
    return Earlier(before.exchanges[count:], summary) if _digest(before, count) == digest else before


def _digest(before: Earlier, count: int) -> str:
    return step_digest(to_json([before.summary, before.exchanges[:count]]))


def _place(context: RunContext, agent: Agent) -> tuple[str, str, str]:
    run = context.run
    if not run.key:
        raise RunError(
            "P305",
            f"`{agent.name}` keeps a session for each key, and {run.record.id} has none",
            place=run.runner.place,
            fix='give the endpoint a key="argument", or the agent sessions=0',
        )
    return (session_table(agent), run.record.tenant, run.key)


def _read(row: Any) -> Earlier:
    """A row: ``["session", [[task, said], …], summary, labels]``, the last two only where there are such."""
    if row is None:
        return Earlier()
    return Earlier(tuple((asked, said) for asked, said in row[1]), row[2] if len(row) > 2 else "")
