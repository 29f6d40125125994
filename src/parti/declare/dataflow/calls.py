"""``callee(arguments)``: a part is used, a function of the app is followed, a record is made, a library mixes what it gets."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Sequence
from types import FunctionType
from typing import Any, Final

from parti.declare import inside
from parti.declare.dataflow import uses
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.libraries import RETURNS, name_of, note_library
from parti.declare.dataflow.values import (
    PLAIN,
    Bound,
    Closure,
    Of,
    Used,
    Value,
    field_of,
    mixed,
    unseen,
    with_origins,
)
from parti.declare.handles import PartHandle
from parti.design.dataflow import Slot
from parti.design.fields import fields_of, record_in

DEEPEST: Final = 12
MOST: Final = 4_000
"""Statements read for one part, each as often as it is read; what is called beyond that mixes what it is given."""

_ITEMS_MAX: Final = 64
"""Items of a collection that are kept apart."""

_CHANGING: Final = frozenset(
    {"append", "appendleft", "extend", "add", "insert", "update", "setdefault", "put_nowait", "write", "writelines"}
)

Named = dict[str, Value]


def call(frame: Frame, callee: Value, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """What the call gives; what it does is noted."""
    thing = callee.thing
    match thing:
        case Used():
            return uses.use(frame, thing.handle, thing.method, given, named, node)
        case PartHandle():
            return uses.use(frame, thing, "", given, named, node)
        case Closure():
            return _follow_closure(frame, thing, given, named)
        case Bound() if frame.reader.owns(thing.function):
            if record_in(thing.receiver.kind) is None and not isinstance(thing.receiver.thing, type):
                _change(frame, node.func, thing.receiver, [*given, *named.values()])
            return follow(frame, thing.function, [thing.receiver, *given], named)
        case Of():
            return _method(frame, thing, given, named, node)
        case type():
            return _make(frame, thing, given, named, node)
        case FunctionType() if frame.reader.owns(thing):
            return follow(frame, thing, given, named)
    if thing is inside.ask:
        return uses.ask(frame, given, named, node)
    if thing is inside.tell:
        frame.pour(Value(origins=unseen(mixed(given).all)), Slot(frame.part, "out"), frame.place(node))
        return PLAIN
    if thing is asyncio.to_thread and given:
        return _in_thread(frame, given, named, node)
    if thing is asyncio.gather:
        return Value(items=tuple(given))
    return _leave(frame, callee, given, named, node)


def follow(frame: Frame, function: FunctionType, given: Sequence[Value], named: Named) -> Value:
    """Read a function of the app with these arguments; what it returns, or yields."""
    reader, code = frame.reader, function.__code__
    node = reader.source.node_of(code)
    if node is None or not _may_follow(frame) or _is_inside(frame, function):
        if not _is_inside(frame, function):
            why = "its source cannot be read" if node is None else "too much is called from here"
            reader.doubt(frame, f"`{code.co_name}` is not followed: {why}")
        return mixed([*given, *named.values()])
    bound = bind(node.args, given, named)
    free: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            free[name] = cell.cell_contents
        except ValueError:  # nothing was stored in it yet
            continue
    inner = Frame(
        reader, frame.part, code.co_filename, function.__globals__, bound, frame, frame.blocks, frame.depth + 1,
        frame.loop, frame.caught, frame.conditions, free=free, line=frame.line,
    )  # fmt: skip
    inner.outer = None
    reader.open.append(code)
    found = reader.run(inner, node)
    reader.open.pop()
    return found


def _may_follow(frame: Frame) -> bool:
    return frame.depth < DEEPEST and frame.reader.effort < MOST


def _is_inside(frame: Frame, function: FunctionType) -> bool:
    return frame.reader.open.count(function.__code__) > 1


def _follow_closure(frame: Frame, closure: Closure, given: Sequence[Value], named: Named) -> Value:
    reader = frame.reader
    if closure.node in reader.nested or not _may_follow(frame):
        if closure.node not in reader.nested:
            reader.doubt(frame, "a nested function is not followed: too much is called from here")
        return mixed([*given, *named.values()])
    outer = closure.frame
    inner = Frame(
        reader, frame.part, outer.file, outer.names, bind(closure.node.args, given, named), outer, frame.blocks,
        frame.depth + 1, frame.loop, frame.caught, frame.conditions, line=frame.line,
    )  # fmt: skip
    reader.nested.append(closure.node)
    found = reader.run(inner, closure.node)
    reader.nested.pop()
    return found


def bind(parameters: ast.arguments, given: Sequence[Value], named: Named) -> dict[str, Value]:
    """What each parameter is when it is called so."""
    names = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
    bound = dict(zip(names, given, strict=False))
    rest = {name: value for name, value in named.items() if name not in names}
    bound.update({name: value for name, value in named.items() if name in names})
    for one in parameters.kwonlyargs:
        bound[one.arg] = rest.pop(one.arg, PLAIN)
    if parameters.vararg:
        bound[parameters.vararg.arg] = Value(items=tuple(given[len(names) :]))
    if parameters.kwarg:
        bound[parameters.kwarg.arg] = Value(fields=rest)
    return {**{name: PLAIN for name in names}, **bound}


def _make(frame: Frame, cls: type, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """A record is made: each field is what it is given, unless the type has validators that see all of it."""
    fields = fields_of(cls)
    if not fields:
        note_library(frame, cls, given, named, node)
        _run_handed(frame, given, named, node)
        return mixed([*given, *named.values()], kind=cls)
    values = {**dict(zip(fields, given, strict=False)), **named}
    made = Value(fields={name: value for name, value in values.items() if name in fields}, kind=cls)
    return _blurred(made, cls, values) if _sees_all(cls) or len(given) > len(fields) else made


def _sees_all(cls: type) -> bool:
    decorators = getattr(cls, "__pydantic_decorators__", None)
    return bool(decorators and (decorators.model_validators or decorators.root_validators))


def _blurred(made: Value, cls: type, values: Named) -> Value:
    whole = mixed([*values.values(), made])
    return Value(fields={name: whole for name in fields_of(cls)}, kind=cls)


def _method(frame: Frame, of: Of, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    receiver, name = of.receiver, of.name
    record = receiver.thing if isinstance(receiver.thing, type) else record_in(receiver.kind)
    if name in ("model_validate", "model_validate_json") and isinstance(record, type) and given:
        return _validated(record, given[0], text=name.endswith("json"))
    if name in ("model_copy", "copy") and record is not None and not isinstance(receiver.thing, type):
        update = named.get("update") or PLAIN
        if update is PLAIN:
            return receiver
        old = {field: field_of(receiver, field) or PLAIN for field in fields_of(record)}
        more = update.fields if update.fields is not None else dict.fromkeys(old, mixed([update, receiver]))
        return Value(fields={**old, **more}, kind=record)
    if name in ("model_dump", "dict") and record is not None:
        return Value(fields={field: field_of(receiver, field) or PLAIN for field in fields_of(record)})
    if name in _CHANGING:
        _change(frame, node.func, receiver, [*given, *named.values()])
    return _leave(frame, Value(of, mixed([receiver]).origins), given, named, node)


def _change(frame: Frame, node: ast.expr, old: Value, more: Sequence[Value]) -> None:
    """A collection or object takes something in, in a variable, a global, or somewhere inside what one holds."""
    direct = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return
    if direct and node.id in frame.variables and old.items is not None and len(old.items) < _ITEMS_MAX:
        origins = old.origins | frame.conditions
        frame.variables[node.id] = Value(old.thing, origins, None, (*old.items, *more), old.kind)
    else:
        frame.take_in(node.id, mixed(more))


def _validated(cls: type, value: Value, *, text: bool) -> Value:
    """Pydantic takes each field from that of the same name, where it can be told; else from all of the value."""
    known = value.fields is not None or record_in(value.kind) is not None
    if text or not known or _sees_all(cls):
        return Value(fields={name: mixed([value]) for name in fields_of(cls)}, kind=cls)
    return Value(fields={name: field_of(value, name) or PLAIN for name in fields_of(cls)}, kind=cls)


def _in_thread(frame: Frame, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """Nothing that runs in a thread holds up the event loop."""
    blocks, frame.blocks = frame.blocks, False
    found = call(frame, given[0], given[1:], named, node)
    frame.blocks = blocks
    return found


def _leave(frame: Frame, callee: Value, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """A library mixes what it is given, and may call what it is handed."""
    note_library(frame, callee.thing, given, named, node)
    _run_handed(frame, given, named, node)
    everything = [callee, *given, *named.values()]
    return mixed(everything, kind=RETURNS.get(name_of(callee.thing)))


def _run_handed(frame: Frame, given: Sequence[Value], named: Named, node: ast.Call) -> None:
    """Functions of the app that a library is handed are read as called with any of the other arguments."""
    values = [*given, *named.values()]
    for value in values:
        thing = value.thing
        if isinstance(thing, Closure | Bound | Used) or (isinstance(thing, FunctionType) and frame.reader.owns(thing)):
            others = mixed(other for other in values if other is not value)
            count = len(thing.node.args.args) if isinstance(thing, Closure) else 1
            call(frame, value, [with_origins(others, frozenset())] * count, {}, node)
