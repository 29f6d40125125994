"""A print of code changes with whatever of the app the code leads to, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from against_kit import version

APP = """
import logging
import re
from enum import Enum

from helpers import double
from parti import System

desk = System("desk")
LIMIT = 5
NAMES = {"a", "b", "c"}
log = logging.getLogger("desk")
PATTERN = re.compile("a+")


class Kind(Enum):
    A = "a"


class Rule:
    def __init__(self, least: int) -> None:
        self.least = least

    def holds(self, n: int) -> bool:
        return n >= self.least


RULE = Rule(3)


def unused() -> int:
    return 1


@desk.step
async def measure(n: int) -> int:
    return n


@desk.post("/count", key="id")
async def count(id: str, n: int) -> int:
    log.info("%s", id)
    if id in {"x", "y", "z"} and PATTERN.match(id) and Kind.A and id in NAMES:
        return 0
    return double(await measure(n)) if RULE.holds(n) else LIMIT
"""
HELPERS = "def double(n: int) -> int:\n    return 2 * n\n"


def print_of(folder: Path, app: str = APP, helpers: str = HELPERS) -> str:
    import sys  # noqa: PLC0415 only here

    sys.modules.pop("helpers", None)
    folder.mkdir()
    (folder / "helpers.py").write_text(helpers, encoding="utf-8")
    return version(app, folder).sketch.parts["count"].code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 5", "LIMIT = 6"),
        ("n >= self.least", "n > self.least"),
        ("Rule(3)", "Rule(4)"),
        ('A = "a"', 'A = "b"'),
        ('"a", "b", "c"', '"a", "b", "d"'),
        ('compile("a+")', 'compile("b+")'),
        ('"x", "y", "z"', '"x", "y", "w"'),
        ("return 0", "return 1"),
    ],
)
def test_what_the_code_leads_to_changes_it(old: str, new: str, tmp_path: Path) -> None:
    assert print_of(tmp_path / "one") != print_of(tmp_path / "two", APP.replace(old, new))


def test_a_helper_in_another_file_of_the_app_changes_it(tmp_path: Path) -> None:
    assert print_of(tmp_path / "one") != print_of(tmp_path / "two", APP, HELPERS.replace("2 *", "3 *"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 5", "# at most\n\nLIMIT = 5"),
        ("def unused() -> int:\n    return 1", "def unused() -> int:\n    return 2"),
        ("async def measure(n: int) -> int:\n    return n", "async def measure(n: int) -> int:\n    return n + 1"),
    ],
)
def test_comments_other_functions_and_steps_do_not_change_it(old: str, new: str, tmp_path: Path) -> None:
    assert print_of(tmp_path / "one") == print_of(tmp_path / "two", APP.replace(old, new)) != ""


def test_an_object_of_a_library_that_says_nothing_of_itself_leaves_no_print(tmp_path: Path) -> None:
    text = APP.replace("LIMIT = 5", "import threading\nLIMIT = threading.Lock()").replace(
        "else LIMIT", "else int(bool(LIMIT))"
    )
    assert print_of(tmp_path / "one", text) == ""
