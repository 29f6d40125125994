"""The fenced blocks of a page, and running them: Python in one namespace, `$ parti …` as a shell would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parti.declare.loading import load

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the words behind it, its text, and where it begins."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    whole = page.read_text(encoding="utf-8")
    return [
        Block(page, whole.count("\n", 0, found.start()) + 2, found[1], tuple(found[2].split()), found[3])
        for found in _FENCE.finditer(whole)
    ]


@dataclass
class Stage:
    """Where the blocks of one page run: a folder of their own, and one namespace for all Python blocks."""

    folder: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})

    def run(self, block: Block) -> None:
        """Run a block. Its tests (functions named `test_…`) are called; other languages are only looked at."""
        if block.language == "python" and "no-run" not in block.words:
            self._python(block)
        if block.language == "console" and "run" in block.words:
            self._console(block)

    def _python(self, block: Block) -> None:
        file = next((word for word in block.words if word.endswith(".py")), "")
        if file:
            (self.folder / file).write_text(block.text, encoding="utf-8")
        if "System(" in block.text:
            path = self.folder / (file or f"block_{block.line}.py")
            path.write_text(block.text, encoding="utf-8")
            system = load(path)
            assert system.design.parts, "an app on a page declares something"
            self.names.update({k: v for k, v in vars(sys.modules[f"parti_app_{path.stem}"]).items() if k[0] != "_"})
            return
        before = set(self.names)
        padding = "\n" * (block.line - 1)  # so that a traceback shows the line of the page
        exec(compile(padding + block.text, str(block.page), "exec"), self.names)
        for name in self.names.keys() - before:
            if name.startswith("test_"):
                self.names[name]()

    def _console(self, block: Block) -> None:
        for command, expected in commands_of(block.text):
            program, *arguments = shlex.split(command)
            assert program == "parti", f"{block.page.name}:{block.line}: only `parti` is run, not {program}"
            said = subprocess.run(
                [str(Path(sys.executable).parent / "parti"), *arguments],
                cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
            output = said.stdout + said.stderr
            assert said.returncode == 0, f"{block.page.name}:{block.line}: {command} exited {said.returncode}\n{output}"
            missing = first_missing(expected, output)
            assert missing is None, f"{block.page.name}:{block.line}: {command} did not say {missing!r}:\n{output}"


def commands_of(text: str) -> list[tuple[str, list[str]]]:
    """Each command after `$ `, and the lines it should print."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def first_missing(expected: list[str], output: str) -> str | None:
    """The first expected line that the output lacks, in whatever order stdout and stderr came; `…` is any text."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    for wanted in expected:
        parts = (re.escape(part.strip()) for part in " ".join(wanted.split()).split("…"))
        pattern = re.compile(".*".join(parts))
        if not any(pattern.fullmatch(line) for line in lines):
            return wanted
    return None


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARTI_")}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "160", "TZ": "UTC"}
