"""The code's own tidiness: captions, sizes, light imports, codes that are raised, and the list of files.

Run pytest with ACCEPT=1 to write the list of files into ARCHITECTURE.md anew.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import parti
from parti.errors import CODES

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "parti"
FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(file.relative_to(SOURCE)) for file in FILES]

LINES_MAX = 400
FUNCTION_LINES_MAX = 70

HEAVY = (
    "numpy",
    "numba",
    "sklearn",
    "skl2onnx",
    "onnx",
    "onnxruntime",
    "tokenizers",
    "usearch",
    "pandas",
    "uvicorn",
    "starlette",
    "typer",
    "rich",
    "jsonschema",
    "pydantic_ai",
    "openai",
    "httpx",
    "mcp",
    "yaml",
    "mcp_types",
    "a2a",
    "optuna",
)
"""Packages that only some programs need, so that `import parti` must do without."""

RESERVED = {
    "P304": "a write in doubt parks its run and asks the operator; nothing is raised, the code is kept for that state",
}
"""Codes that nothing raises, each with the reason why it is kept."""

BEGIN, END = "<!-- files: begin -->", "<!-- files: end -->"


@cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(text_of(file))


def caption_of(file: Path) -> str:
    """The first line of the file's docstring."""
    return (ast.get_docstring(tree_of(file)) or "").split("\n", 1)[0]


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_a_file_starts_with_a_caption_of_one_sentence(file: Path) -> None:
    caption = caption_of(file)
    assert text_of(file).startswith('"""'), "the docstring is the first thing in the file"
    assert re.fullmatch(r"[A-Z`].{8,}[.]", caption), f"not a caption: {caption!r}"
    assert not re.search(r"\.\s+[A-Z]", caption), f"one sentence, not more: {caption!r}"


def test_no_file_is_a_promise() -> None:
    words = re.compile(r"\b(TODO|FIXME|TBD|XXX)\b")
    assert [name for file, name in zip(FILES, NAMES, strict=True) if words.search(text_of(file))] == []


def test_no_file_is_too_long() -> None:
    long = {
        name: count
        for file, name in zip(FILES, NAMES, strict=True)
        if (count := len(text_of(file).splitlines())) > LINES_MAX
    }
    assert long == {}


def test_no_function_is_too_long() -> None:
    found = {
        f"{name}:{node.name}": node.end_lineno - node.lineno + 1
        for file, name in zip(FILES, NAMES, strict=True)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    assert {name: lines for name, lines in found.items() if lines > FUNCTION_LINES_MAX} == {}


def test_the_lending_example_stays_short() -> None:
    assert len(text_of(ROOT / "examples" / "lending" / "app.py").splitlines()) < 150


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert parti.__all__ == sorted(parti.__all__)
    assert [name for name in parti.__all__ if not hasattr(parti, name)] == []


def test_importing_parti_imports_nothing_heavy() -> None:
    program = f"import sys, parti; print([name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_nothing_stored_is_ever_unpickled() -> None:
    assert [name for file, name in zip(FILES, NAMES, strict=True) if _imports(file) & PICKLING] == []


PICKLING = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
"""Modules whose reading of bytes runs what the bytes say."""


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_raised_somewhere_or_reserved(code: str) -> None:
    assert (code in _raised()) != (code in RESERVED)


@cache
def _raised() -> set[str]:
    """Codes that stand in calls and assignments, where errors are made. Tables and comparisons do not count."""
    return {
        code
        for file, name in zip(FILES, NAMES, strict=True)
        if name != "errors.py"
        for code in _codes_in(tree_of(file))
    }


def _codes_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Set | ast.Compare | ast.Subscript):
        return
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _codes_in(value)
        return
    if isinstance(node, ast.Constant) and node.value in CODES:
        yield str(node.value)
    for child in ast.iter_child_nodes(node):
        yield from _codes_in(child)


def test_the_list_of_files_is_current() -> None:
    page = ROOT / "ARCHITECTURE.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    wanted = f"{before}{BEGIN}\n{list_of_files()}{END}{after}"
    if os.environ.get("ACCEPT"):
        page.write_text(wanted, encoding="utf-8")
        text = wanted
    assert text == wanted, "run `ACCEPT=1 .venv/bin/python -m pytest tests/test_tidy.py -k list_of_files`"


def list_of_files() -> str:
    """Every file under src/parti with its caption, by folder, the folders from the top layer down."""
    lines: list[str] = []
    folders = sorted({file.parent for file in FILES}, key=_order)
    for folder in folders:
        own = folder / "__init__.py"  # the folder's own caption
        name = "parti" if folder == SOURCE else str(folder.relative_to(SOURCE))
        lines += ["", f"**{name}/**: {caption_of(own)}", ""]
        inside = [file for file in FILES if file.parent == folder and file.name != "__init__.py"]
        lines += [f"- `{file.name}`: {caption_of(file)}" for file in inside]
    return "\n".join(lines[1:]) + "\n"


LAYERS = (
    "cli",
    "verbs",
    "testing",
    "wiring",
    "",
    "planning",
    "auditing",
    "declare",
    "engine",
    "agents",
    "mlops",
    "serve",
    "drawings",
    "rules",
    "sim",
    "optimise",
    "board",
    "adapters",
    "trust",
    "journal",
    "ports",
    "design",
)


def _order(folder: Path) -> tuple[int, str]:
    name = str(folder.relative_to(SOURCE)).removeprefix(".")
    return (LAYERS.index(name.split("/")[0]), name)
