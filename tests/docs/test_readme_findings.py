"""The branch of the lending example that the README shows: it applies, and exactly what is shown is found in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import ROOT, blocks_of, commands_of

PATCH = "examples/lending/unfair.patch"
LEFT_OUT = ("  why: ", "  see: ", "  try: ")
CHECK = [sys.executable, "-c", "from parti.cli import main; main()", "check", "examples/lending/app.py"]


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    """A copy of the example, with the patch applied as the README says."""
    shutil.copytree(ROOT / "examples" / "lending", tmp_path / "examples" / "lending", ignore=_ignored)
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    subprocess.run(["git", "apply", PATCH], cwd=tmp_path, env=environment, check=True)
    return tmp_path


def _ignored(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if ".parti" in name or name in ("outbox", "__pycache__")]


def checked(folder: Path) -> tuple[int, list[str]]:
    """The exit code, and what is printed but for what the README leaves out and accepted findings."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    said = subprocess.run(CHECK, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in said.stdout.splitlines() if line and not line.startswith(LEFT_OUT)]
    return said.returncode, [line for line in lines if ": accepted until " not in line]


def test_the_findings_of_the_branch_are_those_of_the_readme_with_their_ways(branch: Path) -> None:
    shown = next(block.text for block in blocks_of(ROOT / "README.md") if PATCH in block.text)
    (apply, nothing), (command, expected) = commands_of(shown)
    assert apply.split()[:3] == ["git", "apply", PATCH] and nothing == []
    assert command == "parti check examples/lending/app.py"
    code, said = checked(branch)
    assert said == expected
    assert code == 1
    assert sum(line.startswith("R") for line in said) == 3


def test_the_example_itself_is_clean() -> None:
    code, said = checked(ROOT)
    assert (code, said) == (0, ["lending-desk: 0 findings, 5 accepted"])
