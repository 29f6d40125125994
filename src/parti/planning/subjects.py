"""Subjects of a measurement under load: each part that can be called alone without effects outside, as a durable endpoint.

What starts work by itself is left out, and writes are recorders, as in an evaluation: `mlops/evaluation/trials.py` makes both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic_core import to_json

from parti.design.agent import Agent, task_text
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Evaluation, OwnChecker
from parti.design.function import Function
from parti.design.graph import Arrow, Design, Part
from parti.design.handler import Handler
from parti.design.llm import LOCAL, Llm
from parti.design.model import Model
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.errors import PartiError, PayloadError
from parti.mlops.evaluation.cases import plain_payload
from parti.mlops.evaluation.trials import STARTING, answering, harmless, refuse_what_cannot_be, trial_design
from parti.planning.profile import PartKind, Unmeasured
from parti.ports.context import required
from parti.ports.machine import Machine
from parti.units import Seconds

Subjectable = Step | Tool | Model | Agent | Handler | Endpoint | Llm

TIMEOUT: Final[Seconds] = 600.0

AT_ONCE: Final = 64

KINDS: Final[Mapping[type, PartKind]] = {
    Step: "step",
    Tool: "tool",
    Model: "model",
    Agent: "agent",
    Handler: "handler",
    Endpoint: "endpoint",
    Llm: "llm",
}


@dataclass(slots=True, eq=False)
class Subject:
    """A part under measurement: the endpoint that calls it, what it is called with, and the CPU seconds of each call so far."""

    part: Subjectable
    endpoint: str
    arguments: Sequence[tuple[Any, ...]]
    cpu: list[Seconds]

    @property
    def name(self) -> str:
        """The part's name."""
        return self.part.name

    @property
    def kind(self) -> PartKind:
        """Its kind."""
        return KINDS[type(self.part)]


@dataclass(frozen=True, slots=True)
class Bench:
    """The design to run, what is measured in it, and what cannot be, and why.

    `replaced` are parts in whose place something else answers, such as recorders of writes and stand-ins of people: they
    are at work in the measurement, and their times say nothing.
    """

    design: Design
    subjects: tuple[Subject, ...]
    unmeasured: tuple[Unmeasured, ...]
    replaced: frozenset[str]


def arguments_of(part: Part, value: Any) -> tuple[Any, ...]:
    """What a part's endpoint is called with, for one input as JSON value. Raises P402 for one that does not fit.

    A step, tool, handler or endpoint with one parameter takes the value, else a list or an object of all; a model its
    features; an agent its task, or ``{"task", "variables"}``; a language model its prompt.
    """
    match part:
        case Step() | Tool() | Handler() | Endpoint():
            return tuple(part.function.arguments.decode(to_json(_listed(part.function, value))))
        case Model():
            return (part.inputs.decode(to_json(value)),)
        case Agent():
            whole = isinstance(value, dict) and set(value) == {"task", "variables"}
            task, variables = (value["task"], value["variables"]) if whole else (value, {})
            part.with_variables(variables)
            return (task_text(task), variables)
        case Llm() if isinstance(value, str):
            return (value,)
    raise PayloadError("P402", f"`{part.name}` cannot be called with {value!r}", fix="give a language model a text")


def _listed(function: Function, value: Any) -> list[Any]:
    names = [parameter.name for parameter in function.parameters]
    if len(names) == 1:
        return [value]
    if isinstance(value, dict) and set(value) <= set(names):
        return [value.get(parameter.name, parameter.default) for parameter in function.parameters]
    if isinstance(value, list):
        return value
    what = f"`{function.name}` takes {', '.join(names) or 'nothing'}, and not {value!r}"
    raise PayloadError("P402", what, fix="give a list of its arguments, or an object by their names")


def bench_of(design: Design, inputs: Mapping[str, Sequence[tuple[Any, ...]]], machine: Machine, *, paid: bool) -> Bench:
    """Everything that can be measured with these inputs; `paid` says that language models which cost money may be asked."""
    subjects: list[Subject] = []
    unmeasured: list[Unmeasured] = []
    endpoints: list[Endpoint] = []
    arrows: list[Arrow] = []
    for part in design.parts:
        if not isinstance(part, Subjectable | Schedule | ToolServer):
            continue
        why = _why_not(design, part, inputs, paid=paid)
        if why:
            unmeasured.append(Unmeasured(part.name, why))
            continue
        assert isinstance(part, Subjectable)
        evaluation = _evaluation(design, part)
        subject = Subject(part, answering(evaluation), inputs.get(part.name) or [()], [])
        if isinstance(part, Step | Tool | Llm):
            endpoint = _calling(subject, machine)
            arrows.append(Arrow(endpoint.name, "calls", part.name, part.place))
        else:
            made = trial_design(design, evaluation, _alike)
            endpoint = made.get(Endpoint, subject.endpoint)
            arrows += made.arrows_from(endpoint.name)
        endpoints.append(replace(endpoint, concurrency=AT_ONCE, timeout=TIMEOUT, budget=None))
        subjects.append(subject)
    replaced = frozenset(
        part.name
        for part in design.parts
        if isinstance(part, Person) or _is_write(part) or part.name in _instead(design)
    )
    return Bench(_joined(design, endpoints, arrows), tuple(subjects), tuple(unmeasured), replaced)


def _joined(design: Design, endpoints: Sequence[Endpoint], arrows: Sequence[Arrow]) -> Design:
    """One design with all endpoints, over parts that have no effects outside."""
    evaluation = _evaluation(design, endpoints[0]) if endpoints else None
    kept = [harmless(part, evaluation) for part in design.parts if evaluation and not isinstance(part, STARTING)]
    return Design(design.name, (*kept, *endpoints), (*design.arrows, *arrows), place=design.place)


def _is_write(part: Part) -> bool:
    return isinstance(part, Tool) and part.effect == "write"


def _why_not(design: Design, part: Part, inputs: Mapping[str, Sequence[Any]], *, paid: bool) -> str:
    """Why a part cannot be measured; "" where it can."""
    if isinstance(part, Schedule):
        return "a schedule is not called for a measurement: its times come from traffic"
    if isinstance(part, ToolServer):
        return "the tools of a server outside are not called: their times come from traffic"
    if _is_write(part):
        return "a write is never made for a measurement: its times come from traffic"
    if part.name in _instead(design):
        return "an evaluation lets a function stand in for it: its times come from traffic"
    if isinstance(part, Endpoint) and part.agent:
        return f"it is the door of the agent `{part.agent}`, which is measured itself"
    costly = _costly(design, part.name)
    if costly and not paid:
        return f"it asks `{costly}`, which may cost money: allow that with --paid"
    needs_none = isinstance(part, Step | Tool | Handler | Endpoint) and not part.function.parameters
    if not inputs.get(part.name) and not needs_none:
        return f"there is no input for it: let it work first, or give --inputs {part.name}=FILE"
    assert isinstance(part, Subjectable)
    try:
        refuse_what_cannot_be(design, _evaluation(design, part))
    except PartiError as refusal:
        return refusal.what
    return ""


def _costly(design: Design, name: str) -> str:
    """A language model within reach of a part that is not known to be free; "" for none."""
    for llm in design.all(Llm):
        free = llm.target == LOCAL or (llm.price is not None and llm.price.of(1, 1) == 0)
        if not free and llm.name in design.reach(name):
            return llm.name
    return ""


def _evaluation(design: Design, part: Subjectable) -> Evaluation:
    """What `trials` derives a design from: of one part, with all that stands in for tools in any evaluation of the app."""
    anything = plain_payload(Any)
    return Evaluation(
        name=f"{part.name}.measured", place=part.place, of=part.name, data="", input=anything, expected=anything,
        check=OwnChecker(_nothing, ""), gate=None, instead=_instead(design), timeout=TIMEOUT,
    )  # fmt: skip


def _instead(design: Design) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for declared in design.evaluations:
        found.update(declared.instead)
    return found


def _nothing(case: Any, output: Any) -> float:
    return 1.0


async def _alike(one: str, other: str) -> float:
    return 1.0


def _calling(subject: Subject, machine: Machine) -> Endpoint:
    """An endpoint that calls a step, tool or language model, and notes the CPU time of the call."""
    part = subject.part
    name = subject.endpoint
    if isinstance(part, Llm):
        text = plain_payload(str)
        call = _asking(part)
        taken = plain_payload(tuple[str])
        function = Function(name, call, (), taken, text, True, part.place, "")
    else:
        assert isinstance(part, Step | Tool)
        call = _performing(timed(part, subject.cpu, machine))
        function = replace(part.function, name=name, call=call, is_async=True)
    return _endpoint(name, function, part.place)


def _performing(part: Step | Tool) -> Callable[..., Any]:
    async def perform(*arguments: Any) -> Any:
        return await required("a measurement").perform(part, arguments)

    return perform


def _asking(llm: Llm) -> Callable[..., Any]:
    async def ask(prompt: str) -> str:
        said: str = await required("a measurement").ask_llm(llm, prompt, output=plain_payload(str), system="")
        return said

    return ask


def timed(part: Step | Tool, cpu: list[Seconds], machine: Machine) -> Step | Tool:
    """The part, whose function notes the CPU seconds of the process while it is called."""
    call = part.function.call

    async def later(*arguments: Any) -> Any:
        before = machine.cpu()
        try:
            return await call(*arguments)
        finally:
            cpu.append(machine.cpu() - before)

    def now(*arguments: Any) -> Any:
        before = machine.cpu()
        try:
            return call(*arguments)
        finally:
            cpu.append(machine.cpu() - before)

    if part.batch is not None:
        return part
    return replace(part, function=replace(part.function, call=later if part.function.is_async else now))


def _endpoint(name: str, function: Function, place: Place) -> Endpoint:
    return Endpoint(
        name=name, place=place, method="POST", path=f"/{name}", function=function, durable=True, key=None, body=None,
        timeout=TIMEOUT, concurrency=AT_ONCE,
    )  # fmt: skip
