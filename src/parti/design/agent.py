"""An agent: a language model that works on a task in turns, with tools, until it has an output of the declared type."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import to_json

from parti.design.budget import Budget
from parti.design.exposure import Exposure
from parti.design.overflow import Overflow
from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.prompt import Template, version_of_text
from parti.errors import PayloadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Works by `llm`, may call `tools` (tools, steps and other agents, by name), and gives an `output`.

    `version` names its instructions: they are part of what is journaled of each turn. `turns` bounds the model's answers
    for one task; `repairs` says how often an output that does not fit is given back to it. `memory` is the name of what it
    recalls from before its first turn, and may remember and recall in; empty for none. `sessions` is how many
    earlier exchanges under the run's key it is shown; 0 for none. `overflow` says what gives way where a request would be
    larger than the context window; None lets it fail (P703). `template` is where its instructions
    come from a file; `given` are the variables that were put in for the task at hand, as JSON.
    `expose` are the protocols by which programs outside may call it, each call being a run of the endpoint ``<name>.served``.
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
    memory: str = ""
    sessions: int = 0
    overflow: Overflow | None = None
    expose: tuple[Exposure, ...] = ()
    about: str = ""
    template: Template | None = field(default=None, repr=False)
    given: bytes = field(default=b"", repr=False)

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.name}"

    @property
    def prompt(self) -> Template:
        """Its template, which who asks knows to be there."""
        assert self.template is not None, "its instructions stand in the program"
        return self.template

    def with_variables(self, variables: Any) -> Agent:
        """The agent for one task, with `variables` put into its instructions. Raises P402 for such as do not fit."""
        if self.template is None:
            if variables:
                what = f"the instructions of `{self.name}` are no prompt with variables"
                raise PayloadError("P402", what, place=self.place, fix="leave out variables=, or declare a Prompt")
            return self
        text, given = self.template.render(variables if variables is not None else {})
        return replace(self, instructions=text, given=given)

    def given_again(self, given: bytes) -> Agent:
        """The agent for a task whose variables are known as `given`, the JSON of another wording's. Raises P402."""
        variables = self.template.variables if self.template else None
        return self.with_variables(variables.decode(given) if variables and given else {})

    def reworded(self, text: str) -> Agent:
        """The agent as it would be declared if `text` stood in the file of its prompt."""
        template = replace(self.prompt, text=text)
        instructions = template.unfilled
        return replace(
            self, instructions=instructions, version=version_of_text(text), about=first_line(instructions),
            template=template,
        )  # fmt: skip


def first_line(instructions: str) -> str:
    """What an agent is about, as other agents are told."""
    return instructions.split("\n", 1)[0][:200]


def session_table(agent: Agent) -> str:
    """The name under which an agent's sessions are stored; no table of an app can have it."""
    return f"session:{agent.name}"


def task_text(task: Any) -> str:
    """A task as the model reads it: a text as it is, anything else as JSON."""
    return task if isinstance(task, str) else to_json(task).decode()


def name_for_model(name: str) -> str:
    """A part's name as providers allow it: letters, digits, `_` and `-`, at most 64."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]
