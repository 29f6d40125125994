"""The state machine of a run: every legal change, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parti import PartiError, Retry
from parti.engine.machine import (
    Begun,
    Cancelled,
    Doubted,
    Duty,
    HandedBack,
    Happening,
    Raised,
    Retried,
    Returned,
    Suspended,
    Woken,
    advance,
    tries,
)
from parti.ports.store import RunRecord, State

RETRY = Retry(3, first="10s")


def record(state: State, **changes: object) -> RunRecord:
    fresh = RunRecord(
        "handle:t:0:1", "handle", "main", "k", state, 1, "t", 0, 1, b"", b"", b"", 1.0, 0.0, 0.0, 0.0, 0.0, "c0de"
    )
    return fresh._replace(**changes)  # type: ignore[arg-type]


HAPPENINGS: dict[str, Happening] = {
    "begun": Begun(5.0),
    "returned": Returned(9.0, b"7", 2.0),
    "raised": Raised(9.0, b"{}", 2.0, RETRY, 0.5),
    "raised for good": Raised(9.0, b"{}", 2.0, RETRY, 0.5, final=True),
    "suspended": Suspended(50.0, 2.0),
    "doubted": Doubted(2.0),
    "handed back": HandedBack(2.0),
    "woken": Woken(),
    "retried": Retried(RETRY),
    "cancelled": Cancelled(9.0),
}

OPEN = (State.QUEUED, State.RUNNING, State.WAITING, State.BACKOFF, State.PARKED)
LEGAL = {
    (State.QUEUED, "begun"): (State.RUNNING, Duty.WORK),
    (State.RUNNING, "returned"): (State.DONE, Duty.COMMIT),
    (State.RUNNING, "raised"): (State.BACKOFF, Duty.WAIT),
    (State.RUNNING, "raised for good"): (State.DEAD, Duty.BURY),
    (State.RUNNING, "suspended"): (State.WAITING, Duty.WAIT),
    (State.RUNNING, "doubted"): (State.PARKED, Duty.WAIT),
    (State.RUNNING, "handed back"): (State.QUEUED, Duty.QUEUE),
    (State.WAITING, "woken"): (State.QUEUED, Duty.QUEUE),
    (State.BACKOFF, "woken"): (State.QUEUED, Duty.QUEUE),
    (State.PARKED, "woken"): (State.QUEUED, Duty.QUEUE),
    (State.DEAD, "retried"): (State.QUEUED, Duty.QUEUE),
} | {(state, "cancelled"): (State.CANCELLED, Duty.DROP) for state in OPEN}


@pytest.mark.parametrize("what", HAPPENINGS)
@pytest.mark.parametrize("state", State)
def test_each_happening_fits_the_states_it_is_meant_for_and_no_other(state: State, what: str) -> None:
    if (state, what) in LEGAL:
        changed, duty = advance(record(state), HAPPENINGS[what])
        assert (changed.state, duty) == LEGAL[state, what]
    else:
        with pytest.raises(PartiError) as refused:
            advance(record(state), HAPPENINGS[what])
        assert refused.value.code == "P309"


def test_the_start_of_a_run_is_when_it_first_began() -> None:
    assert advance(record(State.QUEUED), Begun(5.0))[0].started == 5.0
    assert advance(record(State.QUEUED, started=2.0), Begun(5.0))[0].started == 2.0


def test_time_at_work_adds_up_over_all_activations() -> None:
    running = record(State.RUNNING, busy=1.5)
    for what in ("returned", "raised", "suspended", "doubted", "handed back"):
        assert advance(running, HAPPENINGS[what])[0].busy == 3.5


def test_the_last_attempt_that_fails_ends_the_run() -> None:
    attempts = [advance(record(State.RUNNING, attempt=n), HAPPENINGS["raised"])[0] for n in (1, 2, 3)]
    assert [changed.state for changed in attempts] == [State.BACKOFF, State.BACKOFF, State.DEAD]
    assert [changed.attempt for changed in attempts] == [2, 3, 3]
    assert [changed.wake for changed in attempts[:2]] == [9.0 + 5.0, 9.0 + 10.0]


def test_a_run_that_succeeds_forgets_the_error_of_earlier_attempts() -> None:
    assert advance(record(State.RUNNING, error=b"{}"), HAPPENINGS["returned"])[0].error == b""


@given(
    st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=60),
    st.integers(1, 4),
)
def test_no_sequence_of_happenings_breaks_the_rules_of_a_run(sequence: list[str], attempts: int) -> None:
    retry = Retry(attempts)
    now, ends, begins, rounds = record(State.QUEUED), 0, 0, 1
    for what in sequence:
        happening = HAPPENINGS[what]
        if isinstance(happening, Raised):
            happening = Raised(9.0, b"{}", 2.0, retry, 0.5, happening.final)
        elif isinstance(happening, Retried):
            happening = Retried(retry)
        try:
            following, duty = advance(now, happening)
        except PartiError:
            continue
        if now.state.ended:
            assert isinstance(happening, Retried)
            assert now.state is State.DEAD
            rounds += 1
            begins = 0
            assert tries(following.attempt, retry) == 1
        if duty in (Duty.COMMIT, Duty.BURY, Duty.DROP):
            assert following.state.ended
            assert following.ended
            ends += 1
        else:
            assert not following.state.ended
        assert following.attempt >= now.attempt
        if isinstance(happening, Raised):
            begins += 1
            assert begins <= attempts, "no more failures in a round than attempts"
        now = following
    assert ends <= rounds
    assert now.attempt <= rounds * attempts
