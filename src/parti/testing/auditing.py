"""The canary audit inside a test: what `parti audit labels` finds, with functions in the place of what lies outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from parti.auditing.report import Audit
from parti.declare.handles import PartHandle
from parti.declare.system import System
from parti.testing.script import Script
from parti.verbs.audit import Options, audit_design

Named = PartHandle | str
"""A part, by its handle or its name."""


def audit_labels(
    system: System,
    *,
    inputs: Mapping[Named, Iterable[Any]] | None = None,
    answers: Mapping[Named, Iterable[Any]] | None = None,
    real: Iterable[Named] = (),
    instead: Mapping[Named, Callable[..., Any]] | None = None,
    script: Script | None = None,
    seed: int = 1,
) -> Audit:
    """Audit `system`; call it outside of an event loop, as it makes one of its own. Nothing outside is called.

    `inputs` are what comes in by topic or endpoint, and what tools are called with; `answers` what a tool answers: values of
    their types, or JSON. Tools in `real` are called all the same, and functions in `instead` in the place of others, which
    says what those give. `script` answers in the place of the worst language model. Raises P308 and P402 for what does not fit.
    """
    options = Options(
        seed=seed,
        inputs=_plain(inputs),
        answers=_plain(answers),
        real=frozenset(map(_name, real)),
        instead={_name(tool): function for tool, function in (instead or {}).items()},
        script=script,
    )
    return audit_design(system.design, system.root, options)


def _name(part: Named) -> str:
    return part if isinstance(part, str) else part.name


def _plain(values: Mapping[Named, Iterable[Any]] | None) -> dict[str, list[Any]]:
    return {_name(part): [from_json(to_json(one)) for one in given] for part, given in (values or {}).items()}
