"""Settings of the Python process for a busy event loop beside a writer thread."""

from __future__ import annotations

import gc
import sys
from typing import Final

from parti.units import Seconds

SWITCH: Final[Seconds] = 0.0005
"""The writer thread asks for the interpreter lock at each SQL statement; at the default (5 ms) a busy event loop makes
one small commit wait up to 60 ms for it, at this up to 5 ms."""

YOUNG: Final = 50_000
"""Objects made before the youngest are searched for cycles (default 700). Runs make thousands that live for a commit;
searching them again and again took a quarter of the engine's time."""


def tune_process() -> None:
    """Set the switch interval, and let the garbage collector run rarely and leave alone what is loaded by now."""
    sys.setswitchinterval(SWITCH)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
