"""What every run of one engine shares: the outside through its ports, the commits, and what is known of models."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parti.design.graph import Design
from parti.design.labelling import Labelling
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine.calling import Offload
from parti.engine.commits import Commits
from parti.engine.embedding_again import Again
from parti.engine.gathering import Gatherings
from parti.engine.rows import Overlay
from parti.engine.turns import Lines, Spawn
from parti.ports.agents import AgentLoop
from parti.ports.chance import Chance
from parti.ports.clock import Clock
from parti.ports.context import Context
from parti.ports.detector import Detector
from parti.ports.embedder import Embedder
from parti.ports.llm import Llms
from parti.ports.scorer import Scorer
from parti.ports.store import ModelVersion, NewEvent, QuestionRecord, Store
from parti.ports.tool_server import ToolServers
from parti.ports.vectors import Nearest
from parti.trust.asking import Asked
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.activation import Activation

log = logging.getLogger("parti")


@dataclass(slots=True, kw_only=True)
class Services:
    """Shared by reference; the loop fills it before the first run starts."""

    design: Design
    store: Store
    clock: Clock
    chance: Chance
    offload: Offload
    commits: Commits
    scorer: Scorer | None
    llms: Llms | None
    agents: AgentLoop | None
    embedder: Embedder | None
    nearest: Nearest | None
    servers: ToolServers | None = None
    allowed: Mapping[str, frozenset[str]]
    """For each runner: "kind target" of every arrow that it, or what it calls, has in the design."""
    labelling: Labelling | None = None
    """Which labels are where; None where labels are not held."""
    detector: Detector | None = None
    """Finds personal data in free texts; None where no gate looks for it."""
    asked: Asked = field(default_factory=Asked)
    acts: bool = field(init=False)
    """Whether labels are held, and a tool writes: then what a run reads is looked for in what it writes."""
    written: frozenset[str] | None = None
    """The texts of the program, once they were wanted."""
    secret: bytes = b""
    """Mixed into the ids that runs draw, so that outsiders cannot foresee them."""
    replay_each: bool = False
    """Start a run again after each of its steps: for tests that replays give the same answers."""
    on_question: Callable[[QuestionRecord], None] = field(init=False)
    """Told of every question that is put."""
    on_wait: Callable[[Activation], None] = field(init=False)
    """Told when a branch of a run begins a durable wait."""
    publish: Callable[[Topic, list[NewEvent]], Awaitable[object]] = field(init=False)
    """Stores events that no run publishes; done once they are on disk."""
    spawn: Spawn = field(init=False)
    """Runs something beside the runs."""
    apart: Callable[[Step | Tool, str, Seconds], Context] = field(init=False)
    """What surrounds a batch function that is called for runs of a tenant, until then."""
    lines: Lines = field(init=False)
    gatherings: Gatherings = field(init=False)
    overlay: Overlay = field(default_factory=Overlay)
    latest: dict[str, ModelVersion] = field(default_factory=dict)
    """The latest version of each model."""
    again: Again = field(default_factory=Again)
    """Vectors of facts that were embedded anew."""
    lists: dict[str, str] = field(default_factory=dict)
    """The digest of the list of tools that is agreed to, of each tool server."""
    remote: dict[str, Tool] = field(default_factory=dict)
    """Tools of tool servers that runs of this process have called, which the design does not have."""
    unseen: set[tuple[str, str]] = field(default_factory=set)
    """Arrows met at run time that the design does not have."""

    def __post_init__(self) -> None:
        self.acts = self.labelling is not None and any(tool.effect == "write" for tool in self.design.all(Tool))
        self.lines = Lines(self.clock)
        self.gatherings = Gatherings(self.clock, self.lines, self._begin_apart)

    def _begin_apart(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self.spawn(work)  # which is set later than this is made

    def meet(self, runner: str, arrow: str) -> bool:
        """Note an arrow that the design does not have; whether it is the first time."""
        if (runner, arrow) in self.unseen:
            return False
        self.unseen.add((runner, arrow))
        log.warning("`%s` %s, which its design does not show", runner, arrow)
        return True
