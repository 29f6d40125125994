"""A conversation of 5,000 turns in Parti: what a turn takes on disk, and how long it takes to go on after a kill.

Either one run of one agent, with a tool call in each turn; or a session, in which each turn is a run of its own under one key.
A child process goes on until the model is asked for the last turn, and is killed there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import statistics
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.subject import report
from bench.venv import ROOT
from parti import System
from parti.journal.entries import decode
from parti.ports.llm import Answer, Request, ToolCall
from parti.wiring import new_engine, open_store, tune_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from parti.ports.store import Store

TURNS = 5000
TURNS_MAX = 100_000
SHOWN = 20
WITHIN_SECONDS = 240.0
RUN = "run:all"
"""The id of the one run: its part and its idempotency key."""
SETTINGS = {
    "run": "one run of an agent with one `read` tool, called in each turn; the process is killed (SIGKILL) while the model "
    "is asked for the last turn, and all before is on disk; resumed: from opening the store in a new process to the end of the run",
    "session": f"one key, a run for each turn, the latest {SHOWN} exchanges shown and kept; killed and resumed as above",
}

desk = System("bench-conversation")


@desk.tool(effect="read")
async def add(value: int) -> int:
    """Add one."""
    return value + 1


llm = desk.llm("local")
counter = desk.agent("counter", llm=llm, tools=[add], instructions="Count.", turns=TURNS_MAX)
talker = desk.agent("talker", llm=llm, instructions="Count.", sessions=SHOWN)


@desk.post("/run", timeout="1h")
async def run(turns: int) -> int:
    """All turns at once: the model is asked to count to `turns`."""
    return int(await counter.run(f"{turns} 0"))


@desk.post("/session", key="user")
async def session(user: str, text: str) -> int:
    """One turn."""
    return int(await talker.run(text))


@dataclass(slots=True)
class Model:
    """Counts: in the run by calling the tool, in the session by saying what it was told plus one."""

    kind: str
    pause: Callable[[int], Awaitable[None]] | None = None
    """Is awaited with the number of the turn before its answer."""
    asked: int = 0
    shown: int = 0
    """Messages in the last request."""

    async def answer(self, _: Any, request: Request, *, tell: Any = None) -> Answer:
        """See ports.llm.Provider."""
        self.asked, self.shown = self.asked + 1, len(request.messages)
        await asyncio.sleep(0)  # as any model that is asked over a wire, it lets others work
        if self.pause is not None:
            await self.pause(self.asked)
        value = int(request.messages[-1].text.split()[-1])
        if self.kind == "run" and value + 1 < int(request.messages[1].text.split()[0]):
            return Answer("", (ToolCall(f"c{value}", "add", f'{{"value": {value}}}'),), "tools")
        return Answer(str(value + 1))

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Killed:
    """What the killed process told of both halves of its turns: processor seconds of all threads, and bytes of journal."""

    cpu_seconds: tuple[float, float]
    bytes: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Resumed:
    """The process after it: how long it took, how often it asked the model, and how much it showed the last time."""

    seconds: float
    asked: int
    shown: int
    answer: int


@asynccontextmanager
async def engine_on(path: Path, model: Model) -> AsyncIterator[Any]:
    """An engine on the store at `path`, whose language model is `model`."""
    store = open_store(path)
    engine = new_engine(desk.design, store, providers=lambda _: model)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
        await store.close()


async def take_turn(engine: Any, kind: str, turns: int, turn: int) -> int:
    """The call that the last turn belongs to, or in a session the turn of that number."""
    arguments = [turns] if kind == "run" else ["ann", str(turn - 1)]
    outcome = await engine.call(kind, arguments, idempotency_key="all" if kind == "run" else str(turn))
    return int(json.loads(outcome.result))


async def wait_written(store: Store, turns: int) -> None:
    """Return once the journal of the run has that many turns, each an answer and a call."""
    while sum(len(decode(row.body)) for row in await store.journal(RUN)) < 2 * turns:
        await asyncio.sleep(0.005)


async def hang(path: Path, kind: str, turns: int) -> None:
    """In the child: up to the last turn; then say what was measured, and wait for the end."""
    seconds: list[float] = []
    sizes: list[int] = []
    started = 0.0
    model = Model(kind)

    async def pause(turn: int) -> None:
        nonlocal started
        if turn not in (turns // 2 + 1, turns):
            return
        seconds.append(time.process_time() - started)
        if kind == "run":
            await wait_written(engine.store, turn - 1)
        sizes.append(await engine.store.size())
        if turn == turns:
            killed = Killed((seconds[0], seconds[1]), (sizes[0], sizes[1] - sizes[0]))
            print(json.dumps(asdict(killed)), flush=True)
            await asyncio.get_running_loop().create_future()
        started = time.process_time()

    model.pause = pause
    async with engine_on(path, model) as engine:
        started = time.process_time()
        for turn in range(turns if kind == "run" else 1, turns + 1):
            await take_turn(engine, kind, turns, turn)


def kill_at_last_turn(path: Path, kind: str, turns: int) -> Killed:
    """What a child process told before it was killed; its store stays at `path`. Raises RuntimeError where it failed."""
    command = [sys.executable, "-m", "bench.parti_conversation", "--directory", str(path.parent), "--kind", kind]
    command += ["--turns", str(turns), "--hang", path.name]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None, "its output is a pipe"
    told = child.stdout.readline()
    child.kill()
    _, errors = child.communicate()
    if child.returncode != -signal.SIGKILL or not told:
        raise RuntimeError(f"the child ended by itself: {errors[-1000:]}")
    figures = json.loads(told)
    return Killed(tuple(figures["cpu_seconds"]), tuple(figures["bytes"]))


async def resume(path: Path, kind: str, turns: int) -> Resumed:
    """Open the store that the child left, and wait for the end of its last turn."""
    model = Model(kind)
    started = time.perf_counter()
    async with engine_on(path, model) as engine:
        answer = await take_turn(engine, kind, turns, turns)
        return Resumed(time.perf_counter() - started, model.asked, model.shown, answer)


def growth(killed: Killed, turns: int) -> tuple[float, float]:
    """Processor seconds and bytes of a turn of the second half, as multiples of those of the first half."""
    share = (turns // 2) / (turns - 1 - turns // 2)
    return killed.cpu_seconds[1] / killed.cpu_seconds[0] * share, killed.bytes[1] / killed.bytes[0] * share


def figures_of(killed: Killed, resumed: list[Resumed], turns: int) -> dict[str, float]:
    """What is reported; the time to resume is the median of the attempts."""
    cpu_growth, bytes_growth = growth(killed, turns)
    return {
        "conversation_turns": turns,
        "cpu_ms_per_turn": 1000 * sum(killed.cpu_seconds) / (turns - 1),
        "cpu_growth": cpu_growth,
        "journal_bytes_per_turn": sum(killed.bytes) / (turns - 1),
        "bytes_growth": bytes_growth,
        "asked_again": max(one.asked for one in resumed) - 1,
        "resume_ms": 1000 * statistics.median(one.seconds for one in resumed),
    }


def measure(directory: Path, kind: str, turns: int, attempts: int) -> dict[str, float]:
    """Kill one process, and resume copies of what it left. Raises RuntimeError for a wrong answer."""
    left = directory / "left"
    left.mkdir()
    killed = kill_at_last_turn(left / "talk.parti", kind, turns)
    resumed = []
    for attempt in range(attempts):
        copy = shutil.copytree(left, directory / f"resumed{attempt}")
        resumed.append(asyncio.run(resume(copy / "talk.parti", kind, turns)))
        if resumed[-1].answer != turns:
            raise RuntimeError(f"{turns} turns gave {resumed[-1].answer}")
    return figures_of(killed, resumed, turns)


def main() -> None:
    """Measure and report; or be the child."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--kind", choices=tuple(SETTINGS), default="run")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--attempts", type=int, default=3)
    parser.add_argument("--hang", default="", help="be the child, on the store of that name")
    asked = parser.parse_args()
    tune_process()  # as `parti up` does
    if asked.hang:
        asyncio.run(asyncio.wait_for(hang(asked.directory / asked.hang, asked.kind, asked.turns), WITHIN_SECONDS))
    else:
        made = measure(asked.directory, asked.kind, asked.turns, asked.attempts)
        report(made, settings=SETTINGS[asked.kind], packages=("parti",))


if __name__ == "__main__":
    main()
