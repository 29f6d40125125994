"""The design of a trial: the part under evaluation and its checker as runs of their own, with no effects outside.

What starts work by itself is left out, and every write is a recorder: its run journals the call as of any write, and
nothing happens. So cases are durable runs like all others, and an evaluation that is cut off goes on where it was.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from traceback import extract_tb
from typing import Any, Final

from pydantic_core import to_json

from parti.design.agent import Agent
from parti.design.budget import NO_COST
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Alikeness, Evaluation, OwnChecker, Score, Trial
from parti.design.function import Function, Parameter
from parti.design.goals import NO_RETRY
from parti.design.graph import Arrow, Design, Part
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.monitor import Monitor
from parti.design.payload import Payload
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.errors import DeclarationError, PartiError, PayloadError, RunError
from parti.mlops.evaluation.cases import Evaluated, case_in, plain_payload
from parti.ports.context import required

AT_ONCE: Final = 10_000
"""Runs of a trial that may be open; how many are at work at once is for who calls them to say."""

STARTING: Final = (Handler, Endpoint, Schedule, Source, Monitor)
"""Parts that start work by themselves, or are started from outside: a trial leaves them out."""

_PLACE: Final = re.compile(r"Place\(file=.*?, line=\d+\)")


def part_under(design: Design, evaluation: Evaluation) -> Evaluated:
    """The part that is evaluated."""
    part = design.by_name[evaluation.of]
    assert isinstance(part, Agent | Model | Handler | Endpoint), "nothing else can be declared as `of`"
    return part


def answering(evaluation: Evaluation) -> str:
    """The name of the runs in which the part works on cases."""
    return f"{evaluation.name}.answer"


def checking(evaluation: Evaluation) -> str:
    """The name of the runs in which what it made is scored."""
    return f"{evaluation.name}.check"


def version_of(design: Design, evaluation: Evaluation, models: Mapping[str, int]) -> str:
    """8 hex digits that name all that answers may depend on: the part and what it calls, and versions of `models`.

    Where something stands in the file does not matter. Plain helper functions are not seen.
    """
    reached = sorted(design.reach(evaluation.of))
    facts = [_PLACE.sub("", repr(design.by_name[name])) for name in reached if name in design.by_name]
    facts += [f"{name} {models[name]}" for name in reached if name in models]
    return blake2b("\n".join(facts).encode(), digest_size=4).hexdigest()


def refuse_what_cannot_be(design: Design, evaluation: Evaluation) -> None:
    """Raise P105 for a write whose answer nobody knows or a tool server, whose tools nobody knows before they are offered, and
    P106 for a person in whose place nobody answers. What the checker calls is looked at like what the part calls."""
    checks = {name for called in evaluation.checking for name in design.reach(called)}
    reached = design.reach(evaluation.of)
    for server in design.all(ToolServer):
        if server.name in reached | checks:
            who = (
                f"`{evaluation.of}`"
                if server.name in reached
                else f"`{evaluation.name}`, which checks `{evaluation.of}`,"
            )
            raise DeclarationError(
                "P105", f"{who} uses the tool server `{server.name}`, whose effects an evaluation cannot hold back",
                place=evaluation.place, fix="evaluate a part, with a checker, that does without it",
            )  # fmt: skip
    reached |= checks
    for tool in design.all(Tool):
        if tool.name in reached and tool.effect == "write" and tool.name not in evaluation.instead:
            _refuse_unknown_answer(tool, evaluation)
    writes = {tool.name for tool in design.all(Tool) if tool.effect == "write"}
    for arrow in (arrow for name in reached - writes for arrow in design.arrows_from(name, "asks")):
        person = design.by_name.get(arrow.target)
        if not (isinstance(person, Person) and person.stand_in):
            raise DeclarationError(
                "P106", f"`{evaluation.of}` asks {arrow.target}, in whose place nobody answers in an evaluation",
                place=evaluation.place, fix=f'declare one with @desk.stand_in("{arrow.target}")',
            )  # fmt: skip


def _refuse_unknown_answer(tool: Tool, evaluation: Evaluation) -> None:
    try:
        tool.function.returns.coerce(None)
    except PayloadError:
        raise DeclarationError(
            "P105",
            f"`{tool.name}` is not called in an evaluation, and nothing says what it returns there",
            place=evaluation.place,
            fix=f"add instead={{{tool.name}: a function that returns {tool.function.returns.name}}}",
        ) from None


def trial_design(design: Design, evaluation: Evaluation, alike: Alikeness) -> Design:
    """The design whose durable endpoints `answering` and `checking` work on cases."""
    part = part_under(design, evaluation)
    kept: list[Part] = [harmless(one, evaluation) for one in design.parts if not isinstance(one, STARTING)]
    answer, check = _answer(design, evaluation, part), _check(evaluation, part, alike)
    callable_ = (one.name for one in kept if isinstance(one, Tool | Step | Model | Llm | Agent))
    tables = (one.name for one in kept if isinstance(one, Table))
    arrows = [
        *design.arrows,
        *_arrows_of(design, part, answer),
        *(Arrow(check.name, "calls", name, evaluation.place, may=True) for name in callable_),
        *(Arrow(check.name, "reads", name, evaluation.place, may=True) for name in tables),
    ]
    return Design(design.name, (*kept, answer, check), tuple(arrows), place=design.place)


def harmless(part: Part, evaluation: Evaluation) -> Part:
    """A tool that nothing outside knows of: a recorder in the place of a write, and what stands in for any other."""
    if not isinstance(part, Tool):
        return part
    stand_in = evaluation.instead.get(part.name)
    if part.effect != "write" and stand_in is None:
        return part
    function = replace(part.function, call=_recorder(stand_in), is_async=True)
    return replace(
        part, function=function, retry=NO_RETRY, idempotent=True, reconcile=None, cost=NO_COST, approval=None, batch=None
    )  # fmt: skip


def _recorder(stand_in: Callable[..., Any] | None) -> Callable[..., Any]:
    async def record(*arguments: Any) -> Any:
        answer = stand_in(*arguments) if stand_in else None
        return await answer if inspect.isawaitable(answer) else answer

    return record


def _arrows_of(design: Design, part: Evaluated, answer: Endpoint) -> Iterable[Arrow]:
    if isinstance(part, Agent | Model):
        return [Arrow(answer.name, "calls", part.name, part.place)]
    return [replace(arrow, source=answer.name) for arrow in design.arrows_from(part.name) if arrow.kind != "consumes"]


def _answer(design: Design, evaluation: Evaluation, part: Evaluated) -> Endpoint:
    """The endpoint whose calls are the part at work. The function of a handler or endpoint is called as it is."""
    name = answering(evaluation)
    match part:
        case Agent():
            function = _function(name, _working(part), (str, dict[str, Any]), part.output, part.place)
            return _endpoint(name, evaluation, function)
        case Model():
            function = _function(name, _predicting(part), (Any,), part.output, part.place)
            return _endpoint(name, evaluation, function)
        case Handler():
            key = f"{part.function.parameters[0].name}.{design.get(Topic, part.topic).key}"
            return replace(_endpoint(name, evaluation, part.function, key), budget=part.budget)
        case Endpoint():
            return replace(_endpoint(name, evaluation, part.function, part.key), budget=part.budget)


def _working(agent: Agent) -> Callable[..., Any]:
    async def work(task: str, variables: dict[str, Any]) -> Any:
        outcome = await required("an evaluation").work(agent.with_variables(variables), task)
        if not outcome.done:
            raise RunError("P705", f"`{agent.name}` stopped after {outcome.turns} turns: {outcome.why}")
        return outcome.output

    return work


def _predicting(model: Model) -> Callable[..., Any]:
    async def predict(features: Any) -> Any:
        return await required("an evaluation").predict(model, model.inputs.coerce(features))

    return predict


def _check(evaluation: Evaluation, part: Evaluated, alike: Alikeness) -> Endpoint:
    made = part.output if isinstance(part, Agent | Model) else part.function.returns

    async def check(facts: dict[str, Any], output: Any, trial: Trial) -> Score:
        case, value = case_in(evaluation, facts), made.decode(to_json(output))
        try:
            return await evaluation.check.score(case, value, trial, alike)
        except PartiError:
            raise
        except Exception as wrong:
            raise RunError("P720", f"{type(wrong).__name__}: {wrong}", place=_place(wrong, evaluation)) from wrong

    name = checking(evaluation)
    function = _function(name, check, (dict[str, Any], Any, Trial), plain_payload(Score), evaluation.place)
    return _endpoint(name, evaluation, function)


def _place(error: BaseException, evaluation: Evaluation) -> Place:
    """The last line that the error passed in the file of the checker."""
    check = evaluation.check
    file = check.function.__code__.co_filename if isinstance(check, OwnChecker) else ""
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return Place(evaluation.place.file, lines[-1] or evaluation.place.line) if lines else evaluation.place


def _function(
    name: str, call: Callable[..., Any], kinds: tuple[Any, ...], returns: Payload, place: Place
) -> Function:  # fmt: skip
    """A function of ours, described as those of apps are."""
    taken: Any = tuple[kinds]  # type: ignore[valid-type]
    names = [*inspect.signature(call).parameters]
    parameters = tuple(
        Parameter(named, plain_payload(kind), required=True) for named, kind in zip(names, kinds, strict=True)
    )
    return Function(name, call, parameters, plain_payload(taken), returns, True, place, "")


def _endpoint(name: str, evaluation: Evaluation, function: Function, key: str | None = None) -> Endpoint:
    return Endpoint(
        name=name, place=evaluation.place, method="POST", path=f"/{name}", function=function, durable=True, key=key,
        body=None, timeout=evaluation.timeout, concurrency=AT_ONCE,
    )  # fmt: skip
