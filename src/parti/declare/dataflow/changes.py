"""What changes an object: a method that takes something in or turns it round, and a library that is handed it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, Final

from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.libraries import name_of
from parti.declare.dataflow.values import PLAIN, UNKNOWN, Bound, Closure, Of, Used, Value, alike, mixed, replaced

_ITEMS_MAX: Final = 64
"""Items of a collection that are kept apart."""

_TAKING: Final = frozenset(
    """append appendleft extend extendleft add insert update setdefault put put_nowait write writelines set set_result
    set_exception add_note push send feed fill enqueue store register __setitem__ __setattr__ __iadd__ __ior__""".split()  # noqa: SIM905
)
"""Methods that keep what they are given."""

_TURNING: Final = frozenset(
    {"reverse", "sort", "pop", "popleft", "remove", "rotate", "insert", "move_to_end", "popitem"}
)
"""Methods after which an item lies elsewhere in its collection."""

_READING: Final = frozenset(
    """capitalize casefold center count decode encode endswith expandtabs find format format_map index isalnum isalpha isdigit
    isspace items join keys ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit
    rstrip split splitlines startswith strip swapcase title translate upper values zfill copy get hex issubset isdisjoint
    issuperset union intersection difference symmetric_difference isoformat strftime timestamp total_seconds group groups
    debug info warning error exception critical log match search fullmatch findall finditer sub model_dump model_dump_json
    model_copy getvalue read readline readlines most_common elements exists is_file is_dir with_suffix relative_to hexdigest
    digest result done cursor fetchone fetchall execute executemany close""".split()  # noqa: SIM905
)
"""Methods that keep nothing of what they are given, of the types that programs use most."""

_PURE: Final = """builtins. json. re. math. cmath. decimal. fractions. statistics. datetime. logging. copy. string. textwrap. hashlib. hmac.
    base64. binascii. urllib.parse. html. uuid. itertools. functools. collections. dataclasses. typing. enum. random. secrets.
    zlib. gzip. struct. pprint. unicodedata. difflib. asyncio. inspect. time. pathlib. os. subprocess. pickle. yaml. csv.
    _json. _operator.itemgetter _operator.attrgetter _csv. posixpath. contextlib. types. weakref. _functools. _collections. _asyncio.
    markupsafe.""".split()  # noqa: SIM905
"""Modules whose functions change nothing that they are handed."""

_CHANGING: Final = frozenset({"builtins.setattr", "builtins.exec", "builtins.eval", "random.shuffle"})


def keep(frame: Frame, value: Value, more: Sequence[Value]) -> None:
    """The object may keep any of `more`, somewhere."""
    if any(one.all for one in more) or frame.choices:
        frame.change(value, mixed(more))


def by_library(
    frame: Frame, thing: Any, receiver: Value | None, given: Sequence[Value], named: Mapping[str, Value]
) -> None:
    """A library may keep what it is given in the object whose method is called, and in the other arguments."""
    values, name = [*given, *named.values()], name_of(thing)
    if receiver is not None:
        _by_method(frame, thing, receiver, given, values)
        return
    if name == "builtins.print" and "file" in named:
        keep(frame, named["file"], given)
    elif name == "builtins.setattr" and len(given) == 3:
        keep(frame, given[0], given[1:])
    elif name in _CHANGING or not name.startswith(tuple(_PURE)):
        for value in values:
            keep(frame, value, [other for other in values if other is not value])


def _by_method(frame: Frame, thing: Any, receiver: Value, given: Sequence[Value], values: Sequence[Value]) -> None:
    method = thing.name if isinstance(thing, Of) else getattr(thing.function, "__name__", "")
    if method in _TURNING:
        for item in receiver.items or ():
            frame.change(receiver, item, item=True)
    if method in ("append", "appendleft", "add", "put", "put_nowait") and given:
        frame.change(receiver, given[0], item=True)
        keep(frame, receiver, values[1:])
    elif method == "extend" and given:
        for item in given[0].items or (given[0],):
            frame.change(receiver, item, item=given[0].items is not None)
    elif method in _TAKING or method in _TURNING or (method not in _READING and _is_ours(receiver)):
        keep(frame, receiver, values)
        if method not in _TAKING and method not in _TURNING:
            for value in values:
                keep(frame, value, [receiver, *(other for other in values if other is not value)])


def _is_ours(receiver: Value) -> bool:
    """Whether the run has made the object. A client that the app makes once keeps, as far as is known, nothing."""
    return receiver.thing is UNKNOWN or isinstance(receiver.thing, Bound | Of)


def is_called(thing: Any) -> bool:
    """Whether a library that is handed the thing can do nothing with it but call it."""
    return isinstance(thing, Closure | Bound | Used) or (isinstance(thing, Of) and thing.name in _TAKING)


def in_files(frame: Frame, thing: Any, given: Sequence[Value]) -> Value:
    """What files hold, for a call that reads or opens one. All files count as one, since their names are not compared."""
    cell = frame.reader.heap.cell_of("files", lasts=True)
    method = thing.name if isinstance(thing, Of) else getattr(getattr(thing, "function", None), "__name__", "")
    if method in ("write_text", "write_bytes"):
        frame.store([cell], mixed(given))
    reads = method in ("read_text", "read_bytes", "open") or name_of(thing) == "builtins.open"
    return Value(cells=frozenset({cell})) if reads else PLAIN


def in_place(frame: Frame, node: ast.expr, method: str, given: Sequence[Value]) -> None:
    """A list of a variable keeps its items apart as long as they are only added at its end."""
    if not isinstance(node, ast.Name) or node.id not in frame.variables:
        return
    old = frame.variables[node.id]
    if old.items is None or len(old.items) >= _ITEMS_MAX or method != "append" or frame.branches:
        return
    for item in given:
        if not any(alike(item, one) for one in old.items):
            old = replaced(old, items=(*old.items, item))
    frame.variables[node.id] = old
