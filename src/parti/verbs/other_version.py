"""The other version of an app: from a revision of its git repository, a folder or a file; loaded in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from parti.design.sketch import Sketch
from parti.errors import DeclarationError, PartiError, UsageError
from parti.units import Seconds

PATIENCE: Final[Seconds] = 120.0
"""How long an app may take to load, and git to give a revision."""


def other_version(app: Path, against: str) -> Sketch:
    """The sketch of `app` as it is in `against`: a path that exists, else a revision.

    The user's tree and index are not touched. Raises P508 for what is neither or has no such app, P509 for an app that
    does not load there, P510 for one that would be a mixture.
    """
    there = Path(against)
    if there.exists():
        file = _in_folder(app, there)
        present = app.resolve().parent
        return _load(file, *((present, file.parent) if file.parent != present else ()))
    app = app.resolve()
    top = Path(_git(app.parent, "rev-parse", "--show-toplevel", what=against).decode().strip()).resolve()
    commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{against}^{{commit}}", what=against)
    with tempfile.TemporaryDirectory(prefix="parti-against-") as folder:
        _extract(_git(top, "archive", "--format=tar", commit.decode().strip(), what=against), Path(folder))
        file = Path(folder).resolve() / app.relative_to(top)
        if not file.is_file():
            raise UsageError(
                "P508", f"{against} has no {app.relative_to(top)}", fix="name a revision or folder that has it"
            )
        return _load(file, top, Path(folder).resolve())


def _in_folder(app: Path, there: Path) -> Path:
    file = there / app.name if there.is_dir() else there
    if not file.is_file():
        raise UsageError("P508", f"{there} has no {app.name}", fix="name the folder that holds it, or the file itself")
    return file.resolve()


def _git(folder: Path, *arguments: str, what: str) -> bytes:
    """What git says on stdout. Raises P508, P110 without git."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False, timeout=PATIENCE, env=environment
        )
    except FileNotFoundError as missing:
        raise UsageError("P110", "git is not installed", fix="install it, or name a folder in --against") from missing
    except subprocess.TimeoutExpired as late:
        raise UsageError("P508", f"git did not answer about {what}", fix="name a folder in --against") from late
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = f": {said[-1].removeprefix('fatal: ')}" if said else ""
        fix = "name a branch, tag or commit (`git log --oneline`), or a folder or file"
        raise UsageError("P508", f"{what!r} is no path, and no revision of a repository of the app{why}", fix=fix)
    return done.stdout


def _extract(archive: bytes, folder: Path) -> None:
    with contextlib.suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(archive)) as tar:  # empty: no file
        tar.extractall(folder, filter="data")


def _load(file: Path, *moved: Path) -> Sketch:
    with tempfile.TemporaryDirectory(prefix="parti-sketch-") as folder:
        answer = Path(folder) / "sketch.json"
        command = [sys.executable, "-m", "parti.verbs.sketching", str(file), str(answer), *map(str, moved)]
        # The child writes no bytecode: the folder that it reads may be the user's own.
        paths = os.pathsep.join([str(Path(__file__).resolve().parents[2]), *(entry for entry in sys.path if entry)])
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": paths}
        try:
            done = subprocess.run(
                command, capture_output=True, check=False, timeout=PATIENCE, env=environment, cwd=file.parent
            )
        except subprocess.TimeoutExpired as late:
            what = f"the other version of {file.name} did not load within {PATIENCE:.0f} s"
            raise DeclarationError("P509", what, fix="let it start nothing when it is imported") from late
        if not answer.is_file():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            what = f"the process that loads the other version of {file.name} ended: {said[-1] if said else ''}"
            raise DeclarationError("P509", what, fix="see that `python` can import it in that version")
        facts = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in facts:
        raise _of_child(facts["error"])
    return Sketch.of_json(facts["sketch"])


def _of_child(error: dict[str, str]) -> PartiError:
    if error["code"] == "P510":
        return DeclarationError("P510", error["error"], fix=error["try"])
    what = f"the other version cannot be loaded: {error['code']} {error['error']}"
    return DeclarationError("P509", what, place=error["place"] or None, fix="name a version that loads")
