"""Methods of containers on symbols: ``TOOLS.values()``, ``tools.append(book)``, ``globals().get(name)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parti.declare.reading.arguments import Arguments
from parti.declare.reading.containers import (
    added,
    as_bag,
    element,
    extended,
    opened,
    stored,
    subscript,
    value_of,
)
from parti.declare.reading.frames import Spot
from parti.declare.reading.symbols import (
    FOREIGN,
    Bag,
    Foreign,
    Known,
    Method,
    Namespace,
    Symbol,
    Table,
    bag,
    is_a,
    join,
)

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader

ADDING: Final = frozenset({"append", "add", "appendleft", "insert"})
EXTENDING: Final = frozenset({"extend", "update", "extendleft"})
_SAME: Final = frozenset({"copy", "keys", "union", "intersection", "difference", "__iter__"})


def call_method(reader: Reader, method: Method, arguments: Arguments, spot: Spot) -> Symbol:
    """What the method gives. Those that change the container have done so already, see `changed`."""
    receiver, name = method.receiver, method.name
    if isinstance(receiver, Namespace):
        key = arguments.get(0) or FOREIGN
        return name_in(reader, receiver, key, spot) if name in ("get", "pop", "__getitem__") else FOREIGN
    found = opened(receiver)
    if name in ("get", "pop", "setdefault", "__getitem__"):
        return _taken(found, name, arguments)
    if name == "popleft":
        return element(found)
    if name == "values":
        return _values(found)
    if name == "items" and isinstance(found, Table):
        return bag((bag(pair) for pair in found.pairs), exact=found.exact)
    if name in _SAME:
        return as_bag(found) if name == "keys" else found
    if name not in ADDING | EXTENDING:
        reader.leave(method, arguments, spot)
    return FOREIGN


def _taken(found: Symbol, name: str, arguments: Arguments) -> Symbol:
    if isinstance(found, Bag):
        return element(found)
    key, default = arguments.get(0) or FOREIGN, arguments.get(1)
    value = subscript(found, key)
    certain = isinstance(found, Table) and found.exact and any(name_ == key for name_, _ in found.pairs)
    if certain or name == "__getitem__":
        return value
    return join(value, FOREIGN if default is None else default)


def _values(found: Symbol) -> Symbol:
    if isinstance(found, Table):
        return bag((value for _, value in found.pairs), exact=found.exact)
    return bag((value_of(found),), exact=False)


def changed(found: Symbol, name: str, arguments: Arguments) -> Symbol | None:
    """The container after a method that adds to it, or None when the method adds nothing."""
    if name in ADDING and arguments.positional:
        return added(found, arguments.positional[-1])
    if name == "setdefault" and len(arguments.positional) > 1:
        return stored(found, arguments.positional[0], arguments.positional[1])
    if name not in EXTENDING:
        return None
    for more in arguments.positional:
        found = extended(found, more)
    for key, value in arguments.keywords:
        found = stored(found, Known(key), value)
    return found


def name_in(reader: Reader, namespace: Namespace, key: Symbol, spot: Spot) -> Symbol:
    """``globals()[key]``: exactly when the key is known; an opaque spot when it is computed and parts are within reach."""
    if isinstance(key, Known) and is_a(key.thing, str):
        found = namespace.names.get(str.__str__(key.thing))
        return Foreign(key.thing) if found is None else Known(found)
    if any(reader.reaches(value) for value in namespace.names.values()):
        reader.doubt("a name of the program is computed here; which it is cannot be told", spot)
    return FOREIGN
