"""An agent of five turns in Parti: a durable endpoint in which it calls one tool four times and then answers."""

from __future__ import annotations

import asyncio
import json

from bench.subject import STEPS, arguments, check, report
from bench.timing import time_runs
from parti import System
from parti.adapters.llm.pydantic_ai import PydanticAiProvider
from parti.design.llm import Llm
from parti.ports.llm import Answer, Provider, Request, ToolCall
from parti.testing.script import Script
from parti.wiring import new_engine, open_store, tune_process

STORE = (
    "a durable endpoint, each turn and call a journaled step; Operations.call in the process; SQLite store (WAL, FULL)"
)
SETTINGS = {
    "script": f"{STORE}; the model is a script behind Parti's own port",
    "pydantic": f"{STORE}; the model is Pydantic AI's FunctionModel behind Parti's adapter",
}

desk = System("bench-agents")


@desk.tool(effect="read")
async def add(value: int) -> int:
    """Add one."""
    return value + 1


counter = desk.agent("counter", llm=desk.llm("local", concurrency=1024), tools=[add], instructions="Count.")


@desk.post("/count", concurrency=1024)
async def count(value: int) -> int:
    """The run."""
    return int(await counter.run(str(value)))


def scripted(request: Request) -> Answer:
    """Call the tool until it was called four times, then say what it said plus one."""
    *_, last = request.messages
    turn = len(request.messages) // 2
    value = int(last.text)  # type: ignore[union-attr]
    if turn < STEPS:
        return Answer("", (ToolCall(f"c{turn}", "add", f'{{"value": {value}}}'),), "tools")
    return Answer(str(value + 1))


def of_pydantic(_: Llm) -> Provider:
    """The same through Pydantic AI."""
    from bench.pydantic_agents import model  # noqa: PLC0415 only where it is measured

    return PydanticAiProvider(lambda _: model())


async def main() -> None:
    """Measure and report."""
    asked = arguments()
    tune_process()
    store = open_store(asked.directory / "agents.parti")
    providers = of_pydantic if asked.through == "pydantic" else lambda _: Script(scripted)
    engine = new_engine(desk.design, store, providers=providers)
    await engine.start()

    async def run(number: int) -> None:
        outcome = await engine.call("count", [number])
        check(json.loads(outcome.result), number)

    timing = await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)
    await engine.stop()
    await store.close()
    report(timing.figures(), settings=SETTINGS[asked.through], packages=("parti", "pydantic-ai-slim"))


if __name__ == "__main__":
    asyncio.run(main())
