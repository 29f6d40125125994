"""How each kind of part looks: its words, shape, colours and glyph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    """`shape` names an outline of `shapes`; `glyph` is a path in a square of 16 by 16 pixels, drawn as a line."""

    about: str
    shape: str
    light: str
    dark: str
    glyph: str


LOOKS: Final[Mapping[str, Look]] = {
    "source": Look("events come in", "arrow", "#2f8a4c", "#5cc98a", "M8 2v8M4.8 7 8 10.2 11.2 7M2.5 10.5v3h11v-3"),
    "topic": Look("stream of events", "tube", "#6a55dd", "#a695ff", "M2 5.5h7M2 8h12M2 10.5h7M11.2 5.2 14 8l-2.8 2.8"),
    "handler": Look("runs for each event", "card", "#2466d8", "#74a9ff", "M9 1.8 3.4 9H8l-1 5.2L12.6 7H8z"),
    "endpoint": Look(
        "answers HTTP",
        "flag",
        "#0b7fa8",
        "#4fc3e8",
        "M2.5 5h9M8.8 2.2 11.6 5 8.8 7.8M13.5 11h-9M7.2 8.2 4.4 11l2.8 2.8",
    ),
    "schedule": Look("runs by the clock", "pill", "#a86a08", "#f0b44c", "M8 2.2a5.8 5.8 0 1 0 .01 0zM8 4.8V8l2.3 1.6"),
    "guard": Look(
        "lets through",
        "plain",
        "#5a6b80",
        "#a5b4c8",
        "M8 2.5L13.5 5v3.5c0 2.8-2.4 4.6-5.5 5.5c-3.1-.9-5.5-2.7-5.5-5.5V5z",
    ),
    "step": Look("journaled function", "plain", "#5a6b80", "#a5b4c8", "M3 13V10h3.4V7h3.4V4H13"),
    "tool": Look(
        "reaches outside",
        "cut",
        "#cf5a1c",
        "#ff9a62",
        "M13.4 4.6 10.9 7 9 5.1l2.4-2.5a3.6 3.6 0 0 0-4.6 4.7L2.6 11.4a1.4 1.4 0 0 0 2 2l4.2-4.2a3.6 3.6 0 0 0 4.6-4.6z",
    ),
    "toolserver": Look(
        "offers tools",
        "cut",
        "#b0522a",
        "#f0a37c",
        "M2.4 3h11.2v4H2.4zM2.4 9h11.2v4H2.4zM5 5h.01M5 11h.01M8 5h3.4M8 11h3.4",
    ),
    "model": Look(
        "learned function",
        "hexagon",
        "#b8348a",
        "#f284c6",
        "M3.2 4.2 8 2l4.8 2.2v7.6L8 14l-4.8-2.2zM3.4 4.4 8 6.6l4.6-2.2M8 6.6V14",
    ),
    "agent": Look(
        "works in turns",
        "card",
        "#7c3aed",
        "#b794ff",
        "M4 6.2h8v6.6H4zM8 3v3.2M6.2 8.8v1.4M9.8 8.8v1.4M2.4 8.4v2.6M13.6 8.4v2.6",
    ),
    "llm": Look(
        "language model", "hexagon", "#4455aa", "#9fb0ff", "M2.6 3.4h10.8v7H7.6l-3 2.8v-2.8h-2zM5.2 6h5.6M5.2 8h3.4"
    ),
    "memory": Look(
        "facts by meaning", "drum", "#5f7d12", "#a9c957", "M4.2 2.6h7.6v10.8L8 10.8l-3.8 2.6zM6.4 5.2h3.2M6.4 7.4h3.2"
    ),
    "table": Look(
        "latest row of each key", "drum", "#0c8577", "#45cdbb", "M2.5 3.2h11v9.6h-11zM2.5 6.4h11M2.5 9.6h11M6.4 6.4v6.4"
    ),
    "person": Look(
        "is asked",
        "chip",
        "#c93a5b",
        "#ff8aa3",
        "M8 2.4a2.7 2.7 0 1 0 .01 0zM2.8 13.6c.5-3 2.6-4.4 5.2-4.4s4.7 1.4 5.2 4.4",
    ),
    "monitor": Look("figures to watch", "sheet", "#7a6a12", "#d8c455", "M2.2 8.6h2.6L6.6 4l2.8 8 1.8-4.6.6 1.2h2"),
}

# Lines take the colour of what they lead to or come from.
LINES: Final[Mapping[str, tuple[str, str, str]]] = {
    "event": ("events", "#8677e6", "#8f7ff0"),
    "data": ("reads, writes", "#35a193", "#35a99a"),
    "call": ("calls", "#8593a6", "#76869b"),
    "ask": ("asks", "#d9647f", "#e06c88"),
}
