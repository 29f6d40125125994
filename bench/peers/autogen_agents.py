"""An agent of five turns in AutoGen: AssistantAgent with one tool, its state written to SQLite after each turn, or kept nowhere."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiosqlite
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import ToolCallExecutionEvent
from autogen_core import FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    ModelInfo,
    RequestUsage,
)

from bench.subject import STEPS, arguments, check, report
from bench.timing import time_runs

AGENT = "AssistantAgent with one tool (max_tool_iterations=5) over a scripted ChatCompletionClient, run_stream(), a new agent each run"
SETTINGS = {
    "script": f"{AGENT}; the JSON of save_state() in a row of SQLite (aiosqlite, one connection), committed after each turn before the next one "
    "(AutoGen leaves the place to its user); WAL, synchronous=FULL",
    "memory": f"{AGENT}; nothing is kept",
}
NOTHING = RequestUsage(prompt_tokens=0, completion_tokens=0)


class Scripted(ChatCompletionClient):
    """Calls the tool until it was called four times, then says what it said plus one."""

    model_info = ModelInfo(
        vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False
    )
    capabilities = model_info

    async def create(self, messages: Any, **_: Any) -> CreateResult:
        """One turn."""
        last = messages[-1]
        turn = sum(isinstance(message, FunctionExecutionResultMessage) for message in messages) + 1
        value = int(last.content[0].content if isinstance(last, FunctionExecutionResultMessage) else last.content)
        if turn < STEPS:
            call = FunctionCall(id=f"c{turn}", name="add", arguments=f'{{"value": {value}}}')
            return CreateResult(finish_reason="function_calls", content=[call], usage=NOTHING, cached=False)
        return CreateResult(finish_reason="stop", content=str(value + 1), usage=NOTHING, cached=False)

    def create_stream(self, *_: Any, **__: Any) -> Any:
        """No agent here asks for it."""
        raise NotImplementedError

    def actual_usage(self) -> RequestUsage:
        """Nothing is counted."""
        return NOTHING

    def total_usage(self) -> RequestUsage:
        """Nothing is counted."""
        return NOTHING

    def count_tokens(self, *_: Any, **__: Any) -> int:
        """Nothing is counted."""
        return 0

    def remaining_tokens(self, *_: Any, **__: Any) -> int:
        """There is always room."""
        return 1_000_000

    async def close(self) -> None:
        """Nothing is held."""


async def add(value: int) -> int:
    """Add one."""
    return value + 1


async def opened(path: Any) -> aiosqlite.Connection:
    """The table of states, one row for each run. Runs share the connection, and by chance its commits."""
    connection = await aiosqlite.connect(path)
    await connection.execute("PRAGMA journal_mode=WAL")
    await connection.execute("PRAGMA synchronous=FULL")
    await connection.execute("CREATE TABLE states (run INTEGER PRIMARY KEY, state TEXT NOT NULL)")
    return connection


async def measure(asked: Any) -> Any:
    """Through the event loop."""
    connection = None if asked.through == "memory" else await opened(asked.directory / "autogen.db")
    client = Scripted()

    async def keep(agent: AssistantAgent, number: int) -> None:
        """What `load_state` needs to go on from here in another process."""
        if connection is not None:
            state = json.dumps(await agent.save_state())
            await connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (number, state))
            await connection.commit()

    async def run(number: int) -> None:
        agent = AssistantAgent("counter", client, tools=[add], system_message="Count.", max_tool_iterations=STEPS)
        async for said in agent.run_stream(task=str(number)):
            if isinstance(said, ToolCallExecutionEvent | TaskResult):
                await keep(agent, number)
            if isinstance(said, TaskResult):
                check(int(said.messages[-1].content), number)  # type: ignore[union-attr]

    timing = await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)
    if connection is not None:
        await connection.close()
    return timing


def main() -> None:
    """Measure and report."""
    asked = arguments()
    timing = asyncio.run(measure(asked))
    report(
        timing.figures(), settings=SETTINGS[asked.through], packages=("autogen-agentchat", "autogen-core", "aiosqlite")
    )


if __name__ == "__main__":
    main()
