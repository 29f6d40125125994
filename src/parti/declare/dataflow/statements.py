"""What each statement does to the variables of a frame."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import resolve_name
from typing import Any, Final

from parti.declare.dataflow.expressions import evaluate, item_of
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import PLAIN, Closure, Named, Origins, Value, either, field_of, mixed

_PASSES: Final = 2
"""How often a loop is read: the second time sees what the first has stored."""


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
        case ast.Attribute() | ast.Subscript() if isinstance(target.value, ast.Name):
            _change(frame, target, value)


def _change(frame: Frame, target: ast.Attribute | ast.Subscript, value: Value) -> None:
    """A field or item of a variable changes: it may be the old one or the new one."""
    assert isinstance(target.value, ast.Name), "only variables are followed"
    if target.value.id not in frame.variables:
        frame.take_in(target.value.id, value)
        return
    old = frame.load(target.value.id)
    name = target.attr if isinstance(target, ast.Attribute) else _constant(target.slice)
    if old.fields is not None and name is not None:
        new = Value(old.thing, old.origins, {**old.fields, name: value}, None, old.kind)
    else:
        key = [] if isinstance(target, ast.Attribute) else [mixed([evaluate(frame, target.slice)], "choice")]
        new = either(old, mixed([value, *key]))
    frame.branches += 1
    frame.save(target.value.id, new)
    frame.branches -= 1


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _assign(frame: Frame, node: ast.Assign) -> None:
    value = evaluate(frame, node.value)
    for target in node.targets:
        assign(frame, target, value)


def _declare(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(frame, node.target, evaluate(frame, node.value))


def _add(frame: Frame, node: ast.AugAssign) -> None:
    old = evaluate(frame, node.target)
    assign(frame, node.target, mixed([old, evaluate(frame, node.value)], kind=old.kind))


def _branch(frame: Frame, *bodies: Sequence[ast.stmt]) -> None:
    """Ways that may be taken."""
    inside = frame.conditions
    frame.branches += 1
    for body in bodies:
        execute(frame, body)
        inside, frame.conditions = inside | frame.conditions, inside
    frame.branches -= 1
    frame.conditions = inside


def _after(frame: Frame, outside: Origins, node: ast.stmt) -> None:
    """Past a branch, only what may have left the function or loop there decides whether one comes so far."""
    leaving = frame.reader.leaving.get(node)
    if leaving is None:
        leaving = any(isinstance(one, ast.Return | ast.Raise | ast.Break | ast.Continue) for one in ast.walk(node))
        frame.reader.leaving[node] = leaving
    if not leaving:
        frame.conditions = outside


def _if(frame: Frame, node: ast.If) -> None:
    outside = frame.conditions
    frame.decide(evaluate(frame, node.test))
    _branch(frame, node.body, node.orelse)
    _after(frame, outside, node)


def _for(frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    items = evaluate(frame, node.iter)
    outside, loop = frame.conditions, frame.loop
    frame.loop = loop or "for"
    for _ in range(_PASSES):
        assign(frame, node.target, item_of(items, None))
        _branch(frame, node.body, node.orelse)
    frame.loop = loop
    _after(frame, outside, node)


def _while(frame: Frame, node: ast.While) -> None:
    outside, loop = frame.conditions, frame.loop
    frame.loop = "while"
    for _ in range(_PASSES):
        frame.decide(evaluate(frame, node.test))
        _branch(frame, node.body, node.orelse)
    frame.loop = loop
    _after(frame, outside, node)


def _try(frame: Frame, node: Any) -> None:
    caught = frame.caught
    frame.caught = caught or bool(node.handlers)
    frame.branches += 1
    execute(frame, node.body)
    frame.caught = caught
    for handler in node.handlers:
        if handler.name:
            frame.save(handler.name, Value(origins=frame.reader.raised))
        execute(frame, handler.body)
    execute(frame, node.orelse)
    frame.branches -= 1
    execute(frame, node.finalbody)


def _with(frame: Frame, node: ast.With | ast.AsyncWith) -> None:
    for item in node.items:
        value = evaluate(frame, item.context_expr)
        if item.optional_vars is not None:
            assign(frame, item.optional_vars, value)
    execute(frame, node.body)


def _return(frame: Frame, node: ast.Return) -> None:
    frame.give(PLAIN if node.value is None else evaluate(frame, node.value))


def _expression(frame: Frame, node: ast.Expr) -> None:
    evaluate(frame, node.value)


def _raise(frame: Frame, node: ast.Raise) -> None:
    if node.exc is not None:
        frame.reader.raised |= mixed([evaluate(frame, node.exc)]).origins


def _assert(frame: Frame, node: ast.Assert) -> None:
    frame.decide(evaluate(frame, node.test))


def _global(frame: Frame, node: ast.Global) -> None:
    frame.globals.update(node.names)


def _nonlocal(frame: Frame, node: ast.Nonlocal) -> None:
    frame.outside.update(node.names)


def _define(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    frame.save(node.name, Value(Closure(node, frame)))


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
    outside = frame.conditions
    frame.decide(subject)
    for case in node.cases:
        for pattern in ast.walk(case.pattern):
            _bind(frame, pattern, subject)
        if case.guard is not None:
            frame.decide(evaluate(frame, case.guard))
    _branch(frame, *(case.body for case in node.cases))
    _after(frame, outside, node)


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
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
}
