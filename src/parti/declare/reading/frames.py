"""A function about to be read, and the spot that the reading has reached."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from parti.declare.reading.arguments import Defaults
from parti.declare.reading.symbols import Cell


class Spot(NamedTuple):
    """Where the reading is: a line of a file, whether it is one of several ways, and how deep in calls."""

    file: str
    line: int
    may: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Callee:
    """A function about to be read: its code, the names of its module, its defaults and its shared variables."""

    code: CodeType
    names: dict[str, Any]
    defaults: Defaults
    cells: tuple[Cell, ...]
