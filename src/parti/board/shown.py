"""What the board shows, handed in by the wiring: the running system, its drawing and style sheet, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parti.ports.operations import Operations

Findings = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]
"""What ``parti check`` finds, the worst first: each as its JSON, with "accepted", null or {"reason", "until"}.

The first to ask waits for the check; the engine does not."""


async def nothing_found() -> Sequence[Mapping[str, Any]]:
    """For a board whose system is not checked."""
    return ()


@dataclass(frozen=True, slots=True)
class Shown:
    """`operations` is what runs. `drawing` is its design as the SVG of ``parti draw --svg``, without a style sheet of its
    own; `style` is that style sheet, for pages whose root says ``data-theme="dark"`` or "light".
    """

    operations: Operations
    drawing: str
    style: str
    findings: Findings = nothing_found
