"""Checking apps in tests: each is loaded from its file, and judged on a fixed day."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from parti.declare.dataflow.reader import read_dataflow
from parti.declare.loading import load
from parti.declare.system import System
from parti.rules.base import Finding, Rule
from parti.rules.checking import Report, check

DAY = date(2026, 12, 1)


def loaded(file: Path) -> System:
    """The system of a file. Its module is forgotten, so that files of one name do not meet."""
    known, paths = set(sys.modules), list(sys.path)
    system = load(file)
    for name in set(sys.modules) - known:
        if name.startswith("parti_app_"):
            del sys.modules[name]
    sys.path[:] = paths
    return system


def judged(system: System, rules: Sequence[Rule] | None = None, day: date = DAY) -> Report:
    """What the rules (all of them, if none are named) say of it."""
    design = system.design
    return check(design, read_dataflow(design, system.root), day, rules)


def shown(findings: Sequence[Finding]) -> str:
    """Findings as a golden file keeps them."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.place}: {finding.code} {finding.what}")
        lines += [f"  {stage.place}: {stage.text}" for stage in finding.path]
        lines.append(f"  try: {finding.fix}")
    return "\n".join(lines) + "\n"
