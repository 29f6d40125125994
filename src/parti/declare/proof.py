"""What must hold of every design before it may run; each breach is one coded error with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.overflow import Summarise
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.errors import DeclarationError


def prove(design: Design) -> None:
    """Raise the first breach in the order of declaration."""
    for breach in _breaches(design):
        raise breach


def _breaches(design: Design) -> Iterator[DeclarationError]:
    for handler in design.all(Handler):
        yield from _handler(design, handler)
    for endpoint in design.all(Endpoint):
        yield from _endpoint(endpoint)
    for tool in design.all(Tool):
        yield from _tool(tool)
    for part in design.parts:
        if isinstance(part, Step | Tool):
            yield from _batch(design, part)
    for agent in design.all(Agent):
        yield from _prices(design, agent)
    yield from _same_route(design)
    yield from _same_rows(design)
    yield from _cycles(design)


def _handler(design: Design, handler: Handler) -> Iterator[DeclarationError]:
    topic = design.get(Topic, handler.topic)
    parameters = handler.function.parameters
    if len(parameters) != 1:
        yield DeclarationError(
            "P106",
            f"`{handler.name}` takes {len(parameters)} arguments",
            place=handler.place,
            fix="take one: the event",
        )
    elif parameters[0].payload.digest != topic.payload.digest:
        yield DeclarationError(
            "P106",
            f"`{handler.name}` reads `{topic.name}` as {parameters[0].payload.name}, it holds {topic.payload.name}",
            place=handler.place,
            fix=f"write `{parameters[0].name}: {topic.payload.name}`",
        )
    if handler.to:
        yield from _output(handler, design.get(Topic, handler.to))


def _output(handler: Handler, topic: Topic) -> Iterator[DeclarationError]:
    returns = handler.function.returns
    named = {option.strip() for option in returns.name.split("|")} - {"None"}
    if named != {topic.payload.name} and returns.digest != topic.payload.digest:
        yield DeclarationError(
            "P106",
            f"`{handler.name}` returns {returns.name}, `{topic.name}` holds {topic.payload.name}",
            place=handler.place,
            fix=f"return {topic.payload.name}, or publish to another topic",
        )


def _endpoint(endpoint: Endpoint) -> Iterator[DeclarationError]:
    known = {parameter.name for parameter in endpoint.function.parameters}
    for name in re.findall(r"{(\w+)(?::\w+)?}", endpoint.path):
        if name not in known:
            yield DeclarationError(
                "P106",
                f"the path {endpoint.path} names {name!r}, which `{endpoint.name}` does not take",
                place=endpoint.place,
                fix=f"add the argument `{name}: str`",
            )
    if not endpoint.agent and (not endpoint.path.startswith("/") or endpoint.path.startswith("/-/")):
        yield DeclarationError(
            "P105", f"the path {endpoint.path!r} is not free", place=endpoint.place, fix='start with "/", not "/-/"'
        )
    if endpoint.key:
        yield from _path(endpoint.key, endpoint.function, "P105")


def _tool(tool: Tool) -> Iterator[DeclarationError]:
    if tool.effect == "write" and not tool.key:
        yield DeclarationError(
            "P108",
            f"`{tool.name}` writes outside and names no idempotency key",
            place=tool.place,
            fix='add key="argument.field", the value that makes two calls the same',
        )
    if tool.effect == "write" and tool.retry.attempts > 1 and not tool.repeatable:
        yield DeclarationError(
            "P105",
            f"`{tool.name}` may not be tried again: nobody would know whether it happened twice",
            place=tool.place,
            fix="say idempotent=True, give reconcile=, or drop retry=",
        )
    if tool.key:
        yield from _path(tool.key, tool.function, "P108")


def _batch(design: Design, part: Step | Tool) -> Iterator[DeclarationError]:
    """A batch serves several runs: what it did with parts would belong to none of them, and a write has one key."""
    if part.batch is None:
        return
    if isinstance(part, Tool) and part.effect == "write":
        yield DeclarationError(
            "P105",
            f"`{part.name}` writes outside and has batch=",
            place=part.place,
            fix="drop batch=: each write has a key, a fence and an answer of its own; concurrency= may bound them",
        )
    for arrow in design.arrows_from(part.name):
        if arrow.kind != "asks":
            yield DeclarationError(
                "P106",
                f"the batch function `{part.name}` {arrow.kind} `{arrow.target}`, for several runs at once",
                place=arrow.place,
                fix=f"use `{arrow.target}` in the run, before or after it calls `{part.name}`",
            )


def _prices(design: Design, agent: Agent) -> Iterator[DeclarationError]:
    """No list knows the price of a server that is named by its URL, and without one no dollars can be reserved."""
    if agent.budget is None or agent.budget.usd is None:
        return
    summarising = [agent.overflow.by] if isinstance(agent.overflow, Summarise) else []
    asked = [design.get(Llm, name) for name in dict.fromkeys([agent.llm, *summarising])]
    names = dict.fromkeys(name for one in asked for name in (one.name, *one.fallbacks))
    for llm in (design.get(Llm, name) for name in names):
        if llm.price is None and "://" in llm.target:
            yield DeclarationError(
                "P710",
                f"`{agent.name}` has a budget of dollars, and nobody knows what `{llm.name}` costs",
                place=llm.place,
                fix="declare price=Price(input=…, output=…), of 0 where it costs nothing; or bound tokens=",
            )


def _path(path: str, function: Function, code: str) -> Iterator[DeclarationError]:
    """The first name of a path such as ``letter.application_id`` must be an argument, the second a field of it."""
    first, *rest = path.split(".")
    parameter = next((p for p in function.parameters if p.name == first), None)
    if parameter is None:
        fields: list[str] = [p.name for p in function.parameters]
    else:
        fields = list(_fields(parameter.payload.schema))
        if not rest or not fields or rest[0] in fields:
            return
    yield DeclarationError(
        code, f"the key {path!r} is nothing that `{function.name}` is given", place=function.place,
        fix=f"start with one of: {', '.join(fields)}" if parameter is None else f"one of: {', '.join(fields)}",
    )  # fmt: skip


def _fields(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})


def _same_route(design: Design) -> Iterator[DeclarationError]:
    seen: dict[tuple[str, str], Endpoint] = {}
    for endpoint in design.all(Endpoint):
        other = seen.setdefault((endpoint.method, re.sub(r"{\w+", "{", endpoint.path)), endpoint)
        if other is not endpoint:
            yield DeclarationError(
                "P104",
                f"`{endpoint.name}` and `{other.name}` both answer {endpoint.method} {endpoint.path}",
                place=endpoint.place,
                fix="change one path",
            )


def _same_rows(design: Design) -> Iterator[DeclarationError]:
    """The facts of a memory are rows of a table of their own."""
    for memory in design.all(Memory):
        table = design.by_name.get(f"memory:{memory.name}")
        if table is not None:
            yield DeclarationError(
                "P104", f"`{table.name}` is where the facts of `{memory.name}` lie", place=table.place, fix="rename it"
            )


def _cycles(design: Design) -> Iterator[DeclarationError]:
    names = {endpoint.name for endpoint in design.all(Endpoint)}
    for endpoint in design.all(Endpoint):
        path = _way_back(design, endpoint.name, names)
        if path:
            yield DeclarationError(
                "P107", f"endpoints call each other in a cycle: {' -> '.join(path)}", place=endpoint.place,
                fix="publish an event instead of one of the calls",
            )  # fmt: skip


def _way_back(design: Design, start: str, names: set[str]) -> list[str]:
    """The shortest chain of calls between endpoints that leads from `start` back to it."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop(0)
        for arrow in design.arrows_from(path[-1], "calls"):
            if arrow.target == start:
                return [*path, start]
            if arrow.target in names and arrow.target not in seen:
                seen.add(arrow.target)
                paths.append([*path, arrow.target])
    return []
