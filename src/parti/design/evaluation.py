"""An evaluation: cases that a part of the system is tried on, and how what it makes of each is scored."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Generic, Protocol, TypeVar

from parti.design.payload import Payload
from parti.design.places import Place
from parti.units import Seconds

In = TypeVar("In")
Expected = TypeVar("Expected")


@dataclass(frozen=True, slots=True)
class Case(Generic[In, Expected]):
    """One case: what goes in, what is expected of it (None: nothing in particular), and tags to tell kinds apart.

    `variables` are those of an agent's Prompt; `line` is where in the data it stands.
    """

    input: In
    expected: Expected
    tags: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 (wrong) to 1 (right), and why."""

    value: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """A write that a case would have made: the tool, and its arguments as JSON values. It was recorded and not made."""

    tool: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What working on a case took: `usd` and `tokens` of language models, `seconds`, and the writes it would have made."""

    usd: float = 0.0
    tokens: int = 0
    seconds: Seconds = 0.0
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """Cases out of the journal: inputs and outputs of past runs of `part` (the evaluated part if none is named).

    The latest ones, at most `limit`, of runs created within the last `since` (``"7d"``).
    """

    part: str = ""
    since: str | float = "30d"
    limit: int = 200


class Alikeness(Protocol):
    """How alike two texts are in meaning, from -1 to 1. The embedding model stands behind it."""

    async def __call__(self, one: str, other: str) -> float:
        """The cosine of the angle between their embeddings."""
        ...


class Checker(Protocol):
    """Scores what a part made of a case. `name` changes when its judgement may: it tells stored scores apart."""

    @property
    def name(self) -> str:
        """Which checker this is, with its settings."""
        ...

    @property
    def llms(self) -> Sequence[str]:
        """The language models that it asks, by name."""
        ...

    async def score(self, case: Case[Any, Any], output: Any, trial: Trial, alike: Alikeness) -> Score:
        """The score of one case."""
        ...


@dataclass(frozen=True, slots=True)
class OwnChecker:
    """A function of the app as a checker: ``(case, output)`` or ``(case, output, trial)`` to a number, bool or Score."""

    function: Callable[..., Any]
    digest: str

    @property
    def name(self) -> str:
        """See Checker."""
        return f"{self.function.__name__}:{self.digest}"

    @property
    def llms(self) -> Sequence[str]:
        """See Checker: it may ask any."""
        return ()

    async def score(self, case: Case[Any, Any], output: Any, trial: Trial, alike: Alikeness) -> Score:
        """See Checker. A plain function runs in a thread."""
        arguments = (case, output, trial)[: len(inspect.signature(self.function).parameters)]
        if inspect.iscoroutinefunction(self.function):
            return score_of(await self.function(*arguments))
        return score_of(await asyncio.to_thread(self.function, *arguments))


def score_of(said: Any) -> Score:
    """What a checker returned, as a Score. Raises ValueError for what is none from 0 to 1."""
    score = said if isinstance(said, Score) else Score(float(said)) if isinstance(said, bool | int | float) else None
    if score is None or not isfinite(score.value) or not 0 <= score.value <= 1:
        raise ValueError(f"a checker gives a bool, a number from 0 to 1 or a Score, not {said!r}")
    return score


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Tries the part `of` on `data` (a file beside the app, or a slice of the journal), and scores it by `check`.

    `gate` is the least mean score that passes. `instead` are functions that stand in for tools, by name. A case that takes
    longer than `timeout` seconds has failed. `checking` are the parts that the checker's own function calls, as far as it shows.
    """

    name: str
    place: Place
    of: str
    data: str | Journal
    input: Payload
    expected: Payload
    check: Checker
    gate: float | None
    instead: Mapping[str, Callable[..., Any]]
    timeout: Seconds
    about: str = ""
    checking: tuple[str, ...] = ()
