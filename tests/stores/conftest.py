"""Clocks and stores for the tests of this folder."""

from __future__ import annotations

import pytest

from parti.adapters.clock import SystemClock


class StillClock(SystemClock):
    """Always the same time."""

    def now(self) -> float:
        return 1767225600.5


@pytest.fixture
def still_clock() -> StillClock:
    return StillClock()
