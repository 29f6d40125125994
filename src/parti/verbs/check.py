"""Checking a system: what is wrong with its architecture, before anything runs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any

from parti.declare.dataflow.reader import read_dataflow
from parti.design.diff import Diff
from parti.errors import UsageError
from parti.rules.base import Rule
from parti.rules.checking import Report
from parti.rules.checking import check as judge
from parti.rules.listing import by_code
from parti.rules.sarif import as_sarif
from parti.verbs.target import Target, now


def check(target: Target, today: date | None = None, before: Diff | None = None) -> Report:
    """What is wrong with the system, what is accepted, and what could not be analysed; and with what changed since `before`."""
    design = target.design
    day = today or datetime.fromtimestamp(now(), UTC).date()
    return judge(design, read_dataflow(design, target.root), day, before=before)


def sarif(target: Target, report: Report) -> dict[str, Any]:
    """The report as SARIF 2.1.0, with files named from the root of the repository that the app lies in."""
    root = target.root.resolve()
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    folder = "" if top == root else root.relative_to(top).as_posix()
    return as_sarif(report, version=version("parti"), folder=folder)


def explain(code: str) -> Rule:
    """The rule of that code. Raises P105 where there is none."""
    rules = by_code()
    found = rules.get(code.upper())
    if found is None:
        known = ", ".join(rules)
        raise UsageError("P308", f"there is no rule {code!r}", fix=f"one of: {known}")
    return found
