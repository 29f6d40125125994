"""Agents are tested in the world of the engine's tests, as they are and with each run started again after each step."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "engine"))

from engine_kit import Play, play


@pytest.fixture(params=[False, True], ids=["straight", "replaying"])
def replay_each(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def in_world(replay_each: bool) -> Play:
    """Play a test in virtual time."""
    return partial(play, replay_each=replay_each)
