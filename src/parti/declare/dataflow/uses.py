"""A part is used: what it is given flows into it, and what it answers comes from it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from parti.declare.agent_handles import AgentHandle, LlmHandle, MemoryHandle
from parti.declare.dataflow import calls
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import PLAIN, UNKNOWN, Origin, Value, mixed, weakened, with_origins
from parti.declare.handles import FunctionHandle, ModelHandle, PartHandle, StepHandle, TableHandle, TopicHandle
from parti.design.dataflow import Port, Slot, Use
from parti.design.fields import record_in
from parti.design.memory import Recalled
from parti.design.model import Reason
from parti.design.step import Step
from parti.errors import PartiError
from parti.units import seconds

Named = Mapping[str, Value]


def use(frame: Frame, handle: PartHandle, method: str, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """What the part gives."""
    values = [*given, *named.values()]
    if isinstance(handle, FunctionHandle):
        return _followed(frame, handle.part.function.call, given, named, node)
    note(frame, handle.name, method, values, named, node, misfit=_misfit(handle, method, values))
    match handle:
        case StepHandle():
            names = [parameter.name for parameter in handle.part.function.parameters]
            for name, value in (*zip(names, given, strict=False), *named.items()):
                frame.pour(value, Slot(handle.name, "in", name), frame.place(node))
            function = handle.part.function.call
            if type(handle.part) is Step and not handle.part.function.returns.labels and frame.reader.owns(function):
                return _followed(frame, function, given, named, node)
            return _from(handle.name, "out", handle.part.function.returns.kind)
        case TopicHandle():
            return _into(frame, handle.name, "data", values, node)
        case TableHandle():
            return _table(frame, handle, method, values, node)
        case ModelHandle():
            _into(frame, handle.name, "in", values[:1], node)
            kind = Reason if method == "reasons" else handle.part.output.kind
            return _from(handle.name, "out", kind, exact=method != "reasons")
        case LlmHandle():
            _into(frame, handle.name, "in", values, node)
            asked = named.get("output", PLAIN).thing
            answer = _from(handle.name, "out", None if asked is UNKNOWN else asked)
            return with_origins(answer, mixed(values).origins)
        case AgentHandle():
            _into(frame, handle.name, "in", values, node)
            kind = handle.part.output.kind if method == "run" else None
            return _from(handle.name, "out", kind)
        case MemoryHandle():
            return _memory(frame, handle, method, values, node)
    return mixed(values)


def _followed(frame: Frame, function: object, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """What a part gives whose function is read here too. That it blocks is said of the part itself."""
    if not frame.reader.owns(function):
        return mixed([*given, *named.values()])
    blocks, frame.blocks = frame.blocks, False
    answer = calls.follow(frame, function, given, dict(named), node)
    frame.blocks = blocks
    return answer


def ask(frame: Frame, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """A person is asked. Which one is told by the arrow at the same place."""
    who = _text(node.args[0]) if node.args else ""
    note(frame, who, "asks", given[1:2], named, node, yes=_is_yes(node))
    if who:
        _into(frame, who, "in", given[1:2], node)
        return _from(who, "out", None)
    return PLAIN


def note(
    frame: Frame,
    target: str,
    method: str,
    values: Sequence[Value],
    named: Named,
    node: ast.Call,
    *,
    yes: bool = False,
    misfit: str = "",
) -> None:
    """Note the use itself."""
    use = Use(
        frame.part, method, target, frame.place(node), frame.loop, frame.caught, tuple(sorted(named)), yes, False, misfit,
        _wait(node),
    )  # fmt: skip
    frame.reader.said.add((use, frozenset[Origin]().union(*(value.all for value in values))))


def _wait(node: ast.Call) -> float | None:
    for keyword in node.keywords:
        if keyword.arg == "timeout" and isinstance(keyword.value, ast.Constant) and keyword.value.value is not None:
            try:
                return seconds(keyword.value.value)  # type: ignore[arg-type]
            except PartiError:
                return None
    return None


def _is_yes(node: ast.Call) -> bool:
    given = [one.value for one in node.keywords if one.arg == "default"]
    return bool(given) and isinstance(given[0], ast.Constant) and given[0].value is True


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _into(frame: Frame, part: str, port: Port, values: Sequence[Value], node: ast.Call) -> Value:
    for value in values:
        frame.pour(value, Slot(part, port), frame.place(node))
    return PLAIN


def _from(part: str, port: Port, kind: Any, *, exact: bool = True) -> Value:
    return Value(origins=frozenset({Origin(Slot(part, port), "value", exact)}), kind=kind)


def _table(frame: Frame, handle: TableHandle[Any], method: str, values: Sequence[Value], node: ast.Call) -> Value:
    if method == "put":
        return _into(frame, handle.name, "data", values, node)
    if method == "delete":
        return PLAIN
    chosen = weakened(mixed(values).origins, "choice")
    found = _from(handle.name, "data", handle.part.payload.kind)
    return Value(origins=found.origins | chosen, kind=found.kind)


def _memory(frame: Frame, handle: MemoryHandle, method: str, values: Sequence[Value], node: ast.Call) -> Value:
    if method == "remember":
        return _into(frame, handle.name, "data", values, node)
    if method == "forget":
        return PLAIN
    chosen = weakened(mixed(values).origins, "choice")
    kind = Recalled if method == "recall" else None
    return Value(origins=_from(handle.name, "data", kind, exact=False).origins | chosen, kind=kind)


def _misfit(handle: PartHandle, method: str, values: Sequence[Value]) -> str:
    """The type of what is handed to a topic or table, where it certainly is another than it holds."""
    if not isinstance(handle, TopicHandle | TableHandle) or method not in ("publish", "put") or not values:
        return ""
    made, wanted = values[0].kind, record_in(handle.part.payload.kind)
    fits = not isinstance(made, type) or wanted is None or issubclass(made, wanted)
    return "" if fits or record_in(made) is None else made.__name__
