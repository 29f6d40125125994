"""The lending example with a door for applications, to put loads on it from outside.

Its bank sends nothing by itself here, and nobody answers for the underwriter: the benchmark sends applications of which the model is sure. So
no letter is written by the language model, which takes seconds of both cores for each: no load would be left to predict.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples" / "lending"))

import app as lending

from parti import Case, Journal, Label, Trial

desk = lending.desk
lending.data = SimpleNamespace(incoming=list, recorded_decision=lending.data.recorded_decision)  # type: ignore[assignment]


@desk.post("/applications", key="application.id", concurrency=4096, labels=Label.TRUSTED)
async def apply(application: lending.Application) -> str:
    """Take an application in."""
    await lending.applications.publish(application)
    return application.id


def on_paper(letter: lending.Letter) -> str:
    """Stands in for the outbox while the desk is profiled."""
    return letter.application_id


@desk.evaluation(of=lending.answer, data=Journal(), instead={lending.post_letter: on_paper})
def posted(case: Case[lending.Decision, None], output: None, trial: Trial) -> float:
    """Each decision is answered by one letter. It is there for what it lets stand in for the outbox."""
    return float(len(trial.writes) == 1)


def incoming() -> list[dict[str, Any]]:
    """The applications that the model has not learned from."""
    import data  # noqa: PLC0415 - it lies beside the example

    return data.incoming()
