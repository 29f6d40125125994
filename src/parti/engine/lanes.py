"""Lanes: the runs of one key stand in line, and only the first is worked on; different keys run at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Lines by key. A key without anyone in line takes no memory.

    Cost: two dictionary operations a run where nobody else waits for the key.
    """

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[Hashable, deque[T]] = {}

    def enter(self, key: Hashable, item: T) -> bool:
        """Put `item` at the end of its line; whether it is first, and so has its turn."""
        line = self._lines.get(key)
        if line is None:
            self._lines[key] = deque((item,))
            return True
        line.append(item)
        return False

    def leave(self, key: Hashable, item: T) -> T | None:
        """Take the first, which must be `item`, out of line; who has its turn now."""
        line = self._lines[key]
        assert line[0] is item, "only the first in line may leave"
        line.popleft()
        if line:
            return line[0]
        del self._lines[key]
        return None

    def remove(self, key: Hashable, item: T) -> None:
        """Take out of line one who is not first."""
        self._lines[key].remove(item)

    def is_first(self, key: Hashable, item: T) -> bool:
        """Whether `item` has its turn."""
        line = self._lines.get(key)
        return line is not None and line[0] is item

    def first(self, key: Hashable) -> T:
        """Who has its turn."""
        return self._lines[key][0]

    def behind(self, key: Hashable) -> Iterator[T]:
        """Those in line behind the first."""
        line = iter(self._lines.get(key, ()))
        next(line, None)
        return line

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))
