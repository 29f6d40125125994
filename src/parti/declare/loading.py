"""Loading an app file: importing it, and finding the one system in it."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from parti.declare.system import System
from parti.declare.types import short_path
from parti.errors import DeclarationError, PartiError


def load(path: str | Path) -> System:
    """The system that the file declares. Raises P101 with the line that fails, P102 when there is not exactly one."""
    file = Path(path).resolve()
    if not file.is_file():
        raise DeclarationError(
            "P101", f"there is no file {path}", fix="give the path of the file that declares the system"
        )
    module = _imported(file)
    systems = {id(value): value for value in vars(module).values() if isinstance(value, System)}
    if len(systems) != 1:
        raise DeclarationError(
            "P102",
            f"the file declares {len(systems)} systems" if systems else "the file declares no system",
            place=file.name,
            fix='write `desk = System("name")` once, at the top level',
        )
    return next(iter(systems.values()))


def _imported(file: Path) -> ModuleType:
    """The module of a file; its folder becomes importable, as when Python runs the file itself."""
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"parti_app_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except PartiError as wrong:
        sys.modules.pop(name, None)
        wrong.place = wrong.place or _place(file, wrong)  # such as that of a Retry, which knows of no system
        raise
    except (Exception, SystemExit) as wrong:
        sys.modules.pop(name, None)
        raise _failure(file, wrong) from wrong
    return module


def _failure(file: Path, wrong: BaseException) -> DeclarationError:
    if isinstance(wrong, SyntaxError):
        place = f"{short_path(wrong.filename or file.name, file.parent)}:{wrong.lineno or 0}"
        return DeclarationError("P101", f"syntax error: {wrong.msg}", place=place, fix="mend the line")
    hint = (
        f"install the package that brings {wrong.name}" if isinstance(wrong, ModuleNotFoundError) else "mend the line"
    )
    return DeclarationError("P101", f"{type(wrong).__name__}: {wrong}", place=_place(file, wrong), fix=hint)


def _place(file: Path, wrong: BaseException) -> str:
    """The innermost line of the app that the error came through."""
    own = [f for f in traceback.extract_tb(wrong.__traceback__) if Path(f.filename).is_relative_to(file.parent)]
    return f"{short_path(own[-1].filename, file.parent)}:{own[-1].lineno}" if own else file.name
