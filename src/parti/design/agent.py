"""An agent: a language model that works on a task in turns, with tools, until it has an output of the declared type."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.budget import Budget
from parti.design.exposure import Exposure
from parti.design.payload import Payload
from parti.design.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Works by `llm`, may call `tools` (tools, steps and other agents, by name), and gives an `output`.

    `version` names its instructions: they are part of what is journaled of each turn. `turns` bounds the model's answers
    for one task; `repairs` says how often an output that does not fit is given back to it. `expose` are the protocols by
    which programs outside may call it, each call being a run of the endpoint ``<name>.served``.
    """

    name: str
    place: Place
    llm: str
    tools: tuple[str, ...]
    output: Payload
    instructions: str
    version: str
    budget: Budget | None
    turns: int
    repairs: int
    expose: tuple[Exposure, ...] = ()
    about: str = ""

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.name}"
