"""A desk with an agent, a handler and evaluations of both, in a folder of its own; a script answers as its models."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "cli"))

from cli_apps import lines
from evaluation_apps import DESK

from parti import wiring
from parti.testing import Script


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PARTI_APP", "PARTI_STORE", "PARTI_TOKEN", "PARTI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "writer.md").write_text("Write in a {tone} tone.\n", encoding="utf-8")
    (tmp_path / "app.py").write_text(DESK, encoding="utf-8")
    lines(
        tmp_path / "letters.jsonl",
        {"input": "yes a", "expected": "yes", "variables": {"tone": "plain"}, "tags": ["good"]},
        {"input": "no b", "expected": "no", "variables": {"tone": "plain"}, "tags": ["bad"]},
        {"input": "no c", "expected": "no", "variables": {"tone": "warm"}, "tags": ["bad"]},
        {"input": "yes d", "expected": "yes", "variables": {"tone": "warm"}, "tags": ["good"]},
    )
    lines(tmp_path / "orders.jsonl", {"input": {"id": "o1", "total": 5}}, {"input": {"id": "o2", "total": 7}})
    return tmp_path


@pytest.fixture
def answered_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Script]:
    """Let a function of the request (or lines) answer in place of all models; what was asked is in the script."""

    def answered(play: Any) -> Script:
        script = Script(play)
        monkeypatch.setattr(wiring.outside, "provider_for", lambda llm: script)
        return script

    return answered
