"""The reader of one part: follows calls from its function, and gathers arrows and opaque spots."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

from parti.declare.handles import PartHandle
from parti.declare.reading.arguments import UNSEEN, Arguments, Defaults, bind
from parti.declare.reading.frames import Callee, Spot
from parti.declare.reading.machine import Machine, Unreadable
from parti.declare.reading.symbols import (
    FOREIGN,
    PLAIN,
    Bag,
    Cell,
    Foreign,
    Known,
    Made,
    Symbol,
    bag,
    join,
)
from parti.declare.reading.territory import Territory
from parti.declare.types import short_path
from parti.design.graph import Arrow, Kind, Opaque
from parti.design.places import Place

DEEPEST_CALLS: Final = 40
MOST_CALLS: Final = 4000
MOST_WAYS: Final = 12
"""How many different plain arguments one function is followed with before they count as just data."""


class Reader:
    """Reads one part. What is stored in objects is kept in `heap`, joined over the whole program."""

    def __init__(self, part: str, root: Path, package: str) -> None:
        self.part = part
        self.root = root
        self.territory = Territory(root, package)
        self.arrows: dict[tuple[Kind, str, Place], bool] = {}
        self.opaque: set[Opaque] = set()
        self.heap: dict[tuple[Symbol, str], Symbol] = {}
        self.stale = False
        self.made: dict[Made, Spot] = {}
        self._entered: set[int] = set()
        self._results: dict[tuple[object, ...], Symbol] = {}
        self._ways: dict[int, int] = {}
        self._seen: set[tuple[Symbol, str]] = set()
        self._cells: dict[int, Cell] = {}
        self._files: dict[str, str] = {}

    def again(self) -> None:
        """Forget which calls were followed, but not what is stored where: the program is read once more."""
        self.stale = False
        for gathered in (self.arrows, self.opaque, self.made, self._entered, self._results, self._seen, self._ways):
            gathered.clear()

    # What is found

    def draw(self, kind: Kind, target: str, spot: Spot, *, may: bool = False) -> None:
        """Note an arrow; one that is certain at the same place outweighs one that may be."""
        key = (kind, target, self._place(spot))
        self.arrows[key] = self.arrows.get(key, True) and (may or spot.may)

    def doubt(self, why: str, spot: Spot) -> None:
        """Note an opaque spot."""
        self.opaque.add(Opaque(self.part, self._place(spot), why))

    def _place(self, spot: Spot) -> Place:
        short = self._files.get(spot.file)
        if short is None:
            short = self._files[spot.file] = short_path(spot.file, self.root)
        return Place(short, spot.line)

    def found(self) -> tuple[tuple[Arrow, ...], tuple[Opaque, ...]]:
        """All arrows and opaque spots, sorted."""
        arrows = (Arrow(self.part, kind, target, place, may) for (kind, target, place), may in self.arrows.items())
        return tuple(sorted(arrows)), tuple(sorted(self.opaque))

    # What is stored

    def load(self, owner: Symbol, name: str) -> Symbol | None:
        """What the program stores in an attribute or global; None when it never does."""
        self._seen.add((owner, name))
        return self.heap.get((owner, name))

    def store(self, owner: Symbol, name: str, value: Symbol) -> None:
        """Add what an attribute or global may be. When it was read before, the reading is stale."""
        key = (owner, name)
        old = self.heap.get(key)
        new = value if old is None else join(old, value)
        if old is None or new != old:
            self.heap[key] = new
            self.stale = self.stale or (key in self._seen and not (old is None and isinstance(new, Foreign)))

    # What is followed

    def owns(self, function: Symbol) -> bool:
        """Whether it is a function of the app."""
        if isinstance(function, Made):
            return True
        if not isinstance(function, Known) or not isinstance(function.thing, FunctionType):
            return False
        return self.territory.owns_code(function.thing.__code__, function.thing.__globals__)

    def enter(self, function: Symbol, arguments: Arguments, spot: Spot) -> Symbol:
        """Follow a call into a function of the app; what it returns. Each way of calling it is read once."""
        callee = self._callee(function)
        bound = self._narrowed(callee.code, bind(callee.code, callee.defaults, arguments))
        seen = tuple(cell.value for cell in callee.cells)
        key = (id(callee.code), id(callee.names), spot.may, tuple(bound.items()), seen)
        if key in self._results:
            return self._results[key]
        if spot.depth >= DEEPEST_CALLS or len(self._results) >= MOST_CALLS:
            what = f"{DEEPEST_CALLS} deep" if spot.depth >= DEEPEST_CALLS else f"more than {MOST_CALLS} ways"
            self.doubt(f"calls go {what}; `{callee.code.co_name}` is not followed from here", spot)
            return FOREIGN
        self._entered.add(id(callee.code))
        self._ways[id(callee.code)] = self._ways.get(id(callee.code), 0) + 1
        self._results[key] = FOREIGN  # a call of itself adds nothing new
        result = self._run(callee, bound, spot)
        self._results[key] = result
        return result

    def _run(self, callee: Callee, bound: dict[str, Symbol], spot: Spot) -> Symbol:
        code = callee.code
        machine = Machine(self, callee, bound, Spot(code.co_filename, code.co_firstlineno, spot.may, spot.depth + 1))
        try:
            machine.run()
        except Unreadable as why:
            self.doubt(f"`{code.co_name}` could not be read: {why}", machine.spot())
        if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
            return Bag((), False) if machine.yielded is None else bag((machine.yielded,), exact=False)
        return FOREIGN if machine.returned is None else machine.returned

    def _callee(self, function: Symbol) -> Callee:
        if isinstance(function, Made):
            defaults = Defaults(function.defaults, dict(function.keyword_defaults))
            return Callee(function.code, function.globals, defaults, function.cells)
        assert isinstance(function, Known), "only functions are entered"
        real: FunctionType = function.thing
        named = {name: Known(value) for name, value in (real.__kwdefaults__ or {}).items()}
        defaults = Defaults(tuple(map(Known, real.__defaults__ or ())), named)
        return Callee(real.__code__, real.__globals__, defaults, tuple(map(self._cell, real.__closure__ or ())))

    def _cell(self, real: Any) -> Cell:
        """The shared variable of an existing function, with what it holds now."""
        cell = self._cells.get(id(real))
        if cell is None:
            try:
                cell = Cell(Known(real.cell_contents))
            except ValueError:  # nothing was stored in it yet
                cell = Cell()
            self._cells[id(real)] = cell
        return cell

    def _narrowed(self, code: CodeType, bound: dict[str, Symbol]) -> dict[str, Symbol]:
        """A function called in many ways is read with its parts only; its data no longer counts."""
        if self._ways.get(id(code), 0) < MOST_WAYS:
            return bound
        return {name: _without_data(symbol) for name, symbol in bound.items()}

    def follow_unseen(self) -> None:
        """Read the nested functions that nobody in sight calls: whoever gets them may."""
        waiting = True
        while waiting:
            waiting = [item for item in self.made.items() if id(item[0].code) not in self._entered]
            for made, spot in waiting:
                self.enter(made, UNSEEN, spot)
                self._entered.add(id(made.code))

    def use(self, handle: Known, method: str, spot: Spot) -> None:
        """A part is used through one of its methods."""
        part: PartHandle = handle.thing
        kind = part.uses.get(method)
        if kind is not None:
            self.draw(kind, part.name, spot)


def _without_data(symbol: Symbol) -> Symbol:
    return FOREIGN if isinstance(symbol, Known) and type(symbol.thing) in PLAIN else symbol
