"""Instructions that load and store names and attributes: globals, imports, attributes, items."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from importlib.util import resolve_name
from typing import TYPE_CHECKING, Final

from parti.declare.reading.attributes import attribute
from parti.declare.reading.containers import opened, stored
from parti.declare.reading.listing import Step
from parti.declare.reading.specials import imported
from parti.declare.reading.symbols import (
    FOREIGN,
    NULL,
    Bag,
    Foreign,
    Known,
    New,
    Super,
    Symbol,
    Table,
    is_a,
    join,
)

if TYPE_CHECKING:
    from parti.declare.reading.machine import Machine


def global_name(machine: Machine, name: str) -> Symbol:
    """What a name of the module, or a built-in one, denotes."""
    names = machine.callee.names
    if name in names:
        kept = machine.reader.load(Known(names), name)
        return Known(names[name]) if kept is None else join(Known(names[name]), kept)
    if hasattr(builtins, name):
        return Known(getattr(builtins, name))
    return machine.reader.load(Known(names), name) or Foreign(name)


def _load_global(machine: Machine, step: Step) -> None:
    found = global_name(machine, step.value)
    null_first = sys.version_info < (3, 13)
    if step.arg & 1 and null_first:
        machine.stack.append(NULL)
    machine.stack.append(found)
    if step.arg & 1 and not null_first:
        machine.stack.append(NULL)


def _load_name(machine: Machine, step: Step) -> None:
    local = machine.names.get(step.value)
    machine.stack.append(local if local is not None else global_name(machine, step.value))


def _load_name_below(machine: Machine, step: Step) -> None:
    """A name in a class body: of the class, of a function around it, or of the module."""
    if step.op != "LOAD_CLASSDEREF":
        machine.stack.pop()
    if step.value in machine.cells and step.value not in machine.names:
        machine.stack.append(machine.load(step.value))
    else:
        _load_name(machine, step)


def _store_name(machine: Machine, step: Step) -> None:
    machine.save(step.value, machine.stack.pop())


def _store_global(machine: Machine, step: Step) -> None:
    machine.reader.store(Known(machine.callee.names), step.value, machine.stack.pop())


def _load_attr(machine: Machine, step: Step) -> None:
    found = attribute(machine.reader, machine.stack.pop(), step.value, machine.spot())
    as_method = step.op == "LOAD_METHOD" or (sys.version_info >= (3, 12) and step.arg & 1)
    machine.stack.extend((NULL, found) if as_method else (found,))


def _load_super_attr(machine: Machine, step: Step) -> None:
    _, cls, receiver = machine.stack[-3:]
    del machine.stack[-3:]
    known = isinstance(cls, Known) and is_a(cls.thing, type)
    owner: Symbol = Super(cls.thing, receiver) if known and isinstance(cls, Known) else FOREIGN
    found = attribute(machine.reader, owner, step.value, machine.spot())
    machine.stack.extend((NULL, found) if step.arg & 1 else (found,))


def _store_attr(machine: Machine, step: Step) -> None:
    owner, value = machine.stack.pop(), machine.stack.pop()
    if isinstance(owner, New) or (isinstance(owner, Known) and machine.reader.is_own(owner.thing)):
        machine.reader.store(owner, step.value, value)
    else:
        machine.reader.hand_over(value, None, machine.spot())


def _store_subscript(machine: Machine, step: Step) -> None:
    key, container, value = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    if not isinstance(container, Bag | Table) or container.home is not machine:
        machine.reader.hand_over(value, None, machine.spot())
    if isinstance(opened(container), Bag | Table):
        machine.replace(container, stored(container, key, value))


def _import_name(machine: Machine, step: Step) -> None:
    from_list, level = machine.stack.pop(), machine.stack.pop()
    depth = level.thing if isinstance(level, Known) and isinstance(level.thing, int) else 0
    package = machine.callee.names.get("__package__") or ""
    try:
        name = resolve_name("." * depth + step.value, package) if depth else step.value
    except ImportError:  # a relative import outside a package fails when it runs, too
        name = step.value
    found = imported(machine.reader, name, machine.spot())
    whole = isinstance(from_list, Known) and from_list.thing is None
    if whole and isinstance(found, Known):
        found = Known(sys.modules[name.partition(".")[0]])
    machine.stack.append(found)


def _import_from(machine: Machine, step: Step) -> None:
    module = machine.stack[-1]
    found = attribute(machine.reader, module, step.value, machine.spot())
    if isinstance(found, Foreign) and isinstance(module, Known):
        found = imported(machine.reader, f"{module.thing.__name__}.{step.value}", machine.spot())
    machine.stack.append(found)


OPERATIONS: Final[dict[str, Callable[[Machine, Step], None]]] = {
    "LOAD_GLOBAL": _load_global,
    "LOAD_NAME": _load_name,
    **dict.fromkeys(("LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF", "LOAD_FROM_DICT_OR_GLOBALS"), _load_name_below),
    "STORE_NAME": _store_name,
    "STORE_GLOBAL": _store_global,
    **dict.fromkeys(("LOAD_ATTR", "LOAD_METHOD"), _load_attr),
    "LOAD_SUPER_ATTR": _load_super_attr,
    "STORE_ATTR": _store_attr,
    "STORE_SUBSCR": _store_subscript,
    "IMPORT_NAME": _import_name,
    "IMPORT_FROM": _import_from,
}
