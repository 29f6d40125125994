"""Whose prompt it is: the agent with a prompt file that works where an evaluation looks."""

from __future__ import annotations

from dataclasses import replace

from parti.design.agent import Agent
from parti.design.evaluation import Evaluation
from parti.design.graph import Design
from parti.errors import DeclarationError, UsageError


def prompted_agent(design: Design, evaluation: Evaluation, named: str = "") -> Agent:
    """The agent whose prompt is searched: the evaluated one, or the one that the evaluated part calls, or the one `named`.

    Raises P721 where there is none with a prompt file or more than one, P308 for a name that no agent has.
    """
    reached = design.reach(evaluation.of)
    found = [agent for agent in design.all(Agent) if agent.name in reached]
    if named and design.get(Agent, named) not in found:
        what = f"`{evaluation.name}` tries `{evaluation.of}`, which does not call `{named}`"
        raise UsageError("P721", what, place=evaluation.place, fix="name an agent that it calls")
    filed = [agent for agent in found if agent.template is not None]
    wanted = [agent for agent in found if agent.name == named] if named else _own(filed, evaluation) or filed
    if len(wanted) > 1:
        what = f"`{evaluation.of}` calls several agents with a prompt: {', '.join(agent.name for agent in wanted)}"
        raise UsageError("P721", what, place=evaluation.place, fix=f"say which, as --agent {wanted[0].name}")
    if wanted and wanted[0].template is not None:
        return wanted[0]
    raise _unfiled([*wanted, *found], evaluation)


def with_wording(design: Design, agent: Agent, text: str) -> Design:
    """The design as it would be if `text` stood in the file of the agent's prompt."""
    if text == agent.prompt.text:
        return design
    other = agent.reworded(text)
    return replace(design, parts=tuple(other if part.name == agent.name else part for part in design.parts))


def _own(filed: list[Agent], evaluation: Evaluation) -> list[Agent]:
    return [agent for agent in filed if agent.name == evaluation.of]


def _unfiled(agents: list[Agent], evaluation: Evaluation) -> DeclarationError:
    if not agents:
        what = f"`{evaluation.name}` tries `{evaluation.of}`, and no agent works there"
        return DeclarationError("P721", what, place=evaluation.place, fix="name an evaluation of an agent")
    name = agents[0].name
    return DeclarationError(
        "P721", f"the instructions of `{name}` stand in the program, where no search can write",
        place=agents[0].place,
        fix=f'move their text to prompts/{name}.md, double its braces, and write instructions=Prompt("prompts/{name}.md")',
    )  # fmt: skip
