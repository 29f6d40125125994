"""Patterns of teams: small plain functions over agents, each of whose turns is a durable step of the run they work in.

Parti reads them like an app's own functions, so a team is drawn from where it is put together. Nothing here is special: copy
one and change it where it does not fit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from parti.errors import AgentStopped, StepFailed

T = TypeVar("T")
Out_co = TypeVar("Out_co", covariant=True)


class Worker(Protocol[Out_co]):
    """What works on a task: an agent."""

    async def run(self, task: Any) -> Out_co:
        """The output. Raises AgentStopped."""
        ...


class Critique(BaseModel):
    """What a critic says of a draft: whether it is good, and else what is wrong with it."""

    good: bool
    remarks: str = ""


class Plan(BaseModel):
    """What a planner wants done, in order."""

    steps: list[str]


class HandOff(BaseModel):
    """What an agent of a group says: an answer, or whom it hands the matter to (`to`) and with what words."""

    to: str | None = None
    text: str


class Vote(BaseModel, Generic[T]):
    """What most agents said: `votes` of the `count` that answered."""

    output: T
    votes: int
    count: int


async def route(
    task: Any, choose: Callable[[Any], Awaitable[str]], agents: Mapping[str, Worker[T]], *, otherwise: str
) -> T:
    """Let the agent work that `choose` names: a step, a classifier, or an agent's `run`. Else that of `otherwise`."""
    name = await choose(task)
    return await agents[name if name in agents else otherwise].run(task)


async def vote(task: Any, agents: Sequence[Worker[T]], *, least: int = 1) -> Vote[T]:
    """What most of the agents say who work on `task` at once; of equals, what was said first in their order.

    An agent that stops or fails has no vote. Raises the last of their errors where fewer than `least` answered.
    """
    said = await asyncio.gather(*(agent.run(task) for agent in agents), return_exceptions=True)
    answers = [answer for answer in said if not isinstance(answer, BaseException)]
    failures = [answer for answer in said if isinstance(answer, BaseException)]
    for failure in failures:
        if not isinstance(failure, AgentStopped | StepFailed) or len(answers) < least:
            raise failure
    votes = Counter(to_json(answer, fallback=str) for answer in answers)
    text, count = votes.most_common(1)[0]
    output = next(answer for answer in answers if to_json(answer, fallback=str) == text)
    return Vote[Any](output=output, votes=count, count=len(answers))


async def refine(task: Any, writer: Worker[T], critic: Worker[Critique], *, rounds: int = 3) -> tuple[T, Critique]:
    """A draft that the critic finds good, or the last of `rounds` drafts; and what the critic said of it."""
    draft = await writer.run(task)
    critique = await critic.run({"task": task, "draft": draft})
    for _ in range(rounds - 1):
        if critique.good:
            break
        draft = await writer.run({"task": task, "draft": draft, "remarks": critique.remarks})
        critique = await critic.run({"task": task, "draft": draft})
    return draft, critique


async def hand_off(task: str, agents: Mapping[str, Worker[HandOff]], *, start: str, hops: int = 5) -> tuple[str, str]:
    """Who gave the answer, and the answer: each agent answers, or hands the matter to another by name.

    Whoever is handed something unknown, or gets it as the last of `hops`, has its words taken as the answer.
    """
    name, words, trail = start, task, [start]
    for _ in range(hops):
        said = await agents[name].run({"task": task, "from": trail[-1], "words": words, "colleagues": list(agents)})
        if said.to is None or said.to not in agents or said.to == name:
            return name, said.text
        words = said.text
        trail.append(name)
        name = said.to
    return name, words


async def plan_and_execute(
    task: str,
    planner: Worker[Plan],
    executor: Worker[str],
    *,
    steps: int = 10,
    replans: int = 2,
) -> list[tuple[str, str]]:
    """What was done, step by step, with what came of each: the planner plans, the executor carries out.

    When a step fails the planner plans anew, `replans` times, knowing what was done and what failed; then the error of the
    step is raised. At most `steps` steps are carried out.
    """
    done: list[tuple[str, str]] = []
    plan = await planner.run({"task": task})
    waiting = list(plan.steps)
    while waiting and len(done) < steps:
        step = waiting.pop(0)
        try:
            done.append((step, await executor.run({"task": task, "step": step, "done": done})))
        except (AgentStopped, StepFailed) as failure:
            if replans == 0:
                raise
            replans -= 1
            plan = await planner.run({"task": task, "done": done, "failed": step, "because": failure.what})
            waiting = list(plan.steps)
    return done


async def supervise(
    task: str, boss: Worker[HandOff], workers: Mapping[str, Worker[str]], *, rounds: int = 10
) -> tuple[str, list[tuple[str, str]]]:
    """The boss's answer, and who did what for it: each round the boss gives one worker something to do, or answers."""
    done: list[tuple[str, str]] = []
    said = HandOff(text="")
    for _ in range(rounds):
        said = await boss.run({"task": task, "workers": list(workers), "done": done})
        if said.to is None or said.to not in workers:
            return said.text, done
        done.append((said.to, await workers[said.to].run(said.text)))
    return said.text, done
