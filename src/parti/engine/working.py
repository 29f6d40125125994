"""Agents at work: one step of the run, with steps of its own inside, a budget inside those around it, and an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from parti.design.agent import Agent
from parti.design.outcome import Outcome
from parti.engine import remembering, sessions, tainting, veiling
from parti.engine.accounts import NOTHING, Account
from parti.engine.steps import rewind
from parti.engine.stints import Stint
from parti.errors import DeclarationError
from parti.journal.entries import Entry, Kind
from parti.journal.identity import step_digest
from parti.ports.agents import Earlier
from parti.ports.context import CURRENT
from parti.ports.llm import Tell

if TYPE_CHECKING:
    from parti.engine.context import RunContext


async def work(context: RunContext, agent: Agent, task: str, tell: Tell | None) -> Outcome[Any]:
    """See ports.context.Context.

    An agent that is done is never asked again. One that stopped before may go on in another attempt of its run, from
    where its journaled turns end.
    """
    run, uses = context.run, context.uses
    body = asked_of(agent, task)
    digest = step_digest(body)
    before = await sessions.earlier(context, agent) if agent.sessions else Earlier()
    known = run.recorded.take(context.path, agent.name, digest) if run.recorded else None
    if known:
        remembering.restore(context.inside(), run.services.design.by_name)
        tainting.replayed(context, uses, agent)
        left = sessions.after_replay(before, known.answer.get("session"))
        return _kept(context, agent, left, task, outcome_of(agent, known, tell))
    loop = run.services.agents
    if loop is None:
        raise DeclarationError("P110", "agents need the agent loop", fix="make the engine with parti.wiring.new_engine")
    started = run.services.clock.now()
    inside = _inside(context, agent, task)
    said = list[str]()
    so_far: list[Outcome[Any]] = [Outcome(None, "seconds")]
    lefts = [before]
    heard = tell and _noted(tell, said)
    working = loop(
        run.services.design, agent, task, tell=heard, before=before, so_far=so_far.append, summed=lefts.append
    )
    outcome = await _within(inside, working, so_far)
    took = run.services.clock.now() - started
    kind = Kind.STEP if outcome.done else Kind.FAIL
    session = sessions.as_journaled(before, lefts[-1]) if len(lefts) > 1 else None
    packed = _packed(agent, outcome, "".join(said), session)
    run.note(kind, context.path, agent.name, digest, started, took, body, packed)
    if run.services.replay_each:
        await rewind(context)
    return _kept(context, agent, lefts[-1], task, outcome)


def _kept(context: RunContext, agent: Agent, left: Earlier, task: str, outcome: Outcome[Any]) -> Outcome[Any]:
    """The outcome, once the session goes on with it."""
    tainting.read(context, agent.name)
    if outcome.done:
        veiling.learn(context.run, agent, outcome.output)
    if agent.sessions:
        sessions.go_on(context, agent, left, task, outcome)
    return outcome


def asked_of(agent: Agent, task: str) -> bytes:
    """What the journal knows the work by: the task, and the variables of its instructions where it has such."""
    return b'{"task":%b,"variables":%b}' % (to_json(task), agent.given) if agent.given else to_json(task)


def _inside(context: RunContext, agent: Agent, task: str) -> RunContext:
    """The context of the agent's own steps, with its account inside that of its surroundings."""
    inside = context.inside()
    inside.trail = tainting.task_trail(context, agent, task)
    inside.called = context.called  # its own steps replay, as those of a handler do
    if agent.budget is not None:
        recorded = context.run.recorded
        spent = recorded.spent.under(inside.path) if recorded else NOTHING
        inside.account = Account(agent.name, agent.budget, spent, agent.place, context.account)
    return inside


async def _within(inside: RunContext, working: Awaitable[Outcome[Any]], so_far: list[Outcome[Any]]) -> Outcome[Any]:
    """Let the agent work in its own context, for as long as its budget says; then the last `so_far` is its outcome."""
    run = inside.run
    seconds = inside.account.limit.seconds if inside.account else None
    token = CURRENT.set(inside)
    try:
        if seconds is None:
            return await working
        left = max(0.0, seconds - (run.recorded.spent.seconds_under(inside.path) if run.recorded else 0.0))
        limit = asyncio.timeout(left)
        stint = Stint(limit, left, run.services.clock.now)
        inside.stints = (*inside.stints, stint)
        try:
            async with limit:
                return await working
        except TimeoutError:
            if not limit.expired():
                raise
            return so_far[-1]
        finally:
            stint.over()
    finally:
        CURRENT.reset(token)


def outcome_of(agent: Agent, known: Entry, tell: Tell | None) -> Outcome[Any]:
    """An outcome out of the journal. What was said on the way to it is told in one piece."""
    facts = dict(known.answer)
    said = facts.pop("said", facts["text"])
    output = facts.pop("output", None)
    facts.pop("session", None)
    value = agent.output.decode(to_json(output)) if facts["reason"] == "done" else None
    outcome = Outcome(value, **facts)
    if tell is not None and said:
        tell(said)
    return outcome


def _noted(tell: Tell, said: list[str]) -> Tell:
    """`tell`, with all that is told noted in `said`."""

    def both(text: str) -> None:
        said.append(text)
        tell(text)

    return both


def _packed(agent: Agent, outcome: Outcome[Any], said: str, session: list[Any] | None) -> bytes:
    facts = {name: getattr(outcome, name) for name in ("reason", "text", "turns", "usd", "tokens", "tokens_out")}
    if outcome.done:
        facts["output"] = from_json(agent.output.encode(outcome.output))
    if said and said != outcome.text:  # a stream: a replay tells as much
        facts["said"] = said
    if session is not None:
        facts["session"] = session
    return to_json(facts)
