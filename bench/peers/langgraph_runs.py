"""Five durable steps in LangGraph: a graph of five nodes, checkpointed to SQLite before each next node."""

from __future__ import annotations

import asyncio
import sqlite3
from argparse import Namespace
from itertools import pairwise
from typing import Any, TypedDict

import aiosqlite
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

from bench.subject import STEPS, arguments, check, report
from bench.timing import Timing, time_runs, time_threads

SETTINGS = (
    "StateGraph of five nodes, durability='sync', one thread_id a run, {}; "
    "WAL (its default), synchronous=FULL; LangSmith tracing off"
)
APIS = {"sync": "SqliteSaver and invoke() from threads", "async": "AsyncSqliteSaver and ainvoke()"}


class Value(TypedDict):
    """The state: one integer."""

    value: int


def add(state: Value) -> Value:
    """One step."""
    return {"value": state["value"] + 1}


async def add_async(state: Value) -> Value:
    """One step, on the event loop."""
    return {"value": state["value"] + 1}


def graph(step: Any) -> StateGraph[Any]:
    """START, five nodes in a row, END."""
    builder = StateGraph(Value)
    names = [START, *(f"step{index}" for index in range(STEPS)), END]
    for name in names[1:-1]:
        builder.add_node(name, step)
    for before, after in pairwise(names):
        builder.add_edge(before, after)
    return builder


def of_thread(number: int) -> Any:
    """The configuration that names a run."""
    return {"configurable": {"thread_id": str(number)}}


def measure(asked: Namespace) -> Timing:
    """Through the blocking API."""
    connection = sqlite3.connect(asked.directory / "langgraph.db", check_same_thread=False)
    saver = SqliteSaver(connection)
    saver.setup()
    connection.execute("PRAGMA synchronous=FULL")
    app = graph(add).compile(checkpointer=saver)

    def run(number: int) -> None:
        answer = app.invoke({"value": number}, of_thread(number), durability="sync")
        check(answer["value"], number)

    timing = time_threads(run, concurrency=asked.concurrency, seconds=asked.seconds)
    connection.close()
    return timing


async def measure_async(asked: Namespace) -> Timing:
    """Through the event loop."""
    async with aiosqlite.connect(asked.directory / "langgraph.db") as connection:
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        await connection.execute("PRAGMA synchronous=FULL")
        app = graph(add_async).compile(checkpointer=saver)

        async def run(number: int) -> None:
            answer = await app.ainvoke({"value": number}, of_thread(number), durability="sync")
            check(answer["value"], number)

        return await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)


def main() -> None:
    """Measure and report. The async API was the faster one from 64 at once on; alone, none was when this was written."""
    asked = arguments()
    api = "async" if asked.api == "best" else asked.api
    timing = measure(asked) if api == "sync" else asyncio.run(measure_async(asked))
    packages = ("langgraph", "langgraph-checkpoint-sqlite", "aiosqlite")
    report(timing.figures(), settings=SETTINGS.format(APIS[api]), packages=packages)


if __name__ == "__main__":
    main()
