"""What is measured: the subjects of the comparison, and the scenarios that Parti runs alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.process import Figures, measure, median
from bench.venv import Environment

ROW_BYTES = 128
"""The size of a row of the floor when Parti's own rows could not be measured."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the comparison: a module, and the packages it needs in the peers' environment (none: runs in Parti's)."""

    name: str
    key: str
    module: str
    packages: tuple[str, ...] = ()
    apis: tuple[str, ...] = ("best",)
    options: tuple[str, ...] = ()
    environment: str = "peers"
    """In which of the peers' environments (bench.venv) its packages are."""


SUBJECTS = (
    Subject("Parti", "parti", "bench.parti_runs"),
    Subject("Parti fenced", "parti", "bench.parti_runs", options=("--fenced",)),
    Subject(
        "LangGraph", "langgraph", "bench.peers.langgraph_runs", ("langgraph", "langgraph-checkpoint-sqlite", "aiosqlite"),
        ("sync", "async"),
    ),
    Subject("DBOS", "dbos", "bench.peers.dbos_runs", ("dbos",), ("sync", "async")),
    Subject("Burr", "burr", "bench.peers.burr_runs", ("apache-burr", "aiosqlite"), ("sync", "async")),
    Subject("SQLite floor", "floor", "bench.floor"),
)  # fmt: skip


AUTOGEN, CREWAI = ("autogen-agentchat", "autogen-core", "aiosqlite"), ("crewai",)
AGENTS = (
    Subject("Parti agent", "agents", "bench.parti_agents"),
    Subject("Parti agent over Pydantic AI's model layer", "agents", "bench.parti_agents", options=("--through", "pydantic")),
    Subject("LangGraph prebuilt agent", "agents", "bench.peers.langgraph_agents", ("langgraph", "langgraph-checkpoint-sqlite", "aiosqlite")),
    Subject("AutoGen agent, state saved after each turn", "agents", "bench.peers.autogen_agents", AUTOGEN),
    Subject("AutoGen agent, not durable", "agents", "bench.peers.autogen_agents", AUTOGEN, options=("--through", "memory")),
    Subject("CrewAI agent in a persisted flow, no turn durable", "agents", "bench.peers.crewai_agents", CREWAI, environment="crewai"),
    Subject("CrewAI agent, not durable", "agents", "bench.peers.crewai_agents", CREWAI, options=("--through", "memory"), environment="crewai"),
    Subject("Pydantic AI agent, not durable", "agents", "bench.pydantic_agents", options=("--through", "agent")),
    Subject("floor: Pydantic AI's model layer in a loop, not durable", "agents", "bench.pydantic_agents", options=("--through", "floor")),
)  # fmt: skip
"""Agents of five turns with one tool and an instant model."""

AGENTS_AT_ONCE = (1, 16)


@dataclass(frozen=True, slots=True)
class Alone:
    """A scenario in words: a title, a module, its options."""

    title: str
    key: str
    module: str
    options: tuple[str, ...] = ()
    repeated: bool = True
    """Whether it is measured for some seconds in each round, or once as it is."""
    packages: tuple[str, ...] = ()
    """What it needs in the environment `simulation` (none: runs in Parti's)."""


LOOP = ("--kind", "loop")
ALONE = (
    Alone("events, publish to decided", "events", "bench.parti_events"),
    Alone("HTTP: bare Starlette hello", "http", "bench.hello", ("--concurrency", "64")),
    Alone("HTTP: Parti plain GET of a row", "http", "bench.parti_http", ("--kind", "get")),
    Alone("HTTP: Parti durable POST", "http", "bench.parti_http", ("--kind", "post")),
    Alone("memory with a long queue", "memory", "bench.parti_memory", repeated=False),
    Alone("conversation of 5,000 turns in one run, killed", "conversation", "bench.parti_conversation", repeated=False),
    Alone(
        "conversation of 5,000 turns in a session, killed", "conversation", "bench.parti_conversation", ("--kind", "session"),
        repeated=False,
    ),
    Alone("start", "start", "bench.parti_start", repeated=False),
    Alone("simulation of a row of stations: Parti", "simulation", "bench.parti_simulation"),
    Alone("simulation of a row of stations: SimPy", "simulation", "bench.peers.simpy_simulation", packages=("simpy",)),
    Alone("simulation of a row of stations: Ciw", "simulation", "bench.peers.ciw_simulation", packages=("ciw",)),
    Alone("simulation of a loop: Parti", "simulation", "bench.parti_simulation", LOOP),
    Alone("simulation of a loop: SimPy", "simulation", "bench.peers.simpy_simulation", LOOP, packages=("simpy",)),
    Alone("simulation of a loop: Ciw", "simulation", "bench.peers.ciw_simulation", LOOP, packages=("ciw",)),
    Alone("simulation with retries: Parti", "simulation", "bench.parti_simulation", ("--kind", "retries")),
    Alone("simulation in a new process: Parti", "simulation", "bench.parti_simulation", ("--kind", "start"), repeated=False),
    Alone("labels: off, held, traced", "labels", "bench.parti_labels", repeated=False),
    Alone("parti check of 200 parts", "check", "bench.parti_check", repeated=False),
)  # fmt: skip
KEYS = tuple(dict.fromkeys([*(one.key for one in (*SUBJECTS, *AGENTS)), *(scenario.key for scenario in ALONE)]))


@dataclass(slots=True)
class Bench:
    """One run of the harness: where, how long, how often, and what."""

    scratch: Path
    environments: Mapping[str, Environment]
    say: Say
    seconds: float = 3.0
    rounds: int = 3
    concurrencies: tuple[int, ...] = (1, 64, 512)
    only: tuple[str, ...] = KEYS
    all_apis: bool = False
    events: int = 100_000
    row_bytes: int = field(default=ROW_BYTES)

    def compare(self, subjects: tuple[Subject, ...] = SUBJECTS, concurrencies: tuple[int, ...] = ()) -> list[Figures]:
        """The comparison, a row for each subject and concurrency. Rounds interleave, so that noise meets all alike."""
        rows: dict[tuple[str, int], list[Figures]] = {}
        for number in range(self.rounds):
            for concurrency in concurrencies or self.concurrencies:
                for name, subject, api in self._chosen(subjects):
                    self.say(f"round {number + 1} of {self.rounds}: {name}, {concurrency} at once")
                    figures = self._compared(subject, concurrency, api)
                    rows.setdefault((name, concurrency), []).append(figures)
        return [{"subject": name, "concurrency": number, **median(made)} for (name, number), made in rows.items()]

    def alone(self) -> list[Figures]:
        """The scenarios of Parti alone, a row each. Rounds interleave here, too."""
        rows: dict[str, list[Figures]] = {}
        for number in range(self.rounds):
            for scenario in ALONE:
                if scenario.key in self.only and (scenario.repeated or number == 0):
                    self.say(f"round {number + 1} of {self.rounds}: {scenario.title}")
                    rows.setdefault(scenario.title, []).append(self._measured(scenario))
        return [{"scenario": title, **median(made)} for title, made in rows.items()]

    def _measured(self, scenario: Alone) -> Figures:
        python: Path | str = sys.executable
        if scenario.packages:
            environment = self.environments["simulation"]
            lacking = environment.lacks(scenario.packages)
            if lacking:
                return {"error": lacking}
            python = environment.python
        return measure(python, scenario.module, self._options(scenario), scratch=self.scratch)

    def _options(self, scenario: Alone) -> tuple[str, ...]:
        if scenario.repeated:
            return (*scenario.options, "--seconds", str(self.seconds))
        return (*scenario.options, "--events", str(self.events)) if scenario.key == "memory" else scenario.options

    def _chosen(self, subjects: tuple[Subject, ...]) -> Iterator[tuple[str, Subject, str]]:
        for subject in subjects:
            if subject.key in self.only:
                for api in subject.apis if self.all_apis else ("best",):
                    yield (subject.name if api == "best" else f"{subject.name} ({api})"), subject, api

    def _compared(self, subject: Subject, concurrency: int, api: str) -> Figures:
        python: Path | str = sys.executable
        if subject.packages:
            environment = self.environments[subject.environment]
            lacking = environment.lacks(subject.packages)
            if lacking:
                return {"error": lacking}
            python = environment.python
        options = ["--concurrency", str(concurrency), "--seconds", str(self.seconds), "--api", api]
        options += ["--row-bytes", str(self.row_bytes), *subject.options]
        figures = measure(python, subject.module, options, scratch=self.scratch)
        # The floor comes last, so that it writes rows of the size that Parti's steps take in its journal.
        if not subject.options:
            self.row_bytes = round(figures.get("journal_bytes_per_step", self.row_bytes))
        return figures
