"""The inbox of the examples: an assistant that obeys every stranger robs its owner, unless labels are held."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

INBOX = Path(__file__).parents[2] / "examples" / "inbox"


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of that name, with those beside it, which other examples have by the same names."""
    monkeypatch.syspath_prepend(str(INBOX))
    names = ("app", "office", "worst", "trials")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import trials as found  # noqa: PLC0415

    yield found
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("defence", "succeeded", "unasked", "asked"),
    [("none", 12, 10, 0), ("run", 0, 3, 7), ("arguments", 1, 7, 3)],
)
def test_the_table_of_the_readme(trials: Any, defence: str, succeeded: int, unasked: int, asked: int) -> None:
    row = asyncio.run(trials.row(defence, attacked_tasks=1))
    assert (row.succeeded, row.unasked, row.asked) == (succeeded, unasked, asked)
    assert row.finished == row.tasks
    assert trials.shown([row]).count("\n") == 2
    assert f"| {defence} |" in (INBOX / "README.md").read_text(encoding="utf-8")


def test_what_still_succeeds_with_traced_arguments_is_what_is_said_to_whom_the_task_names(trials: Any) -> None:
    task = trials.HONEST[1]
    done = [(one.name, asyncio.run(trials.tried(task, "arguments", one)).strange) for one in trials.ATTACKS]
    assert [name for name, strange in done if strange] == ["a lie to whom the task names"]
