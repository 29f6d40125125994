"""Batch functions: from lists to lists as they are written, from one item to one answer as they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from parti.design.places import Place
from parti.errors import DeclarationError

Hints = Mapping[str, Any]


def item_hints(function: Callable[..., Any], hints: Hints, place: Place) -> dict[str, Any]:
    """The types of one call of a batch function, by those that it names: of the one item taken, and of its answer.

    Raises P106 unless it takes exactly one list and returns a list. An item of what it returns may be an exception.
    """
    what = f"the batch function `{function.__name__}`"
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) != 1 or parameters[0].default is not inspect.Parameter.empty:
        takes = ", ".join(parameter.name for parameter in parameters) or "nothing"
        fix = "take exactly one list, without a default: `items: list[X]`"
        raise DeclarationError("P106", f"{what} takes {takes}", place=place, fix=fix)
    name = parameters[0].name
    items = dict(hints)
    if name in hints:
        items[name] = _item(hints[name])
        if items[name] is None:
            fix = f"say of what the list is: `{name}: list[X]`"
            raise DeclarationError("P106", f"{what} takes {name}, which is not a list of items", place=place, fix=fix)
    if "return" in hints:
        items["return"] = _without_errors(_item(hints["return"]))
        if items["return"] is None:
            fix = "return a list with one answer for each item: `-> list[Y]`"
            raise DeclarationError("P106", f"{what} does not return a list of answers", place=place, fix=fix)
    return items


def _item(kind: Any) -> Any:
    """Of what a list is; None for what is no list, or does not say."""
    inside = get_args(kind)
    if get_origin(kind) is not list or not inside:
        return None
    return NoneType if inside[0] is None else inside[0]


def _without_errors(kind: Any) -> Any:
    """The type of an answer, without the exceptions that may stand in its place."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    kept = [one for one in get_args(kind) if not (isinstance(one, type) and issubclass(one, BaseException))]
    return reduce(or_, kept) if kept else NoneType
