"""`parti check --against`: a revision, a folder or a file; what it prints, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parti.cli import app
from parti.declare.loading import load
from parti.testing.live import running

RUN = CliRunner()

APP = """
from helpers import shown
from parti import System, ask

desk = System("desk")


@desk.step
async def rate(n: int) -> int:
    return n


@desk.post("/orders", key="id")
async def order(id: str, n: int) -> str:
    rated = await rate(n) if id not in {"x", "y", "z", "u", "v", "w"} else 0
    await ask("clerk", f"Is {id} right?", timeout="7d", default=False)
    return shown(rated)
"""
HELPERS = """
def shown(n: int) -> str:
    return f"{n}!"
"""


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    named = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *named, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an app adds to the path goes with the test."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the app in a folder of its own, one commit."""
    folder = tmp_path / "repository"
    (folder / "service").mkdir(parents=True)
    (folder / "service" / "app.py").write_text(APP, encoding="utf-8")
    (folder / "service" / "helpers.py").write_text(HELPERS, encoding="utf-8")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def edit(repository: Path, old: str, new: str, file: str = "app.py") -> None:
    path = repository / "service" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def record(repository: Path) -> None:
    """One run of the app that waits for the clerk."""

    forget()

    async def main() -> None:
        async with running(load(repository / "service" / "app.py"), repository / "service" / "desk.parti") as live:
            call = asyncio.ensure_future(live.call("order", ("a", 1), idempotency_key="k"))
            while not await live.store.questions():
                await asyncio.sleep(0)
            call.cancel()

    asyncio.run(main())


def forget() -> None:
    """Let modules of an app be imported anew, as a process of its own would."""
    sys.modules.pop("helpers", None)


def check(repository: Path, *arguments: str) -> tuple[int, str, str]:
    forget()
    said = RUN.invoke(app, ["check", str(repository / "service" / "app.py"), *arguments])
    return said.exit_code, said.stdout, said.stderr


def findings(repository: Path, *arguments: str) -> dict[str, object]:
    facts: dict[str, object] = json.loads(check(repository, "--json", *arguments)[1])["against"]
    return facts


def test_an_unchanged_app_is_compared_with_its_revision_and_every_run_resumes(repository: Path) -> None:
    record(repository)
    facts = findings(repository, "--against", "HEAD")
    assert facts["changes"] == []
    assert facts["counts"] == {"resumes": 1, "unknown": 0, "needs migration": 0, "pin the old code": 0, "refuse": 0}


def test_a_dirty_tree_is_compared_with_the_revision_and_left_as_it_is(repository: Path) -> None:
    record(repository)
    edit(repository, "rate", "grade")
    before = git(repository, "status", "--porcelain", "--untracked-files=no"), git(repository, "stash", "list")
    code, said, _ = check(repository, "--against", "main")
    assert code == 1
    assert "step `rate` is called `grade` now" in said
    assert "pin the old code: 1 open run of `order`" in said
    assert "app.py:8: its journal holds `rate`, which is gone (it is called `grade` now) (entry 1)" in said
    assert "  try: let the old code finish this run" in said
    assert (
        git(repository, "status", "--porcelain", "--untracked-files=no"),
        git(repository, "stash", "list"),
    ) == before


def test_a_helper_that_changed_is_told_from_the_one_in_the_revision(repository: Path) -> None:
    record(repository)
    edit(repository, '"{n}!"', '"{n}?"', "helpers.py")
    code, said, after = check(repository, "--against", "main")
    assert code == 1
    assert "unknown: 1 open run of `order`" in said
    assert "code that `order` works by changed" in said
    assert "--against main --replay" in after
    _, said, _ = check(repository, "--against", "main", "--replay")
    assert "resumes: 1 open run of `order`" in said


def test_a_folder_or_a_file_may_be_named_instead_of_a_revision(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file in ("app.py", "helpers.py"):
        (other / file).write_bytes((repository / "service" / file).read_bytes())
    edit(repository, "rate", "grade")
    for named in (other, other / "app.py"):
        facts = findings(repository, "--against", str(named))
        assert [change["how"] for change in facts["changes"]] == ["renamed", "changed"]  # type: ignore[index,attr-defined]
        assert facts["stored"] is False


def test_a_folder_that_lacks_a_module_is_not_completed_with_the_present_one(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks from the app's folder has it on the path: what is loaded would be one of both versions."""
    monkeypatch.syspath_prepend(str(repository / "service"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "app.py").write_bytes((repository / "service" / "app.py").read_bytes())
    code, _, wrong = check(repository, "--json", "--against", str(tmp_path / "other"))
    assert code == 2 and json.loads(wrong)["code"] == "P509" and "helpers" in json.loads(wrong)["error"]


@pytest.mark.parametrize(
    ("against", "code", "said"),
    [
        ("nowhere", "P508", "'nowhere' is no path, and no revision"),
        ("--version", "P508", "'--version' is no path, and no revision"),
        ("bare", "P508", "bare has no service/app.py"),
        ("broken", "P509", "the other version cannot be loaded: P101 ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_code(against: str, code: str, said: str, repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "broken")
    edit(repository, "from helpers", "from no_such_module")
    git(repository, "commit", "-q", "-a", "-m", "broken")
    git(repository, "checkout", "-q", "-b", "bare")
    git(repository, "rm", "-q", "-r", "service")
    git(repository, "commit", "-q", "-m", "bare")
    git(repository, "checkout", "-q", "main")
    exit_code, _, wrong = check(repository, "--json", f"--against={against}")
    assert exit_code == 2
    assert json.loads(wrong)["code"] == code
    assert said in json.loads(wrong)["error"]


def test_an_app_outside_a_repository_needs_a_folder(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "app.py").write_text(
        APP.replace("from helpers import shown\n", "shown = str\n"), encoding="utf-8"
    )
    exit_code, _, wrong = check(tmp_path, "--json", "--against=main")
    assert (exit_code, json.loads(wrong)["code"]) == (2, "P508")


def test_an_incompatible_change_is_a_finding(repository: Path) -> None:
    edit(repository, "async def order(id: str, n: int)", "async def order(id: str, n: int, when: str)")
    code, said, _ = check(repository, "--against", "HEAD")
    assert code == 1
    assert "R405 incompatible-change" in said
    assert "what callers of `order` send does not fit: when is new and has no default" in said


def test_replay_needs_another_version(repository: Path) -> None:
    assert check(repository, "--replay")[0] == 2
