"""The state machine of a run: a pure function from a record and what happened to the next record and what to do.

        begin            returned
QUEUED ------> RUNNING ----------> DONE
  ^   ^          | | |  suspended
  |   |          | | +----------> WAITING --woken--> QUEUED
  |   |  due     | |  doubted
  |   +------- BACKOFF   +------> PARKED --settled-> QUEUED
  |              | raised, attempts spent
  +--retried-- DEAD
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from parti.design.goals import Retry
from parti.errors import RunError
from parti.ports.store import RunRecord, State
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Begun:
    """Work on the run starts."""

    at: Seconds


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned; `result` is JSON, `busy` the seconds it was at work."""

    at: Seconds
    result: bytes
    busy: Seconds


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised; `error` is JSON, `chance` in [0, 1) draws the backoff. `final` forbids another attempt."""

    at: Seconds
    error: bytes
    busy: Seconds
    retry: Retry
    chance: float
    final: bool = False


@dataclass(frozen=True, slots=True)
class Suspended:
    """The run waits for people or timers alone, the earliest at `wake` (0: for people without a deadline)."""

    wake: Seconds
    busy: Seconds


@dataclass(frozen=True, slots=True)
class Doubted:
    """Nobody knows whether a write of the run happened; a person must say."""

    busy: Seconds


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The process stops; the run goes on in the next one."""

    busy: Seconds


@dataclass(frozen=True, slots=True)
class Woken:
    """What the run waited for is there: an answer, a timer, the end of a backoff, or a person's word on a doubt."""


@dataclass(frozen=True, slots=True)
class Retried:
    """A person starts a dead run again, with all its attempts."""

    retry: Retry


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person ends the run."""

    at: Seconds


Happening = Begun | Returned | Raised | Suspended | Doubted | HandedBack | Woken | Retried | Cancelled


class Duty(Enum):
    """What the shell must do besides storing the record."""

    WORK = auto()
    """Call the function."""
    COMMIT = auto()
    """Commit the run's events and rows, answer its caller, release its key."""
    BURY = auto()
    """Move the event to the dead letters, answer the caller with the error, release the key."""
    DROP = auto()
    """Drop the run's events and rows, answer the caller with the error, release the key."""
    WAIT = auto()
    """Keep the key; `wake` says when to look again, if ever."""
    QUEUE = auto()
    """Keep the key, or take its turn for it, and begin as soon as there is room."""


AWAKE = (State.QUEUED, State.RUNNING, State.BACKOFF)


def advance(record: RunRecord, happening: Happening) -> tuple[RunRecord, Duty]:
    """The next record of the run and the shell's duty. Raises P309 where the happening does not fit the state."""
    state = record.state
    match happening:
        case Begun(at) if state is State.QUEUED:
            return record._replace(state=State.RUNNING, started=record.started or at, wake=0.0), Duty.WORK
        case Returned(at, result, busy) if state is State.RUNNING:
            ended = record._replace(state=State.DONE, result=result, error=b"", ended=at, busy=record.busy + busy)
            return ended, Duty.COMMIT
        case Raised() if state is State.RUNNING:
            return _raised(record, happening)
        case Suspended(wake, busy) if state is State.RUNNING:
            return record._replace(state=State.WAITING, wake=wake, busy=record.busy + busy), Duty.WAIT
        case Doubted(busy) if state is State.RUNNING:
            return record._replace(state=State.PARKED, wake=0.0, busy=record.busy + busy), Duty.WAIT
        case HandedBack(busy) if state is State.RUNNING:
            return record._replace(state=State.QUEUED, busy=record.busy + busy), Duty.QUEUE
        case Woken() if state in (State.WAITING, State.BACKOFF, State.PARKED):
            return record._replace(state=State.QUEUED, wake=0.0), Duty.QUEUE
        case Retried(retry) if state is State.DEAD:
            fresh = record.attempt + retry.attempts - tries(record.attempt, retry) + 1
            return record._replace(
                state=State.QUEUED, attempt=fresh, started=0.0, ended=0.0, busy=0.0, error=b""
            ), Duty.QUEUE
        case Cancelled(at) if not state.ended:
            return record._replace(state=State.CANCELLED, ended=at, wake=0.0), Duty.DROP
    raise RunError(
        "P309",
        f"{record.id} is {state.value}: {type(happening).__name__.lower()} does not fit",
        fix="look at it with `parti why`",
    )


def _raised(record: RunRecord, failure: Raised) -> tuple[RunRecord, Duty]:
    busy = record.busy + failure.busy
    failed = record._replace(error=failure.error, busy=busy)
    if failure.final or tries(record.attempt, failure.retry) >= failure.retry.attempts:
        return failed._replace(state=State.DEAD, ended=failure.at), Duty.BURY
    wait = failure.retry.wait_before(tries(record.attempt, failure.retry) + 1, failure.chance)
    return failed._replace(state=State.BACKOFF, attempt=record.attempt + 1, wake=failure.at + wait), Duty.WAIT


def tries(attempt: int, retry: Retry) -> int:
    """Which try of the present round `attempt` is: a retried run starts a new round of `retry.attempts`."""
    return (attempt - 1) % retry.attempts + 1
