"""Student's t: its quantiles, for intervals of means."""

from __future__ import annotations

import math


def t_quantile(probability: float, freedom: int) -> float:
    """The value that a t variable with `freedom` >= 1 degrees stays below with this `probability` (0.5 to 1, excluded)."""
    low, high = 0.0, 1.0
    while t_below(high, freedom) < probability:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if t_below(middle, freedom) < probability else (low, middle)
    return high


def t_below(value: float, freedom: int) -> float:
    """The probability that a t variable stays below `value` >= 0, by its finite series (Abramowitz and Stegun 26.7.3-4)."""
    angle = math.atan2(value, math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    if freedom == 1:
        return 0.5 + angle / math.pi
    for step in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    inside = 2.0 / math.pi * (angle + sine * total) if odd else sine * total
    return 0.5 + 0.5 * inside
