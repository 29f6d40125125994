"""A design as a Mermaid flowchart, for pages that render Mermaid themselves."""

from __future__ import annotations

from typing import Final

from parti.design.graph import Design, Part
from parti.drawings.flow import Link, drawn_parts, kind_of, links
from parti.drawings.palette import LOOKS
from parti.drawings.subtitle import subtitle

# The brackets that give a node its shape.
_BRACKETS: Final = {
    "source": (">", "]"),
    "topic": ("([", "])"),
    "handler": ("(", ")"),
    "endpoint": ("[/", "/]"),
    "schedule": ("((", "))"),
    "guard": ("[", "]"),
    "step": ("[", "]"),
    "tool": ("[[", "]]"),
    "toolserver": ("[[", "]]"),
    "model": ("{{", "}}"),
    "llm": ("{{", "}}"),
    "agent": ("(", ")"),
    "memory": ("[(", ")]"),
    "table": ("[(", ")]"),
    "person": ("([", "])"),
    "monitor": ("[\\", "\\]"),
}


def draw_mermaid(design: Design) -> str:
    """`design` as Mermaid text. Events are dotted lines, since Mermaid has no dashes; the rest is solid.

    Nodes are called ``p0``, ``p1`` … in the order of declaration, since names may hold what Mermaid cannot read.
    """
    parts = drawn_parts(design)
    ids = {part.name: f"p{index}" for index, part in enumerate(parts)}
    kinds = [kind for kind in LOOKS if any(kind_of(part) == kind for part in parts)]
    lines = ["flowchart LR"]
    lines += [f"  {ids[part.name]}{_node(part)}:::{kind_of(part)}" for part in parts]
    lines += [f"  {ids[link.tail]} {_line(link)} {ids[link.head]}" for link in links(design)]
    lines += [f"  classDef {kind} stroke:{LOOKS[kind].light},fill:{LOOKS[kind].light}14" for kind in kinds]
    return "\n".join(lines) + "\n"


def _node(part: Part) -> str:
    start, end = _BRACKETS[kind_of(part)]
    return f'{start}"{kind_of(part)} <b>{_escaped(part.name)}</b><br/>{_escaped(subtitle(part))}"{end}'


def _line(link: Link) -> str:
    words = ("may " if link.may else "") + ", ".join(link.kinds)
    dotted = link.manner == "event" or link.may
    start = "<" if link.both else ""
    return f'{start}-.->|"{words}"|' if dotted else f'{start}-->|"{words}"|'


def _escaped(text: str) -> str:
    """`text` with every letter that Mermaid or HTML could take for its own as a Mermaid entity."""
    plain = " _-.,:/·→…"
    return "".join(letter if letter.isalnum() or letter in plain else f"#{ord(letter)};" for letter in text)
