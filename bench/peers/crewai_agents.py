"""An agent of five turns in CrewAI: in a flow whose state is persisted to SQLite after the agent's step, or kept nowhere."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import AbstractContextManager
from threading import RLock
from typing import Any

from bench.subject import STEPS, arguments, check, report
from bench.timing import Timing, time_runs

ASKED = arguments()
# CrewAI reads these when it is imported; its files lie with the other databases.
os.environ["CREWAI_STORAGE_DIR"] = str(ASKED.directory)

from crewai import Agent, BaseLLM  # noqa: E402
from crewai.events.utils.console_formatter import set_suppress_console_output  # noqa: E402
from crewai.flow.flow import Flow, FlowState, start  # noqa: E402
from crewai.flow.persistence import SQLiteFlowPersistence, persist  # noqa: E402
from crewai.tools import BaseTool  # noqa: E402
from crewai_core.lock_store import set_lock_backend  # noqa: E402

AGENT = (
    "Agent with one tool over a scripted BaseLLM with function calling, kickoff_async(), an agent for each run at once"
)
QUIET = "telemetry, tracing and console output off"
SETTINGS = {
    "script": f"{AGENT}; called by the one step of a Flow under @persist(SQLiteFlowPersistence): its state is on disk "
    f"after that step, nothing of the turns in it; WAL (its default), synchronous=FULL (SQLite's default), its lock in the process; {QUIET}",
    "memory": f"{AGENT}; nothing is kept; {QUIET}",
}


LOCK = RLock()


def locked(name: str, **_: Any) -> AbstractContextManager[Any]:
    """One process writes, so the lock need not be a file that is looked at four times a second."""
    return LOCK


set_lock_backend(locked)


class Scripted(BaseLLM):
    """Calls the tool until it was called four times, then says what it said plus one."""

    def supports_function_calling(self) -> bool:
        """As any model worth the name."""
        return True

    def get_input_tokens_count(self, *_: Any, **__: Any) -> int:
        """Nothing is counted."""
        return 0

    def call(self, messages: Any, *_: Any, **__: Any) -> Any:
        """One turn."""
        returned = [message["content"] for message in messages if message["role"] == "tool"]
        value = int(returned[-1] if returned else messages[-1]["content"].rpartition(" ")[2])
        if len(returned) + 1 < STEPS:
            function = {"name": "add", "arguments": json.dumps({"value": value})}
            return [{"id": f"c{len(returned) + 1}", "type": "function", "function": function}]
        return str(value + 1)

    async def acall(self, messages: Any, *_: Any, **__: Any) -> Any:
        """The same for the event loop."""
        return self.call(messages)


class Add(BaseTool):
    """Its tool."""

    name: str = "add"
    description: str = "Add one."

    def _run(self, value: int) -> int:
        return value + 1


model = Scripted(model="scripted")
idle: list[Agent] = []
"""Agents that are in no run: one agent cannot be in two."""


async def answer(task: str) -> str:
    """What the agent says to a task after its five turns."""
    agent = (
        idle.pop()
        if idle
        else Agent(role="counter", goal="Count.", backstory="", llm=model, tools=[Add()], cache=False)
    )
    said = await agent.kickoff_async(task)
    idle.append(agent)
    return str(said.raw)


class State(FlowState):
    """What is persisted of a run."""

    task: str = ""
    answer: str = ""


@persist(SQLiteFlowPersistence(str(ASKED.directory / "crewai.db")))
class Count(Flow[State]):
    """The durable run."""

    @start()
    async def count(self) -> str:
        """Its one step."""
        self.state.answer = await answer(self.state.task)
        return self.state.answer


async def in_flow(task: str) -> str:
    """The answer, once it is on disk."""
    return str(await Count(suppress_flow_events=True).kickoff_async(inputs={"task": task}))


async def measure() -> Timing:
    """Through the event loop. Each run is a task of its own, as in a server: CrewAI keeps what it saw in the task's context."""
    ask = answer if ASKED.through == "memory" else in_flow

    async def run(number: int) -> None:
        check(int(await asyncio.create_task(ask(str(number)))), number)

    await run(0)  # it imports the rest of itself
    return await time_runs(run, concurrency=ASKED.concurrency, seconds=ASKED.seconds)


def main() -> None:
    """Measure and report."""
    set_suppress_console_output(True)
    timing = asyncio.run(measure())
    report(timing.figures(), settings=SETTINGS[ASKED.through], packages=("crewai",))


if __name__ == "__main__":
    main()
