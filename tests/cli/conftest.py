"""A folder with a small app in it, which the commands find by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_apps import DESK


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PARTI_APP", "PARTI_STORE", "PARTI_TOKEN", "PARTI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(DESK, encoding="utf-8")
    return tmp_path
