"""Drawing a design."""

from __future__ import annotations

from typing import Any

from parti.drawings import design_json, draw_mermaid, draw_svg, draw_text
from parti.verbs.target import Target


def as_text(target: Target, *, width: int = 100) -> str:
    """The design for a terminal of `width` columns."""
    return draw_text(target.design, width=width)


def as_svg(target: Target) -> str:
    """The design as an SVG document."""
    return draw_svg(target.design)


def as_mermaid(target: Target) -> str:
    """The design as a Mermaid flowchart."""
    return draw_mermaid(target.design)


def as_json(target: Target) -> dict[str, Any]:
    """The design as JSON; its schema is published as ``parti.drawings.schema()``."""
    return design_json(target.design)
