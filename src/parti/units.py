"""Quantities with their units: durations in seconds and sizes in bytes, read from short texts."""

from __future__ import annotations

import re
from typing import Final

from parti.errors import DeclarationError

Seconds = float
Bytes = int

HOURS_A_MONTH: Final = 730.0
"""Hours in a month, as clouds count them."""

_SECONDS: Final = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "y": 31557600.0,
}
_BYTES: Final = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_TEXT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def seconds(text: str | float) -> Seconds:
    """A duration in seconds from ``"250ms"``, ``"2s"``, ``"5m"``, ``"1h"``, ``"2d"``, ``"1w"``, ``"7y"`` or a number.

    Raises P105 for anything else, for zero and for negative durations.
    """
    value = float(text) if isinstance(text, int | float) else _scaled(text, _SECONDS)
    if value is None or not 0 < value < float("inf"):
        raise DeclarationError(
            "P105",
            f"{text!r} is not a duration",
            fix='write a number and a unit: "250ms", "2s", "5m", "1h", "2d", "7y"',
        )
    return value


def size(text: str | int) -> Bytes:
    """A size in bytes from ``"64KiB"``, ``"10MiB"`` or a whole number. Raises P105 for anything else."""
    value = text if isinstance(text, int) else _scaled(text, _BYTES)
    if value is None or value < 0:
        raise DeclarationError("P105", f"{text!r} is not a size", fix='write "64KiB", "10MiB" or a number of bytes')
    return int(value)


def _scaled(text: object, scale: dict[str, float] | dict[str, int]) -> float | None:
    match = _TEXT.fullmatch(text) if isinstance(text, str) else None
    if not match or match[2] not in scale:
        return None
    return float(match[1]) * scale[match[2]]


def duration_text(value: Seconds) -> str:
    """A duration for people: ``250ms``, ``1.5s``, ``2m``, ``3d``."""
    if value < 1:
        return f"{value * 1000:.3g}ms"
    for unit in ("y", "w", "d", "h", "m"):
        if value >= _SECONDS[unit] and value % _SECONDS[unit] == 0:
            return f"{value / _SECONDS[unit]:.0f}{unit}"
    return f"{value:.3g}s" if value < 60 else f"{value / 60:.3g}m" if value < 3600 else f"{value / 3600:.3g}h"


def size_text(value: Bytes) -> str:
    """A size for people: ``812 B``, ``4.2 MiB``."""
    amount, unit = float(value), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
