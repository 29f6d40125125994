"""Sketching an app in a process of its own: ``python -m parti.verbs.sketching APP ANSWER [FROM TO]``.

Two versions of the same modules cannot live in one interpreter. The answer is a file of JSON: the sketch, or the error.
Where the folder FROM is given, what the path would import from there is imported from the folder TO.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parti.declare.codeprint import printer
from parti.declare.loading import load
from parti.declare.system import System
from parti.design.sketch import Sketch
from parti.design.sketching import sketch_of
from parti.errors import DeclarationError, PartiError

_OURS = Path(__file__).resolve().parents[2]
_LIBRARIES = frozenset({"site-packages", "dist-packages"})


def sketch(system: System) -> Sketch:
    """A system as plain values."""
    return sketch_of(system.design, printer(system.root))


def main(arguments: Sequence[str]) -> None:
    """See the module. What the app prints goes to stderr."""
    app, answer, *folders = map(Path, arguments)
    if folders:
        sys.path[:] = [_moved(entry, *folders) for entry in sys.path]
    with contextlib.redirect_stdout(sys.stderr):
        facts = _facts(app, folders)
    answer.write_text(json.dumps(facts), encoding="utf-8")


def _facts(app: Path, folders: Sequence[Path]) -> dict[str, Any]:
    try:
        found = sketch(load(app))
        if folders:
            _refuse_strays(*folders)
    except PartiError as wrong:
        return {"error": wrong.as_json()}
    return {"sketch": found.as_json()}


def _moved(entry: str, old: Path, new: Path) -> str:
    """An entry of the path, taken from the other folder where it lies in the first. Libraries and Parti stay."""
    path = Path(entry or ".").resolve()
    if not path.is_relative_to(old) or path == _OURS or not _LIBRARIES.isdisjoint(path.parts):
        return entry
    return str(new / path.relative_to(old))


def _refuse_strays(old: Path, new: Path) -> None:
    """Raise P510 where a module of the present version came along: the sketch would be one of both."""
    inside = new.is_relative_to(old)
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        ours = file.is_relative_to(_OURS) and name.partition(".")[0] == "parti"
        if inside and file.is_relative_to(new):
            continue
        if file.is_relative_to(old) and not ours and _LIBRARIES.isdisjoint(file.parts) and name != "__main__":
            raise DeclarationError(
                "P510",
                f"the other version imports `{name}` from {file}, which is of the present one",
                fix="import it by a path inside the repository, or keep a copy of it beside the other version",
            )


if __name__ == "__main__":
    main(sys.argv[1:])
