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
    Origin,
    Origins,
    Value,
    either,
    field_of,
    mixed,
    replaced,
    stored,
    weakened,
    with_origins,
)
from parti.design.fields import record_in


def evaluate(frame: Frame, node: ast.expr) -> Value:
    """The value of an expression."""
    act = _ACTS.get(type(node))
    if act is not None:
        return act(frame, node)
    return mixed(evaluate(frame, inner) for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.expr))


def item_of(value: Value, index: int | None) -> Value:
    """An item of a list, tuple or other collection; `index` None is any of them."""
    kept = stored(value, None)
    if value.items is not None:
        if index is not None and index < len(value.items):
            return with_origins(value.items[index], weakened(value.origins, "value") | kept)
        found = PLAIN if value.items else Value(kind=value.kind)
        for item in value.items:
            found = either(found, item)
        return with_origins(found, weakened(value.origins, "value") | kept)
    if value.fields is not None:
        return mixed([value])
    return Value(origins=value.origins | kept, kind=value.kind)


def each_of(value: Value) -> Value:
    """The items, one after the other: what chose which of them are in a list that the program made decides for each whether
    something happens with it."""
    if value.items is None:
        return item_of(value, None)
    chosen = frozenset(one for one in value.origins if one.manner == "choice")
    return item_of(replaced(value, origins=(value.origins - chosen) | weakened(chosen, "condition")), None)


def chosen_by(frame: Frame, node: ast.expr, test: Value) -> Origins:
    """What decides a test, and so chooses what is done. Whether a record is there at all says nothing of what is in it."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return chosen_by(frame, inner, evaluate(frame, inner))
        case ast.Compare(left=inner, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            test = evaluate(frame, inner)
        case ast.BoolOp(values=inners):
            found = frozenset[Origin]()
            return found.union(*(chosen_by(frame, inner, evaluate(frame, inner)) for inner in inners))
    seen = test.all
    if record_in(test.kind) is not None:
        seen = frozenset(one for one in seen if not (one.exact and one.manner == "value"))
    return weakened(seen, "choice")


def defaults_of(frame: Frame, parameters: ast.arguments) -> dict[str, Value]:
    """What the defaults of a function are where it is made."""
    names = [*parameters.posonlyargs, *parameters.args]
    last = names[len(names) - len(parameters.defaults) :]
    pairs = [
        *zip(last, parameters.defaults, strict=True),
        *zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True),
    ]
    return {name.arg: evaluate(frame, default) for name, default in pairs if default is not None}


def _constant(frame: Frame, node: ast.Constant) -> Value:
    """Each constant is a value of its own, so that one is told from another."""
    known = frame.reader.constants
    if node not in known:
        known[node] = Value(node.value) if isinstance(node.value, bool | int | float | str) else Value()
    return known[node]


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
    found = Value(items=tuple(evaluate(frame, one) for one in node.elts))
    return found if isinstance(node, ast.Tuple) else frame.changing(found, node)


def _dict(frame: Frame, node: ast.Dict) -> Value:
    values = [evaluate(frame, one) for one in node.values]
    names = [one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None for one in node.keys]
    if all(names):
        fields = {str(name): value for name, value in zip(names, values, strict=True)}
        return frame.changing(Value(fields=fields), node)
    found = mixed([*values, *(evaluate(frame, one) for one in node.keys if one is not None)])
    return frame.changing(found, node)


def _subscript(frame: Frame, node: ast.Subscript) -> Value:
    whole, key = evaluate(frame, node.value), evaluate(frame, node.slice)
    frame.attempt([key])
    found: Value | None = None
    if isinstance(node.slice, ast.Constant):
        if isinstance(node.slice.value, str):
            found = field_of(whole, node.slice.value)
        elif isinstance(node.slice.value, int):
            found = item_of(whole, node.slice.value)
    return with_origins(found or item_of(whole, None), weakened(key.all, "choice"))


def _or(frame: Frame, node: ast.BoolOp) -> Value:
    first, *rest = (evaluate(frame, one) for one in node.values)
    decided = chosen_by(frame, node.values[0], first) | weakened(first.all, "condition")
    for value in rest:
        first = either(first, value)
    return with_origins(first, decided)


def _if(frame: Frame, node: ast.IfExp) -> Value:
    test = evaluate(frame, node.test)
    ways = [evaluate(frame, node.body), evaluate(frame, node.orelse)]
    decided = weakened(test.all, "condition")
    if not any(isinstance(way, ast.Constant) and way.value is None for way in (node.body, node.orelse)):
        decided |= chosen_by(frame, node.test, test)
    return with_origins(either(*ways), decided)


def _comprehension(frame: Frame, node: Any) -> Value:
    loop, outside, chosen = frame.loop, frame.conditions, frozenset[Origin]()
    frame.branches += 1
    for part in node.generators:
        items = evaluate(frame, part.iter)
        frame.loop = loop or "for"
        _assign(frame, part.target, each_of(items))
        for one in part.ifs:
            test = evaluate(frame, one)
            frame.decide(test)
            chosen |= chosen_by(frame, one, test)
    results: Sequence[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    values = [evaluate(frame, one) for one in results]
    found = values[0] if len(values) == 1 else mixed(values)
    found = with_origins(found, frame.conditions - outside)
    frame.branches -= 1
    frame.loop, frame.conditions = loop, outside
    return frame.changing(
        Value(origins=chosen, items=(found,)) if len(values) == 1 else with_origins(found, chosen), node
    )


def _assign(frame: Frame, target: ast.expr, value: Value) -> None:
    from parti.declare.dataflow.statements import assign  # noqa: PLC0415 each needs the other

    assign(frame, target, value)


def _walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(frame, node.value)
    _assign(frame, node.target, value)
    return value


def _lambda(frame: Frame, node: ast.Lambda) -> Value:
    return Value(Closure(node, frame, defaults_of(frame, node.args)))


def _yield(frame: Frame, node: ast.Yield) -> Value:
    given = PLAIN if node.value is None else evaluate(frame, node.value)
    value = with_origins(given, frame.conditions | (frame.choices - frame.around) | frame.left)
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
