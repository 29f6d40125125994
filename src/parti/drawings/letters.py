"""How wide a text is in a sans-serif system font, near enough to make a box that holds it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

# Widths in em of the semibold weight, on the wide side of what systems show for "sans-serif".
_CLASSES: Final = (
    ("ijl'|.,:;!", 0.31),
    ('Ift()[]{}/\\ -`r"', 0.39),
    ("Jcksvxyz*^°", 0.58),
    ("abdeghnopquLFTZ_?$#0123456789", 0.63),
    ("ABCDEGHKNOPQRSUVXY+<>=~&·", 0.74),
    ("mwM%W@—→…↔", 0.98),
)
_WIDTH: Final = {letter: width for letters, width in _CLASSES for letter in letters}


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, weight: float = 1.0) -> float:
    """The width of `text` in pixels at `size` pixels. `weight` scales it: 0.92 for the regular weight."""
    # Letters of other scripts count as one em: those of East Asia are that wide.
    return sum(_WIDTH.get(letter, 0.66 if letter < "\u2e80" else 1.05) for letter in text) * size * weight


def shortened(text: str, longest: int) -> str:
    """`text`, or its beginning and end with an ellipsis between them, at most `longest` letters."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 3
    return f"{text[: longest - 1 - tail]}…{text[len(text) - tail :]}"
