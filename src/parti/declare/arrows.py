"""Arrows read from the program: which parts a function uses, through the helpers of the app, without running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from parti.declare.reading.arguments import UNSEEN
from parti.declare.reading.frames import Spot
from parti.declare.reading.lookup import MISSING, unwrapped
from parti.declare.reading.reader import Reader
from parti.declare.reading.symbols import Known
from parti.declare.reading.territory import Territory
from parti.design.graph import Arrow, Opaque

_ROUNDS: Final = 5


@dataclass(frozen=True)
class Reading:
    """What was read: sorted, without duplicates. `persons` are those who are asked."""

    arrows: tuple[Arrow, ...]
    opaque: tuple[Opaque, ...]
    persons: tuple[str, ...]


def read_arrows(part: str, function: Callable[..., Any], *, root: Path) -> Reading:
    """The arrows that leave `part`, whose function it is, and the spots where parts may be used but cannot be told.

    `root` is the folder of the app; functions under it or in the function's own top-level package are followed.
    An arrow is drawn only where the program certainly names the part, with `may` where it is one of several.
    Nothing of the program is run. Raises nothing.
    """
    inner = _innermost(function)
    start = _start(inner)
    package = str(getattr(inner, "__globals__", {}).get("__name__", "")).partition(".")[0]
    reader = Reader(part, Territory(root, "" if package == "__main__" else package, start.file))
    for _ in range(_ROUNDS):
        reader.again()
        reader.call(Known(function), UNSEEN, start)
        reader.follow_unseen()
        if not reader.stale:
            break
    else:
        reader.doubt("what objects hold here does not settle; some uses may be missing", start)
    arrows, opaque = reader.findings.sorted()
    return Reading(arrows, opaque, tuple(sorted({arrow.target for arrow in arrows if arrow.kind == "asks"})))


def _innermost(function: Any) -> Any:
    """The function under all decorators."""
    while unwrapped(function) is not MISSING:
        function = unwrapped(function)
    return function


def _start(function: Any) -> Spot:
    code = getattr(function, "__code__", None)
    return Spot(code.co_filename, code.co_firstlineno) if code else Spot("", 0)
