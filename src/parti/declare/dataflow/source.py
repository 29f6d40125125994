"""The syntax of functions: found in the files they were written in, by name and line."""

from __future__ import annotations

import ast
from pathlib import Path
from types import CodeType

Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Source:
    """Files that were parsed, each once."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[str, int], Node | None]] = {}

    def node_of(self, code: CodeType) -> Node | None:
        """The function's syntax; None where it cannot be read, or where two lambdas stand on one line."""
        file = code.co_filename
        if file not in self._known:
            self._known[file] = _functions(file)
        return self._known[file].get((code.co_name, code.co_firstlineno))


def _functions(file: str) -> dict[tuple[str, int], Node | None]:
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[tuple[str, int], Node | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            key = ("<lambda>", node.lineno)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            key = (node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)]))
        else:
            continue
        found[key] = None if key in found else node
    return found
