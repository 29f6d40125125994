"""An approval: who must agree before a tool is called, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parti.units import Seconds, seconds


@dataclass(frozen=True, slots=True, init=False)
class Approval:
    """The person `who` must agree before each call, or before those for which ``when(*arguments)`` is true.

    After `timeout` (None: never) the answer is `default`. `when` is asked again in every replay: the same arguments must
    get the same answer.
    """

    who: str
    timeout: Seconds | None
    default: bool
    when: Callable[..., bool] | None = field(repr=False, compare=False)

    def __init__(
        self,
        who: str,
        *,
        when: Callable[..., bool] | None = None,
        timeout: str | float | None = None,
        default: bool = False,
    ) -> None:
        object.__setattr__(self, "who", who)
        object.__setattr__(self, "when", when)
        object.__setattr__(self, "timeout", None if timeout is None else seconds(timeout))
        object.__setattr__(self, "default", default)

    def is_wanted(self, arguments: tuple[Any, ...]) -> bool:
        """Whether this call needs it."""
        return self.when is None or bool(self.when(*arguments))
