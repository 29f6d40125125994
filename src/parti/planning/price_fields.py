"""Fields of a price list: each is known by name and unit, and what is wrong with one is told with its line."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from parti.errors import UsageError

SOURCE: Final[Mapping[str, bool]] = {"url": True, "date": True, "note": False}
"""Fields of a source, and whether it must have them."""

MACHINE: Final[Mapping[str, bool]] = {
    "name": True,
    "region": True,
    "kind": True,
    "vcpu": True,
    "memory_gib": True,
    "usd_per_hour": False,
    "usd_per_month": False,
    "source": True,
    "accelerator": False,
    "accelerators": False,
    "accelerator_memory_gib": False,
    "speed": False,
    "mtbf_hours": False,
    "repair_seconds": False,
}
"""Fields of a machine; it has one of the two prices. A month has 730 hours, as the clouds reckon."""

LLM: Final[Mapping[str, bool]] = {
    "target": True,
    "usd_per_million_in": True,
    "usd_per_million_out": True,
    "source": True,
}
"""Fields of a language model's price."""

UNITS: Final = ("usd_per", "memory", "accelerator_memory")
"""Beginnings of names that end with a unit."""


class Fields:
    """One table of a price list. Raises P823 for what it lacks and P824 for what is not known, with its line."""

    def __init__(
        self, table: Any, known: Mapping[str, bool], who: str, text: str, file: str, header: str, nth: int
    ) -> None:
        self._who, self._text, self._file, self._header, self._nth = who, text, file, header, nth
        if not isinstance(table, dict):
            raise self.wrong("P821", header, f"{who} is no table", f"write it under {header}")
        self.table: dict[str, Any] = table
        for key in table:
            if key not in known:
                raise self.wrong(
                    "P824", key, f"`{key}` of {who} is not known", f"one of: {', '.join(_alike(key, known))}"
                )
        missing = next((key for key, needed in known.items() if needed and key not in table), None)
        if missing is None and "usd_per_hour" in known and not {"usd_per_hour", "usd_per_month"} & set(table):
            missing = "usd_per_hour"
        if missing:
            wanted = ", ".join(key for key, needed in known.items() if needed or key == "usd_per_hour")
            raise self.wrong("P823", "", f"{who} has no `{missing}`", f"it needs {wanted}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text. Raises P821 for anything else, or an empty one."""
        value = self.table.get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.wrong("P821", key, f"`{key}` of {self._who} is no text", f'write {key} = "..."')
        return value

    def number(self, key: str, *, default: float | None = None, above: float | None = None) -> float:
        """A number from 0 on, or greater than `above`. Raises P822."""
        value = self.table.get(key, default)
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0
        if not isfinite(found) or found < 0 or (above is not None and found <= above):
            fix = "write a number from 0 on" if above is None else f"write a number greater than {above:g}"
            raise self.wrong("P822", key, f"`{key}` of {self._who} is {value!r}", fix)
        return found

    def wrong(self, code: str, key: str, what: str, fix: str) -> UsageError:
        """An error at the line of a field; "" is that of the table."""
        return UsageError(code, what, place=place_of(self._text, self._file, self._header, self._nth, key), fix=fix)


def _alike(key: str, known: Mapping[str, bool]) -> list[str]:
    """The known names of the same quantity in other units, else all."""
    same = next((unit for unit in UNITS if key.startswith(unit)), None)
    return [name for name in known if same and name.startswith(same)] or list(known)


def place_of(text: str, file: str, header: str, nth: int = 0, key: str = "") -> str:
    """``prices.toml:14``: the line of the `nth` (from 0) line that `header` starts, brackets or not, or of `key` in the table under it."""
    lines = [line.strip() for line in text.splitlines()]
    starts = [at for at, line in enumerate(lines) if line.lstrip("[ ").startswith(header.lstrip("["))]
    begin = starts[nth] if nth < len(starts) else 0
    end = next((at for at in range(begin + 1, len(lines)) if lines[at].startswith("[")), len(lines))
    names = (at for at in range(begin, end) if key and lines[at].split("=")[0].strip() == key)
    return f"{file}:{next(names, begin) + 1}"
