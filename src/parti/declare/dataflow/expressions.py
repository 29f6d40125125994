"""What each expression gives: where its value comes from, and of which type it is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from parti.declare.dataflow import calls
from parti.declare.dataflow.attributes import attribute
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import (
    PLAIN,
    UNKNOWN,
    Closure,
    Value,
    either,
    field_of,
    mixed,
    weakened,
    with_origins,
)


def evaluate(frame: Frame, node: ast.expr) -> Value:
    """The value of an expression."""
    act = _ACTS.get(type(node))
    if act is not None:
        return act(frame, node)
    return mixed(evaluate(frame, inner) for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.expr))


def item_of(value: Value, index: int | None) -> Value:
    """An item of a list, tuple or other collection; `index` None is any of them."""
    if value.items is not None:
        if index is not None and index < len(value.items):
            return with_origins(value.items[index], weakened(value.origins, "value"))
        found = PLAIN
        for item in value.items:
            found = either(found, item)
        return with_origins(found, weakened(value.origins, "value"))
    if value.fields is not None:
        return mixed([value])
    return Value(origins=value.origins, kind=value.kind)


def _constant(frame: Frame, node: ast.Constant) -> Value:
    return Value(node.value) if isinstance(node.value, bool | int | float) else PLAIN


def _name(frame: Frame, node: ast.Name) -> Value:
    return frame.load(node.id)


def _attribute(frame: Frame, node: ast.Attribute) -> Value:
    return attribute(frame, evaluate(frame, node.value), node.attr)


def _call(frame: Frame, node: ast.Call) -> Value:
    callee = evaluate(frame, node.func)
    given = [evaluate(frame, one) for one in node.args]
    named: dict[str, Value] = {}
    for keyword in node.keywords:
        value = evaluate(frame, keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
        elif value.fields is not None:
            named.update(value.fields)
        else:
            given.append(mixed([value]))
    return calls.call(frame, callee, given, named, node)


def _inner(frame: Frame, node: Any) -> Value:
    return evaluate(frame, node.value)


def _starred(frame: Frame, node: ast.Starred) -> Value:
    return item_of(evaluate(frame, node.value), None)


def _items(frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    return Value(items=tuple(evaluate(frame, one) for one in node.elts))


def _dict(frame: Frame, node: ast.Dict) -> Value:
    values = [evaluate(frame, one) for one in node.values]
    names = [one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None for one in node.keys]
    if all(names):
        return Value(fields={str(name): value for name, value in zip(names, values, strict=True)})
    return mixed([*values, *(evaluate(frame, one) for one in node.keys if one is not None)])


def _subscript(frame: Frame, node: ast.Subscript) -> Value:
    whole, key = evaluate(frame, node.value), evaluate(frame, node.slice)
    found: Value | None = None
    if isinstance(node.slice, ast.Constant):
        if isinstance(node.slice.value, str):
            found = field_of(whole, node.slice.value)
        elif isinstance(node.slice.value, int):
            found = item_of(whole, node.slice.value)
    return with_origins(found or item_of(whole, None), weakened(key.all, "choice"))


def _or(frame: Frame, node: ast.BoolOp) -> Value:
    first, *rest = (evaluate(frame, one) for one in node.values)
    decided = weakened(first.all, "condition")
    for value in rest:
        first = either(first, value)
    return with_origins(first, decided)


def _if(frame: Frame, node: ast.IfExp) -> Value:
    decided = weakened(evaluate(frame, node.test).all, "condition")
    return with_origins(either(evaluate(frame, node.body), evaluate(frame, node.orelse)), decided)


def _comprehension(frame: Frame, node: Any) -> Value:
    loop, outside = frame.loop, frame.conditions
    frame.branches += 1
    for part in node.generators:
        items = evaluate(frame, part.iter)
        frame.loop = loop or "for"
        _assign(frame, part.target, item_of(items, None))
        for test in part.ifs:
            frame.decide(evaluate(frame, test))
    results: Sequence[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    values = [evaluate(frame, one) for one in results]
    found = values[0] if len(values) == 1 else mixed(values)
    found = with_origins(found, frame.conditions - outside)
    frame.branches -= 1
    frame.loop, frame.conditions = loop, outside
    return Value(items=(found,)) if len(values) == 1 else found


def _assign(frame: Frame, target: ast.expr, value: Value) -> None:
    from parti.declare.dataflow.statements import assign  # noqa: PLC0415 each needs the other

    assign(frame, target, value)


def _walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(frame, node.value)
    _assign(frame, node.target, value)
    return value


def _lambda(frame: Frame, node: ast.Lambda) -> Value:
    return Value(Closure(node, frame))


def _yield(frame: Frame, node: ast.Yield) -> Value:
    value = PLAIN if node.value is None else with_origins(evaluate(frame, node.value), frame.conditions)
    frame.yielded = value if frame.yielded is None else either(frame.yielded, value)
    return Value(UNKNOWN)


def _slice(frame: Frame, node: ast.Slice) -> Value:
    return mixed(evaluate(frame, one) for one in (node.lower, node.upper, node.step) if one is not None)


_ACTS: Final[dict[type[ast.expr], Callable[[Frame, Any], Value]]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Await: _inner,
    ast.YieldFrom: _inner,
    ast.Starred: _starred,
    ast.List: _items,
    ast.Tuple: _items,
    ast.Set: _items,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.BoolOp: _or,
    ast.IfExp: _if,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
    ast.Yield: _yield,
    ast.Slice: _slice,
}
