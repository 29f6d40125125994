"""Lives: a store, an outside, and processes on it that are killed one after the other."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from .child import Life
from .judging import Remains, breaches, remains_of
from .recorder import Fuse, Moment, Recorder

SIGKILLED = -9


class ForkServer:
    """A process that has imported Parti and forks a process for each life."""

    def __init__(self) -> None:
        home = Path(__file__).parent
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{home.name}.child"],
            cwd=home.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self, life: Life) -> int:
        """Let a process live; its exit status, negative for a signal."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(life.as_line() + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the server."""
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


@dataclass
class Chain:
    """Processes that live one after the other on one store, and the outside that outlives them."""

    server: ForkServer
    store: Path
    fenced: bool = True
    published: int = 0
    arrivals: int = 0
    kills: int = 0
    told: list[tuple[str, ...]] = field(default_factory=list)
    """How far each process came."""
    said: str = ""
    """What the last process said when it failed."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="parti")  # the path of a socket must be short
        self.recorder = Recorder(Path(self._folder.name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.recorder.close()
        self._folder.cleanup()

    def life(self, *, publish: int, arrivals: int, operator: bool = True) -> Life:
        """A life in which so many more orders come."""
        self.published += publish
        self.arrivals += arrivals
        return Life(str(self.store), self.recorder.path, self.published, self.arrivals, operator, fenced=self.fenced)

    def killed(self, life: Life, fuse: Fuse) -> None:
        """Let a process live until its fuse kills it."""
        self.ended(life, fuse, SIGKILLED)
        self.kills += 1

    def ended(self, life: Life, fuse: Fuse | None, *wanted: int) -> int:
        """Let a process live, and see it end with one of these exit statuses; which."""
        self.recorder.fuse = fuse
        status = self.server.wait(life)
        self.told.append(tuple(self.recorder.told))
        failure = Path(life.failed)
        self.said = failure.read_text() if failure.exists() else ""
        failure.unlink(missing_ok=True)
        assert status in wanted, f"the process ended with {status}, not {wanted}: {self.said}"
        return status

    def settle(self) -> tuple[Remains, list[str]]:
        """Let a last process finish everything; what is left, and every promise that was broken."""
        self.ended(replace(self.life(publish=0, arrivals=0), last=True), None, 0)
        remains = remains_of(self.store)
        return remains, breaches(remains, self.recorder, self.published, self.arrivals)


def random_fuse(chance: Random) -> Fuse:
    """A moment to die: while starting, in the middle of work, around an effect, or while a commit is on its way."""
    dice = chance.random()
    if dice < 0.15:
        return Fuse(1, Moment.AFTER, chance.random() * 0.06)
    if dice < 0.5:
        return Fuse(chance.randint(1, 6), chance.choice(list(Moment)), chance.random() * 0.005, only="do pay")
    if dice < 0.65:
        return Fuse(
            chance.randint(1, 6),
            chance.choice(list(Moment)),
            chance.random() * 0.005,
            only=chance.choice(["do ship", "look ship", "do published", "look slip"]),
        )
    return Fuse(chance.randint(2, 70), chance.choice(list(Moment)), chance.random() * 0.005)


def killed_and_settled(server: ForkServer, store: Path, seed: int, kills: int) -> tuple[Chain, Remains, list[str]]:
    """Kill processes at random moments, then let the last one finish."""
    chance = Random(seed)
    with Chain(server, store) as chain:
        for _ in range(kills):
            life = chain.life(
                publish=chance.randint(6, 12), arrivals=chance.randint(0, 4), operator=chance.random() < 0.5
            )
            chain.killed(life, random_fuse(chance))
        remains, broken = chain.settle()
    return chain, remains, broken
