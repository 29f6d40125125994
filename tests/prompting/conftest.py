"""A desk with a prompt in a folder of its own; a script answers as its models."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "cli"))

from prompting_apps import write_desk

from parti import wiring
from parti.testing import Script


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PARTI_APP", "PARTI_STORE", "PARTI_TOKEN", "PARTI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    write_desk(tmp_path)
    return tmp_path


@pytest.fixture
def answered_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Script]:
    """Let a function of the request answer in place of all models; what was asked is in the script."""

    def answered(play: Any) -> Script:
        script = Script(play)
        monkeypatch.setattr(wiring.outside, "provider_for", lambda llm: script)
        return script

    return answered
