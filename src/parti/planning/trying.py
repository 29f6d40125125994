"""Trying again: how calls of a part are cut off and repeated, as its design declares and the engine does.

- A failed call is made again up to ``retry=``, after the declared pauses with full jitter; the last one counts whatever came of it.
- A run that failed is made again up to its own ``retry=``. What it had done by then its journal answers, so its own work alone is
  done again.
- A timeout counts from when a call's turn has come (``concurrency=``, batches, what only waits), and for a blocking function without a
  line from when it is given to a thread. Coroutines stop where they are; a thread cannot be stopped and goes on for nobody, and
  what no thread has begun is taken back. A coroutine that computes cannot be cut off by anything.

Which share of attempts fails is that of the profile: attempts that did not end well, of all that were made. Of language models the
journal tells what became of all attempts together, so theirs is the share of calls.
"""

from __future__ import annotations

import math
from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.goals import Retry as Declared
from parti.design.graph import Part
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.tool import Tool
from parti.planning.profile import Outcomes
from parti.sim.network import Retry
from parti.units import Seconds

OF_LLMS: Final = Declared(2, first="500ms", longest="20s")
"""How long requests to language models pause, as `parti.agents.gate` has it; how often they are made is the llm's."""

LEAST: Final = 1e-9
"""A smaller share of failing attempts is none."""


def failing(known: Outcomes) -> float:
    """The share (0 to 1) of attempts that came to nothing, of those that were not cancelled; 0 where nobody counted any."""
    made = known.attempts - known.cancelled
    return max(0.0, 1.0 - known.done / made) if made > 0 else 0.0


def attempts(retry: Retry) -> float:
    """How many attempts a call needs in the mean, of those that fail by chance; timeouts not counted."""
    return sum(retry.failing**number for number in range(retry.attempts))


def declared_retry(part: Part) -> Declared:
    """How often a part's calls (of a runner: its runs) are made, and the pauses between."""
    if isinstance(part, Llm):
        return Declared(part.attempts, first=OF_LLMS.first, factor=OF_LLMS.factor, longest=OF_LLMS.longest)
    return part.retry if isinstance(part, Step | Tool | Handler | Schedule) else Declared(1)


def manners(
    part: Part, known: Outcomes, *, computes: bool, longest: Seconds, patience: Seconds, engine: bool = False
) -> Retry | None:
    """How callers of a part treat attempts that fail or take too long; None where nothing of that can happen.

    `computes` says that the part mostly does; `longest` is the longest service that was measured (seconds). Timeouts of `patience`
    seconds or more are left out, and those that no service reaches; an `engine` batches continuously, and its timeouts are left out.
    """
    retry, share = declared_retry(part), failing(known)
    timeout, begun = (math.inf, False) if engine else _timeout(part, computes=computes, longest=longest)
    if timeout >= patience:
        timeout = math.inf
    again = retry.attempts > 1 and share > LEAST
    if not again and math.isinf(timeout):
        return None
    stops = not in_thread(part)
    return Retry(
        timeout, retry.attempts, retry.first, retry.factor, retry.longest, jitter=1.0, stop=stops,
        begun=begun and math.isfinite(timeout), failing=share if again else 0.0,
    )  # fmt: skip


def _timeout(part: Part, *, computes: bool, longest: Seconds) -> tuple[Seconds, bool]:
    """After how long a call is given up, and whether that counts from the begin of its service; infinite for never."""
    if isinstance(part, Handler | Endpoint | Schedule):
        return math.inf, False  # bounds a whole run, and no call
    timeout: Seconds = getattr(part, "timeout", math.inf)
    in_line = isinstance(part, Llm) or getattr(part, "concurrency", None) is not None or getattr(part, "batch", None)
    if in_thread(part) and computes and not in_line:
        return timeout, False
    if computes and not in_thread(part):
        return math.inf, False
    return (timeout, True) if longest > timeout else (math.inf, False)


def in_thread(part: Part) -> bool:
    """Whether its calls are in threads: blocking functions and models."""
    function = getattr(part, "function", None)
    return isinstance(part, Model) or (isinstance(function, Function) and not function.is_async)
