"""A dead letter: an event that a handler could not handle, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What moved to a topic's dead letters. `event` is the payload as JSON values, `run` the journal to look into."""

    handler: str
    run: str
    key: str
    code: str
    error: str
    attempts: int
    event: Any
