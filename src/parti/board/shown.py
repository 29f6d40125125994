"""What the board shows, handed in by the wiring: the running system, its drawing, and its style sheet."""

from __future__ import annotations

from dataclasses import dataclass

from parti.ports.operations import Operations


@dataclass(frozen=True, slots=True)
class Shown:
    """`operations` is what runs. `drawing` is its design as the SVG of ``parti draw --svg``, without a style sheet of its
    own; `style` is that style sheet, for pages whose root says ``data-theme="dark"`` or "light".
    """

    operations: Operations
    drawing: str
    style: str
