"""Pages: the passages of a folder of documentation, Markdown or Mallard, each under the heading it stands below."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

FOLDER: Final = Path(os.environ.get("HELPDESK_DOCS") or Path(__file__).parents[2] / "docs")
"""What is answered from: Parti's own documentation, or any folder of ``.md`` and ``.page`` files."""

if not FOLDER.is_dir():  # nothing would be learned, and every question would go to a person
    raise FileNotFoundError(f"there is no folder {FOLDER}: set HELPDESK_DOCS to one of .md or .page files")

LONGEST: Final = 900
"""Characters of a passage: about what the embedding model reads of a text."""

SHORTEST: Final = 30
"""Characters that a passage needs to say anything."""

Passage = tuple[str, str]
"""Where it stands (``page.md: heading``), and the text."""


def passages(folder: Path = FOLDER) -> list[Passage]:
    """All passages, page by page in the order of their names."""
    files = sorted(file for ending in ("md", "page") for file in folder.rglob(f"*.{ending}"))
    return [passage for file in files for passage in _of(file, folder)]


def _of(file: Path, folder: Path) -> Iterator[Passage]:
    name = str(file.relative_to(folder))
    sections = _mallard(file) if file.suffix == ".page" else _markdown(file.read_text(encoding="utf-8"))
    for heading, text in sections:
        for piece in _pieces(text):
            yield f"{name}: {heading}", piece


def _markdown(text: str) -> Iterator[Passage]:
    """Sections by heading; code is left in, since it is often the answer."""
    heading, lines = "", list[str]()
    for line in text.splitlines():
        if re.match(r"#{1,4} ", line):
            yield heading, "\n".join(lines)
            heading, lines = line.lstrip("# ").strip("`"), []
        else:
            lines.append(line)
    yield heading, "\n".join(lines)


def _mallard(file: Path) -> Iterator[Passage]:
    """The paragraphs of a Mallard page (GNOME's help), under its title."""
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{file} is not a Mallard page: {error}") from error
    title = next((" ".join("".join(node.itertext()).split()) for node in root.iter() if _tag(node) == "title"), "")
    texts = [" ".join("".join(node.itertext()).split()) for node in root.iter() if _tag(node) == "p"]
    yield title, "\n\n".join(texts)


def _tag(node: ElementTree.Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _pieces(text: str) -> Iterator[str]:
    """Whole paragraphs together, as long as they are not too long; one that is too long by itself, cut."""
    piece = ""
    for paragraph in filter(None, (part.strip() for part in re.split(r"\n\s*\n", text))):
        for start in range(0, len(paragraph), LONGEST):
            part = paragraph[start : start + LONGEST]
            if piece and len(piece) + len(part) > LONGEST:
                yield piece
                piece = ""
            piece = f"{piece}\n\n{part}".strip()
    if len(piece) > SHORTEST:
        yield piece
