"""``callee(arguments)``: a part is used, a function of the app is followed, a record is made, a library mixes what it gets."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any, Final

from parti.declare import inside
from parti.declare.dataflow import changes, uses
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.libraries import RETURNS, name_of, note_library
from parti.declare.dataflow.values import (
    PLAIN,
    Bound,
    Cell,
    Closure,
    Of,
    Origin,
    Origins,
    Used,
    Value,
    field_of,
    mixed,
    replaced,
    unseen,
    with_origins,
)
from parti.declare.handles import PartHandle
from parti.design.dataflow import Slot
from parti.design.fields import fields_of, record_in

DEEPEST: Final = 12
MOST: Final = 4_000
"""Statements read for one part, each as often as it is read; what is called beyond that mixes what it is given."""

Named = dict[str, Value]


def call(frame: Frame, callee: Value, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """What the call gives; what it does is noted."""
    thing = callee.thing
    match thing:
        case Used() | PartHandle():
            handle, method = (thing.handle, thing.method) if isinstance(thing, Used) else (thing, "")
            answer = uses.use(frame, handle, method, given, named, node)
            frame.attempt([answer, *given, *named.values()])
            return frame.changing(answer, node)
        case Closure():
            return _follow_closure(frame, thing, given, named, node)
        case Bound() if frame.reader.owns(thing.function):
            return follow(frame, thing.function, [thing.receiver, *given], named, node)
        case Of():
            return _method(frame, thing, given, named, node)
        case type():
            frame.attempt([*given, *named.values()])
            return frame.changing(_make(frame, thing, given, named, node), node)
        case FunctionType() if frame.reader.owns(thing):
            return follow(frame, thing, given, named, node)
    if thing is inside.ask:
        return uses.ask(frame, given, named, node)
    if thing is inside.tell:
        frame.pour(Value(origins=unseen(mixed(given).all)), Slot(frame.part, "out"), frame.place(node))
        return PLAIN
    if thing is asyncio.to_thread and given:
        return _in_thread(frame, given, named, node)
    if thing is asyncio.gather:
        return Value(items=tuple(given))
    if thing in (locals, vars) and not given:
        return mixed(frame.variables.values())
    if thing is globals:
        frame.reader.doubt(frame, "`globals` gives all that the module holds; what is done with it is not followed")
    return _leave(frame, callee, given, named, node)


def follow(frame: Frame, function: FunctionType, given: Sequence[Value], named: Named, call: object) -> Value:
    """Read a function of the app with these arguments, called by `call`; what it returns, or yields."""
    reader, code = frame.reader, function.__code__
    node = reader.source.node_of(code)
    if node is None or not _may_follow(frame) or _is_inside(frame, function):
        if not _is_inside(frame, function):
            why = "its source cannot be read" if node is None else "too much is called from here"
            reader.doubt(frame, f"`{code.co_name}` is not followed: {why}")
        return _mixed_up(frame, [*given, *named.values()])
    bound = bind(node.args, given, named, _defaults(frame, function))
    inner = Frame(
        reader, frame.part, code.co_filename, function.__globals__, bound, None, frame.blocks, frame.depth + 1,
        frame.loop, frame.caught, frame.catching, frame.conditions, frame.choices, frame.choices,
        site=frame.call_site(call), free=free_of(function), line=frame.line,
    )  # fmt: skip
    reader.open.append(code)
    found = reader.run(inner, node)
    reader.open.pop()
    return found


def free_of(function: FunctionType) -> dict[str, Any]:
    """What the function has of those around it."""
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # nothing was stored in it yet
            continue
    return found


def _defaults(frame: Frame, function: FunctionType) -> Named:
    """A default is made once, and shared by all calls."""
    code, heap = function.__code__, frame.reader.heap
    last = function.__defaults__ or ()
    named = code.co_varnames[: code.co_argcount]
    things = {**dict(zip(named[len(named) - len(last) :], last, strict=True)), **(function.__kwdefaults__ or {})}
    return {name: heap.known(thing, _outlives(heap.lasting(thing))) for name, thing in things.items()}


def _outlives(cells: Iterable[Cell]) -> Origins:
    return frozenset[Origin]().union(*(cell.inside for cell in cells))


def _mixed_up(frame: Frame, values: Sequence[Value]) -> Value:
    """A function that is not followed may store anything it is given in anything else that it is given."""
    for value in values:
        changes.keep(frame, value, [other for other in values if other is not value])
    return mixed(values)


def _may_follow(frame: Frame) -> bool:
    return frame.depth < DEEPEST and frame.reader.effort < MOST


def _is_inside(frame: Frame, function: FunctionType) -> bool:
    return frame.reader.open.count(function.__code__) > 1


def _follow_closure(frame: Frame, closure: Closure, given: Sequence[Value], named: Named, call: object) -> Value:
    reader = frame.reader
    if closure.node in reader.nested or not _may_follow(frame):
        if closure.node not in reader.nested:
            reader.doubt(frame, "a nested function is not followed: too much is called from here")
        return _mixed_up(frame, [*given, *named.values()])
    outer = closure.frame
    bound = bind(closure.node.args, given, named, closure.defaults)
    inner = Frame(
        reader, frame.part, outer.file, outer.names, bound, outer, frame.blocks, frame.depth + 1, frame.loop, frame.caught,
        frame.catching, frame.conditions, frame.choices, frame.choices, site=frame.call_site(call), line=frame.line,
    )  # fmt: skip
    reader.nested.append(closure.node)
    found = reader.run(inner, closure.node)
    reader.nested.pop()
    return found


def bind(
    parameters: ast.arguments, given: Sequence[Value], named: Named, defaults: Mapping[str, Value]
) -> dict[str, Value]:
    """What each parameter is when it is called so."""
    names = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
    bound = dict(zip(names, given, strict=False))
    rest = {name: value for name, value in named.items() if name not in names}
    bound.update({name: value for name, value in named.items() if name in names})
    for one in parameters.kwonlyargs:
        bound[one.arg] = rest.pop(one.arg, defaults.get(one.arg, PLAIN))
    if parameters.vararg:
        bound[parameters.vararg.arg] = Value(items=tuple(given[len(names) :]))
    if parameters.kwarg:
        bound[parameters.kwarg.arg] = Value(fields=rest)
    return {**{name: defaults.get(name, PLAIN) for name in names}, **bound}


def _make(frame: Frame, cls: type, given: Sequence[Value], named: Named, node: ast.Call) -> Value:
    """A record is made: each field is what it is given, unless the type has validators that see all of it."""
    fields = fields_of(cls)
    if not fields:
        note_library(frame, cls, given, named, node)
        _run_handed(frame, given, named, node)
        changes.by_library(frame, cls, None, given, named)
        made = frame.changing(mixed([*given, *named.values()], kind=cls), node)
        start = inspect.getattr_static(cls, "__init__", None)
        if frame.reader.owns(start):
            follow(frame, start, [made, *given], named, node)
        return made
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
    return _leave(frame, Value(of, mixed([receiver]).origins), given, named, node)


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
    chosen = _run_handed(frame, given, named, node)
    of = callee.thing
    changes.by_library(frame, of, of.receiver if isinstance(of, Of | Bound) else None, given, named)
    if isinstance(of, Of) and isinstance(node.func, ast.Attribute):
        changes.in_place(frame, node.func.value, of.name, given)
    files = changes.in_files(frame, of, given)
    everything = [callee, *given, *named.values(), *chosen, files]
    frame.attempt(everything)
    if name_of(of) == "builtins.open":
        return replaced(mixed(everything), cells=files.cells)
    return frame.changing(mixed(everything, kind=RETURNS.get(name_of(of))), node)


def _run_handed(frame: Frame, given: Sequence[Value], named: Named, node: ast.Call) -> list[Value]:
    """Functions of the app that a library is handed are read as called with any of the other arguments; what they return."""
    found = []
    values = [*given, *named.values()]
    for value in values:
        thing = value.thing
        if changes.is_called(thing) or (isinstance(thing, FunctionType) and frame.reader.owns(thing)):
            others = mixed(other for other in values if other is not value)
            count = len(thing.node.args.args) if isinstance(thing, Closure) else 1
            found.append(call(frame, value, [with_origins(others, frozenset())] * count, {}, node))
    return found
