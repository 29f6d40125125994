"""What each statement does to the variables of a frame."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import reduce
from importlib.util import resolve_name
from types import ModuleType
from typing import Any, Final

from parti.declare.dataflow.expressions import chosen_by, defaults_of, each_of, evaluate, item_of
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import (
    PLAIN,
    Closure,
    Named,
    Origins,
    Value,
    alike,
    either,
    field_of,
    mixed,
    replaced,
    weakened,
    with_origins,
)
from parti.design.dataflow import Slot
from parti.design.fields import record_in

Variables = dict[str, Value]

_TIMES_MAX: Final = 40
"""How often a loop is read at most."""

_TIMES_APART: Final = 8
"""How often a loop is read with all that is known of its values; after that, values that still change are mixed."""


def execute(frame: Frame, body: Iterable[ast.stmt]) -> None:
    """Follow statements in order; both ways of every branch."""
    for statement in body:
        frame.line = statement.lineno
        frame.reader.effort += 1
        act = _ACTS.get(type(statement))
        if act is not None:
            act(frame, statement)


def assign(frame: Frame, target: ast.expr, value: Value) -> None:
    """``target = value``."""
    match target:
        case ast.Name():
            frame.save(target.id, value)
        case ast.Tuple() | ast.List():
            stars = [index for index, inner in enumerate(target.elts) if isinstance(inner, ast.Starred)]
            for index, inner in enumerate(target.elts):
                assign(frame, inner, item_of(value, index if index < min([*stars, len(target.elts)]) else None))
        case ast.Starred():
            assign(frame, target.value, value)
        case ast.Attribute() | ast.Subscript():
            _change(frame, target, value)


def _change(frame: Frame, target: ast.Attribute | ast.Subscript, value: Value) -> None:
    """A field or item of an object changes. Of a variable's record it is kept apart: it may be the old one or the new one."""
    owner = evaluate(frame, target.value)
    if isinstance(target, ast.Attribute) and isinstance(owner.thing, ModuleType):
        frame.store([frame.reader.heap.cell_of_global(vars(owner.thing), target.attr)], value)
        return
    name = target.attr if isinstance(target, ast.Attribute) else _constant(target.slice)
    if name is None and isinstance(target, ast.Subscript):
        key = weakened(evaluate(frame, target.slice).all, "value")
        frame.change(owner, with_origins(mixed([value, *(owner.items or ())]), key))
        return
    frame.change(owner, value, name)
    if not isinstance(target.value, ast.Name) or target.value.id not in frame.variables:
        return
    old = frame.variables[target.value.id]
    if old.fields is not None and name is not None:
        kept = either(old.fields[name], value) if name in old.fields else value
        frame.variables[target.value.id] = replaced(old, fields={**old.fields, name: kept})


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _assign(frame: Frame, node: ast.Assign) -> None:
    if isinstance(node.value, ast.Yield):
        frame.reader.doubt(frame, "what is sent into a generator is not followed")
    value = evaluate(frame, node.value)
    for target in node.targets:
        assign(frame, target, value)


def _declare(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        value = evaluate(frame, node.value)
        kind = _items_said(frame, node.annotation) if value.items == () else None
        assign(frame, node.target, value if kind is None else replaced(value, kind=kind))


def _items_said(frame: Frame, node: ast.expr) -> type | None:
    """The record that an annotation says an empty collection is for: ``list[Card]``."""
    if not isinstance(node, ast.Subscript):
        return None
    names = [inner.id for inner in ast.walk(node.slice) if isinstance(inner, ast.Name)]
    found = {kind for kind in (record_in(frame.load(name).thing) for name in names) if kind is not None}
    return found.pop() if len(found) == 1 else None


def _add(frame: Frame, node: ast.AugAssign) -> None:
    old, more = evaluate(frame, node.target), evaluate(frame, node.value)
    if old.cells:
        frame.change(old, more)
    assign(frame, node.target, replaced(mixed([old, more], kind=old.kind), cells=old.cells))


def _branch(frame: Frame, chosen: Origins, *bodies: Sequence[ast.stmt]) -> None:
    """Ways of which one is taken, as `chosen` says. Past them, a variable is what it is at the end of any of them."""
    inside, before, choices = frame.conditions, frame.variables, frame.choices
    ends = []
    frame.choices |= chosen
    for body in bodies:
        frame.variables = dict(before)
        execute(frame, body)
        inside, frame.conditions = inside | frame.conditions, inside
        if frame.branches or not body or not isinstance(body[-1], ast.Return | ast.Raise):
            ends.append(frame.variables)
    frame.conditions, frame.choices = inside, choices
    frame.variables = _joined(ends, chosen) if ends else dict(before)


def _joined(ends: Sequence[Variables], chosen: Origins) -> Variables:
    """The variables at the end of one of several ways; what is not the same wherever it is known is chosen."""
    if len(ends) == 1:
        return ends[0]
    found: Variables = {}
    for name in dict.fromkeys(name for end in ends for name in end):
        values = [end[name] for end in ends if name in end]
        value = reduce(either, values)
        if any(one is not values[0] for one in values):
            value = with_origins(value, chosen)
        elif len(values) < len(ends):
            value = with_origins(value, weakened(chosen, "condition"))
        found[name] = value
    return found


def _after(frame: Frame, outside: Origins, node: ast.stmt, chosen: Origins) -> None:
    """Past a branch, only what may have left the function or loop there decides whether one comes so far."""
    leaving = frame.reader.leaving.get(node)
    if leaving is None:
        leaving = any(isinstance(one, ast.Return | ast.Raise | ast.Break | ast.Continue) for one in ast.walk(node))
        frame.reader.leaving[node] = leaving
    if not leaving:
        frame.conditions = outside
        return
    frame.left |= chosen
    if frame.loop and any(isinstance(one, ast.Break | ast.Continue) for one in ast.walk(node)):
        frame.choices |= chosen


def _if(frame: Frame, node: ast.If) -> None:
    outside = frame.conditions
    test = evaluate(frame, node.test)
    frame.decide(test)
    chosen = chosen_by(frame, node.test, test)
    _branch(frame, chosen, node.body, node.orelse)
    _after(frame, outside, node, chosen)


def _loop(frame: Frame, once: Callable[[], Origins]) -> Origins:
    """Read a loop until another time says nothing new; what chooses how often it runs."""
    outside, left, choices = frame.conditions, frame.left, frame.choices
    for time in range(_TIMES_MAX):
        before = frame.variables
        frame.variables = dict(before)
        chosen = once() | (frame.choices - choices)
        frame.choices = choices
        after = _joined([before, frame.variables], chosen)
        frame.variables = after if time < _TIMES_APART else {name: _blurred(before, name, after) for name in after}
        same = all(name in before and alike(before[name], value) for name, value in frame.variables.items())
        if same and frame.conditions == outside and frame.left == left:
            return chosen
        outside, left = frame.conditions, frame.left
    frame.reader.doubt(frame, "a loop is not followed to its end")
    return chosen


def _blurred(before: Variables, name: str, after: Variables) -> Value:
    """A value that grows with each time round is one of which no part is known."""
    value = after[name]
    return value if name in before and alike(before[name], value) else replaced(mixed([value]), cells=value.cells)


def _for(frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    items = evaluate(frame, node.iter)
    outside, loop = frame.conditions, frame.loop
    chosen: Origins = frozenset() if record_in(items.kind) is not None else weakened(each_of(items).origins, "choice")

    def once() -> Origins:
        frame.choices |= chosen
        assign(frame, node.target, each_of(items))
        execute(frame, node.body)
        return chosen

    frame.loop = loop or "for"
    _loop(frame, once)
    _branch(frame, frozenset(), node.orelse, [])
    frame.loop = loop
    _after(frame, outside, node, chosen)


def _while(frame: Frame, node: ast.While) -> None:
    outside, loop = frame.conditions, frame.loop

    def once() -> Origins:
        test = evaluate(frame, node.test)
        frame.decide(test)
        chosen = chosen_by(frame, node.test, test)
        frame.choices |= chosen
        execute(frame, node.body)
        return chosen

    frame.loop = "while"
    chosen = _loop(frame, once)
    _branch(frame, frozenset(), node.orelse, [])
    frame.loop = loop
    _after(frame, outside, node, chosen)


def _try(frame: Frame, node: Any) -> None:
    caught, catching = frame.caught, frame.catching
    frame.caught = caught or bool(node.handlers)
    frame.catching = (*catching, *(name for one in node.handlers for name in _names(one.type)))
    frame.branches += 1
    frame.reader.attempts.append(set())
    execute(frame, node.body)
    said = frozenset(frame.reader.attempts.pop())
    frame.caught, frame.catching = caught, catching
    for handler in node.handlers:
        if handler.name:
            frame.save(handler.name, Value(origins=frame.reader.raised | said))
    _branch(frame, weakened(said, "choice"), node.orelse, *(one.body for one in node.handlers))
    frame.branches -= 1
    if frame.reader.attempts:
        frame.reader.attempts[-1].update(said)
    execute(frame, node.finalbody)


def _names(node: ast.expr | None) -> Iterable[str]:
    """The names of the errors that are caught; "" is any."""
    if node is None:
        return ("",)
    inner = node.elts if isinstance(node, ast.Tuple) else [node]
    return [ast.unparse(one).rpartition(".")[2] for one in inner]


def _with(frame: Frame, node: ast.With | ast.AsyncWith) -> None:
    for item in node.items:
        value = evaluate(frame, item.context_expr)
        if item.optional_vars is not None:
            assign(frame, item.optional_vars, value)
    execute(frame, node.body)


def _return(frame: Frame, node: ast.Return) -> None:
    value = PLAIN if node.value is None else evaluate(frame, node.value)
    frame.give(value, nothing=node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None))


def _expression(frame: Frame, node: ast.Expr) -> None:
    evaluate(frame, node.value)


def _raise(frame: Frame, node: ast.Raise) -> None:
    """An error that nobody catches here is told outside."""
    if node.exc is not None:
        said = mixed([evaluate(frame, node.exc)]).origins
        frame.reader.raised |= said
        name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc).rpartition(".")[2]
    else:
        said, name = frame.reader.raised, ""
    if not {"", "Exception", "BaseException", name} & set(frame.catching):
        frame.pour(Value(origins=said), Slot(frame.part, "fails"), frame.place(node))


def _assert(frame: Frame, node: ast.Assert) -> None:
    frame.decide(evaluate(frame, node.test))
    if node.msg is not None:
        frame.reader.raised |= mixed([evaluate(frame, node.msg)]).origins


def _delete(frame: Frame, node: ast.Delete) -> None:
    """Without an item, the others lie elsewhere in their list."""
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            owner = evaluate(frame, target.value)
            for item in owner.items or ():
                frame.change(owner, item, item=True)


def _class(frame: Frame, node: ast.ClassDef) -> None:
    """A class that is made while the program runs, with what its body says."""
    body = replace(frame, variables={}, outer=frame)
    execute(body, node.body)
    frame.save(node.name, frame.changing(Value(fields=body.variables), node))


def _global(frame: Frame, node: ast.Global) -> None:
    frame.globals.update(node.names)


def _nonlocal(frame: Frame, node: ast.Nonlocal) -> None:
    frame.outside.update(node.names)


def _define(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    frame.save(node.name, Value(Closure(node, frame, defaults_of(frame, node.args))))


def _import(frame: Frame, node: ast.Import) -> None:
    for alias in node.names:
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        frame.save(alias.asname or name, Value(sys.modules.get(name) or Named(name)))


def _import_from(frame: Frame, node: ast.ImportFrom) -> None:
    package = str(frame.names.get("__package__") or "")
    name = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
    module = sys.modules.get(name or "")
    for alias in node.names:
        found = getattr(module, alias.name, None) if module is not None else None
        frame.save(alias.asname or alias.name, Value(Named(f"{name}.{alias.name}") if found is None else found))


def _match(frame: Frame, node: ast.Match) -> None:
    subject = evaluate(frame, node.subject)
    outside, chosen = frame.conditions, weakened(subject.all, "choice")
    frame.decide(subject)
    for case in node.cases:
        for pattern in ast.walk(case.pattern):
            _bind(frame, pattern, subject)
        if case.guard is not None:
            guard = evaluate(frame, case.guard)
            frame.decide(guard)
            chosen |= chosen_by(frame, case.guard, guard)
    last = node.cases[-1]
    always = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    _branch(frame, chosen, *(case.body for case in node.cases), *([] if always else [[]]))
    _after(frame, outside, node, chosen)


def _bind(frame: Frame, pattern: ast.AST, subject: Value) -> None:
    if isinstance(pattern, ast.MatchAs | ast.MatchStar) and pattern.name:
        frame.save(pattern.name, mixed([subject], kind=subject.kind))
    if isinstance(pattern, ast.MatchMapping) and pattern.rest:
        frame.save(pattern.rest, mixed([subject]))
    if isinstance(pattern, ast.MatchClass):
        for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            if isinstance(inner, ast.MatchAs) and inner.name and inner.pattern is None:
                frame.save(inner.name, field_of(subject, name) or mixed([subject]))


_ACTS: Final[dict[type[ast.stmt], Callable[[Frame, Any], None]]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _declare,
    ast.AugAssign: _add,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.ClassDef: _class,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
}
