"""`parti audit labels` as a command, in processes of its own: exit codes, what it tells, files of inputs, and that a seed decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PARTI = [sys.executable, "-c", "from parti.cli import main; main()"]

APP = """
from typing import Annotated

from pydantic import BaseModel

from parti import Label, System

desk = System("desk")


class Letter(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    text: Annotated[str, Label.UNTRUSTED]


class Receipt(BaseModel):
    title: Annotated[str, Label.TRUSTED]


@desk.tool(effect="read")
async def letter(id: str) -> Letter:
    raise AssertionError("nothing outside is called")


@desk.tool(effect="write", key="title", idempotent=True, control=["title"])
async def book(title: str) -> Receipt:
    print("booked", title)
    return Receipt(title=title)


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[letter, book])


@desk.post("/do", labels=Label.TRUSTED)
async def do(task: str) -> str:
    return await clerk.run(task)
"""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed."""
        return json.loads(self.out)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    return tmp_path


def audit(folder: Path, *arguments: str) -> Said:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PARTI_")} | {"NO_COLOR": "1"}
    done = subprocess.run(
        [*PARTI, "audit", "labels", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def test_what_shows_nothing_wrong_exits_with_0_and_says_what_it_does_not_know(desk: Path) -> None:
    said = audit(desk)
    assert said.code == 0
    assert "not seen: book.title: its answers are made up: call it with --real book, or stand in for it" in said.out
    assert said.out.endswith("desk: 0 findings; marks in 1 field were read by 2 runs (seed 1)\n")
    assert said.err == "next: parti check\n"
    assert [file.name for file in desk.iterdir() if file.name != "__pycache__"] == ["app.py"]


def test_a_finding_exits_with_1_and_is_told_with_its_way_and_fix(desk: Path) -> None:
    said = audit(desk, "app.py", "--real", "book")
    assert said.code == 1
    lines = said.out.splitlines()
    what = "what is written into `letter.text` shows up in `book.title`, which is declared trusted (as it is)"
    assert lines[0] == f"app.py:25: {what}"
    assert "    app.py:20: a mark is put into `letter.text`" in lines
    assert lines[lines.index("    app.py:20: `letter` gives it") - 1].startswith("  in do:")
    assert "    app.py:25: `book` gives it" in lines
    assert '  try: labels={"title": Label.UNTRUSTED} on `book`, or make it not repeat what it is given' in lines


def test_json_tells_the_same_whatever_the_program_prints(desk: Path) -> None:
    said = audit(desk, "--real", "book", "--json", "--seed", "7")
    assert said.code == 1
    assert "booked" in said.err
    found = said.json
    assert (found["name"], found["seed"], found["clean"], found["read"]) == ("desk", 7, False, ["letter.text"])
    (finding,) = found["findings"]
    assert (finding["source"], finding["sink"], finding["wrong"]) == ("letter.text", "book.title", "declared trusted")
    assert [stage["place"] for stage in finding["path"]][-1] == "app.py:25"
    assert said.out == audit(desk, "--real", "book", "--json", "--seed", "7").out


def test_files_say_what_comes_in_and_what_tools_answer(desk: Path) -> None:
    (desk / "tasks.jsonl").write_text('"Read letter 7"\n{"task": "Read letter 8"}\n', encoding="utf-8")
    (desk / "letters.jsonl").write_text('{"id": "7", "text": "Dear all"}\n', encoding="utf-8")
    said = audit(desk, "--inputs", "do=tasks.jsonl", "--answers", "letter=letters.jsonl", "--json")
    assert (said.code, said.json["runs"], said.json["read"]) == (0, 4, ["letter.text"])


def test_an_audit_in_which_no_run_read_a_mark_exits_with_1(desk: Path) -> None:
    (desk / "app.py").write_text(APP.replace("tools=[letter, book]", "tools=[book]"), encoding="utf-8")
    said = audit(desk)
    assert said.code == 1
    assert "no run read a mark: this audit shows nothing" in said.out
    assert "not read: letter.text: no run called it" in said.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("none.py",), "P101"),
        (("--real", "send"), "P308"),
        (("--inputs", "do=none.jsonl"), "P504"),
        (("--inputs", "do=empty.jsonl"), "P504"),
        (("--inputs", "do=bad.jsonl"), "P405"),
        (("--answers", "letter=do.jsonl"), "P402"),
    ],
)
def test_misuse_exits_with_2_and_a_code(desk: Path, arguments: tuple[str, ...], code: str) -> None:
    (desk / "empty.jsonl").write_text("", encoding="utf-8")
    (desk / "bad.jsonl").write_text("{\n", encoding="utf-8")
    (desk / "do.jsonl").write_text('{"id": 7}\n', encoding="utf-8")
    said = audit(desk, *arguments, "--json") if arguments[0].startswith("-") else audit(desk, *arguments)
    assert said.code == 2
    assert code in said.err
    assert "Traceback" not in said.err


def test_an_option_without_its_file_exits_with_2(desk: Path) -> None:
    said = audit(desk, "--inputs", "do")
    assert said.code == 2 and "takes a name, =, and a file" in said.err
