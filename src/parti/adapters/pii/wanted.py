"""Whether a design wants free texts to be searched for personal data, and by what."""

from __future__ import annotations

from parti.design.graph import Design
from parti.design.llm import Llm
from parti.design.tool import Tool
from parti.ports.detector import Detector


def detector_for(design: Design) -> Detector | None:
    """What finds personal data in free texts; None where no gate looks for it. Raises P110 without its packages."""
    gates = [design.gate, *(tool.gate for tool in design.all(Tool)), *(llm.gate for llm in design.all(Llm))]
    if design.holding == "off" or not any(gate is not None and gate.detect for gate in gates):
        return None
    from parti.adapters.pii.presidio import PresidioDetector  # noqa: PLC0415 only where free texts are searched

    return PresidioDetector()
