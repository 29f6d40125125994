"""The drawings of two designs are those accepted; run pytest with ACCEPT=1 to accept new ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from designs import lending, retail

from parti.design.graph import Design
from parti.drawings import design_json, draw_mermaid, draw_svg, draw_text

GOLDEN = Path(__file__).parent.parent / "golden" / "drawings"
DRAWINGS: dict[str, Callable[[Design], str]] = {
    "txt": draw_text,
    "mmd": draw_mermaid,
    "svg": draw_svg,
    # The design's digest tells its code too, which may change while its drawing stays.
    "json": lambda design: json.dumps(design_json(design) | {"digest": "0" * 16}, indent=1) + "\n",
}


@pytest.mark.parametrize("ending", DRAWINGS)
@pytest.mark.parametrize("make", [lending, retail])
def test_a_drawing_is_the_one_accepted(make: Callable[[], Design], ending: str) -> None:
    drawn = DRAWINGS[ending](make())
    accepted = GOLDEN / f"{make.__name__}.{ending}"
    if os.environ.get("ACCEPT"):
        accepted.parent.mkdir(parents=True, exist_ok=True)
        accepted.write_text(drawn, encoding="utf-8")
    assert drawn == accepted.read_text(encoding="utf-8")
