"""Every behaviour of the engine is tested as it is, and with each run started again after each of its steps."""

from __future__ import annotations

from functools import partial

import pytest
from engine_kit import Play, play


@pytest.fixture(params=[False, True], ids=["straight", "replaying"])
def replay_each(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def in_world(replay_each: bool) -> Play:
    """Play a test in virtual time."""
    return partial(play, replay_each=replay_each)
