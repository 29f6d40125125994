"""An agent of five turns in LangGraph: its prebuilt agent with one tool, checkpointed to SQLite before each next node."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import aiosqlite
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.prebuilt import create_react_agent

from bench.subject import STEPS, arguments, check, report
from bench.timing import Timing, time_runs

SETTINGS = (
    "create_react_agent with one tool over a scripted chat model, AsyncSqliteSaver, durability='sync', one thread_id a run; "
    "WAL (its default), synchronous=FULL; LangSmith tracing off"
)


class Scripted(BaseChatModel):
    """Calls the tool until it was called four times, then says what it said plus one."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        """It knows its tool."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        turn = sum(isinstance(message, ToolMessage) for message in messages) + 1
        value = int(messages[-1].content)  # type: ignore[arg-type]
        call = {"name": "add", "args": {"value": value}, "id": f"c{turn}"}
        said = AIMessage("", tool_calls=[call]) if turn < STEPS else AIMessage(str(value + 1))
        return ChatResult(generations=[ChatGeneration(message=said)])

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return self._generate(messages)


@tool
async def add(value: int) -> int:
    """Add one."""
    return value + 1


async def measure(asked: Any) -> Timing:
    """Through the event loop."""
    async with aiosqlite.connect(asked.directory / "langgraph.db") as connection:
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        await connection.execute("PRAGMA synchronous=FULL")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it moved to another package, which is another name for the same
            agent = create_react_agent(Scripted(), [add], checkpointer=saver, prompt="Count.")

        async def run(number: int) -> None:
            asked_for = {"messages": [("user", str(number))]}
            config = {"configurable": {"thread_id": str(number)}}
            answer = await agent.ainvoke(asked_for, config, durability="sync")  # type: ignore[arg-type]
            check(int(answer["messages"][-1].content), number)

        return await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)


def main() -> None:
    """Measure and report."""
    asked = arguments()
    timing = asyncio.run(measure(asked))
    packages = ("langgraph", "langgraph-checkpoint-sqlite", "aiosqlite")
    report(timing.figures(), settings=SETTINGS, packages=packages)


if __name__ == "__main__":
    main()
