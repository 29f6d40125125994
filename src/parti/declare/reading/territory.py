"""Which code is the app's own, to be followed; all other code is a library's, and is not."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import CodeType
from typing import Any, Final

_LIBRARY_FOLDERS = frozenset({"site-packages", "dist-packages"})
_LIBRARIES = (Path(__file__).parents[2], *(Path(sysconfig.get_paths()[name]) for name in ("stdlib", "platstdlib")))

FOLLOWED: Final = "parti.patterns"
"""Plain functions over parts, written to be read like an app's own."""


class Territory:
    """The folder of the app, and the file and top-level package of the function that is read."""

    def __init__(self, root: Path, package: str, file: str) -> None:
        self.root = root
        self.package = package
        self._files: dict[str, bool] = {file: True}

    def owns_code(self, code: CodeType, names: dict[str, Any]) -> bool:
        """Whether a function with this code, in a module with these names, is the app's own."""
        return self._owns(code.co_filename, str(names.get("__name__", "")))

    def owns_class(self, cls: type) -> bool:
        """Whether the class is written in the app."""
        module = cls.__dict__.get("__module__")
        if not isinstance(module, str):
            return False
        file = getattr(sys.modules.get(module), "__file__", None)
        return self._owns(file or "", module)

    def owns_module(self, name: str, file: str | None) -> bool:
        """Whether the module is the app's own."""
        return self._owns(file or "", name)

    def owns_name(self, module: str) -> bool:
        """Whether a module of this name would be the app's own, going by the name and the files in the folder."""
        path = self.root.joinpath(*module.split("."))
        return _top(module) == self.package or path.with_suffix(".py").is_file() or path.is_dir()

    def _owns(self, file: str, module: str) -> bool:
        if module == FOLLOWED:
            return True
        if self.package and _top(module) == self.package:
            return True
        known = self._files.get(file)
        if known is None:
            known = self._files[file] = self._in_root(file)
        return known

    def _in_root(self, file: str) -> bool:
        path = Path(file)
        if not file or not path.is_relative_to(self.root):
            return False
        inside = path.relative_to(self.root).parts
        return _LIBRARY_FOLDERS.isdisjoint(inside) and not any(
            path.is_relative_to(library) and not self.root.is_relative_to(library) for library in _LIBRARIES
        )


def _top(module: str) -> str:
    return module.partition(".")[0]
