"""Echoing: a gate closes also where a call says again what a stranger wrote, though the flow through the design missed the way.

Only runs that have read something of strangers look, at calls that would do something.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from parti.design.endpoint import Endpoint
from parti.design.guard import Guard
from parti.design.handler import Handler
from parti.design.labelling import at_path
from parti.design.labels import Label, Labelled
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.engine.rows import unpack_row
from parti.errors import PayloadError
from parti.journal.entries import Entry, Kind
from parti.trust.concerns import Concern, typed_labels
from parti.trust.echoes import Echoes

if TYPE_CHECKING:
    from parti.engine.activation import Activation
    from parti.engine.context import RunContext
    from parti.engine.services import Services


def begin(run: Activation) -> None:
    """Let a run know what it reads, if any of the system's tools writes."""
    if not run.services.acts:
        return
    entries = [one for waiting in run.recorded.steps.values() for one in waiting] if run.recorded else []
    run.echoes = Echoes(partial(_written, run.services), partial(_again, run, entries) if entries else None)


def learn(run: Activation, part: Any, value: Any) -> None:
    """Know what a part answered. Of steps only guards say what is ours: any other may hand on what it was given or read inside.

    That is known already; what it says itself is learned only if nothing strange was read before.
    """
    labelling = run.services.labelling
    if run.echoes is None or labelling is None:
        return
    match part:
        case Tool():
            source = part.server or part.name
            run.echoes.learn(source, part.function.returns.kind, value, labelling.fields.get(source, ()))
        case Guard():
            run.echoes.learn(part.name, part.function.returns.kind, value, ())
        case Step() if not run.echoes.is_strange and part.name in labelling.fields:
            run.echoes.learn(part.name, part.function.returns.kind, value, labelling.fields[part.name], ours=False)
        case Table():
            run.echoes.learn(part.name, part.payload.kind, value, labelling.fields.get(part.name, ()))


def learn_input(run: Activation, where: str, kind: Any, value: Any, labelled: Labelled) -> None:
    """Know what the run was given, or what somebody said."""
    if run.echoes is not None:
        run.echoes.learn(where, kind, value, labelled)


def of_call(context: RunContext, tool: Tool, arguments: tuple[Any, ...]) -> list[Concern]:
    """The arguments of a write that say again what a stranger wrote, and that the tool is not cleared for."""
    echoes = context.run.echoes
    if echoes is None or not echoes.is_strange or tool.effect != "write":
        return []
    found = []
    for parameter, value in zip(tool.function.parameters, arguments, strict=True):
        where = echoes.find(parameter.payload.kind, value, partial(_is_minded, tool, parameter.name))
        if where:
            origin = f"what `{where}` says stands in it"
            found.append(Concern(parameter.name, frozenset({Label.UNTRUSTED}), origin))
    return found


def _is_minded(tool: Tool, name: str, path: str) -> bool:
    """Whether strangers may not say what stands at the path of an argument."""
    at = f"{name}.{path}" if path else name
    if Label.UNTRUSTED in at_path(typed_labels(tool), at):
        return False
    return Label.UNTRUSTED not in tool.clearance or any(at_path(((one, Label.UNTRUSTED),), at) for one in tool.control)


def _again(run: Activation, entries: list[Entry], echoes: Echoes) -> None:
    """Know what the journal answers: what is done is not called again, and reads nothing again."""
    for entry in entries:
        part = run.services.design.by_name.get(entry.part) or run.services.remote.get(entry.part)
        if entry.kind not in (Kind.STEP, Kind.READ) or entry.answer is None:
            continue
        with suppress(PayloadError, KeyError, TypeError):
            if isinstance(part, Step | Tool):
                learn(run, part, part.function.returns.decode(to_json(entry.answer)))
            elif isinstance(part, Table):
                for row in [entry.answer] if isinstance(entry.arguments, str) else entry.answer:
                    learn(run, part, unpack_row(part, to_json(row)))


def _written(services: Services) -> frozenset[str]:
    """The texts of the program: in the code of what its runs and steps call, and in the constants that this names.

    Those of tools are none: what they answer is what comes from outside, whatever it was made of.
    """
    if services.written is None:
        found: set[str] = set()
        seen: set[CodeType] = set()
        for part in services.design.parts:
            if isinstance(part, Handler | Endpoint | Schedule | Step):
                _texts_of(part.function.call, found, seen)
        services.written = frozenset(text.casefold() for text in found)
    return services.written


def _texts_of(function: Any, found: set[str], seen: set[CodeType]) -> None:
    code, around = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    waiting = [code] if isinstance(code, CodeType) and code not in seen else []
    while waiting:
        one = waiting.pop()
        seen.add(one)
        for constant in one.co_consts:
            if isinstance(constant, CodeType):
                waiting.append(constant)
            else:
                found.update(text for text in _several(constant) if isinstance(text, str))
        for value in (around[name] for name in one.co_names if name in around):
            found.update(text for text in _several(value) if isinstance(text, str))
            if getattr(value, "__globals__", None) is around:
                _texts_of(value, found, seen)


def _several(value: Any) -> Collection[Any]:
    """A constant, or those in one that cannot be changed: what may be filled at run time is none."""
    return value if isinstance(value, tuple | frozenset) else (value,)
