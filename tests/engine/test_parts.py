"""The small parts of the engine by themselves: lanes, watermarks, names, entries, timers, tallies."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parti.adapters.virtual import EPOCH, VirtualClock, run_virtual
from parti.engine.lanes import Lanes
from parti.engine.meter import Meter, Tally
from parti.engine.rows import Overlay
from parti.engine.timers import Timers
from parti.engine.watermark import Watermark
from parti.journal.entries import Entry, Kind, chunk, decode, encode
from parti.journal.identity import orderless, partition_of, run_of_event, run_of_tick, step_digest
from parti.ports.operations import run_of_call
from parti.ports.store import OUTSIDE_FROM, State
from parti.testing.store_samples import a_run

# Lanes


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=80))
def test_lanes_give_each_key_its_turns_in_the_order_of_coming(moves: list[tuple[str, bool]]) -> None:
    lanes: Lanes[object] = Lanes()
    lines: dict[str, list[object]] = defaultdict(list)
    for key, enters in moves:
        line = lines[key]
        if enters:
            item = object()
            line.append(item)
            assert lanes.enter(key, item) == (len(line) == 1)
        elif line:
            assert lanes.leave(key, line.pop(0)) is (line[0] if line else None)
        if line:
            assert lanes.first(key) is line[0]
        assert list(lanes.behind(key)) == line[1:]
        assert all(lanes.is_first(key, item) == (item is line[0]) for item in line)
        assert len(lanes) == sum(map(len, lines.values()))


def test_one_who_is_not_first_may_leave_the_line() -> None:
    lanes: Lanes[str] = Lanes()
    for item in ("one", "two", "three"):
        lanes.enter("k", item)
    lanes.remove("k", "two")
    assert lanes.leave("k", "one") == "three"
    assert lanes.leave("k", "three") is None
    assert len(lanes) == 0


# Watermarks


@given(st.integers(0, 5), st.lists(st.integers(0, 30), max_size=60))
def test_a_watermark_is_the_first_offset_that_was_not_marked(low: int, marks: list[int]) -> None:
    mark = Watermark(low)
    marked: set[int] = set(range(low))
    for offset in marks:
        before = mark.low
        rose = mark.mark(offset)
        marked.add(offset)
        naive = next(n for n in range(100) if n not in marked)
        assert mark.low == naive
        assert rose == (naive > before)
        assert all((n in mark) == (n in marked) for n in range(35))


# Names


@given(st.text(), st.text(), st.text(), st.text())
def test_runs_of_calls_are_the_same_only_for_the_same_tenant_and_key(
    tenant: str, key: str, other_tenant: str, other_key: str
) -> None:
    same = (tenant, key) == (other_tenant, other_key)
    assert (run_of_call("go", tenant, key) == run_of_call("go", other_tenant, other_key)) == same


def test_names_of_runs_stay_what_they_are() -> None:
    assert run_of_event("decide", "orders", 3, 1042) == "decide:orders:3:1042"
    assert run_of_call("go", "main", "a b/c") == "go:a%20b%2Fc"
    assert run_of_call("go", "acme", "k") == "go:acme@k"
    assert run_of_tick("tick", 7) == "tick:7"


def test_partitions_and_digests_stay_what_they_are_in_every_version() -> None:
    assert [partition_of("main", key, 8) for key in ("a", "b", "c", "\N{GRINNING FACE}")] == [4, 7, 7, 6]
    assert step_digest(b'["a",1]') == "2204915fb477f654"


@given(st.lists(st.integers() | st.lists(st.integers()) | st.text()), st.randoms(use_true_random=False))
def test_orderless_json_does_not_depend_on_the_order_of_lists(items: list[Any], chance: Any) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)
    assert orderless(json.dumps(items).encode()) == orderless(json.dumps(shuffled).encode())


# Entries

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=3))
KINDS = sorted(value for name, value in vars(Kind).items() if name.isupper())


@given(st.sampled_from(KINDS), TEXTS, TEXTS, TEXTS, st.integers(1, 99), VALUES, VALUES)
def test_an_entry_of_every_kind_comes_back_as_it_was(
    kind: str, branch: str, part: str, digest: str, attempt: int, arguments: Any, answer: Any
) -> None:
    blobs: dict[str, bytes] = {}
    bodies = json.dumps(arguments).encode(), json.dumps(answer).encode()
    entry = encode(kind, branch, part, digest, attempt, 1767225600.123456, 0.25, *bodies, blobs)
    expected = Entry(kind, branch, part, digest, attempt, 1767225600.123456, 0.25, arguments, answer)
    assert decode(chunk([entry, entry])) == [expected, expected]
    assert blobs == {}


@pytest.mark.parametrize("large", ["arguments", "answer", "both"])
def test_large_arguments_and_answers_lie_in_blobs(large: str) -> None:
    blobs: dict[str, bytes] = {}
    big = json.dumps("x" * OUTSIDE_FROM).encode()
    arguments = b"1" if large == "answer" else big
    answer = b"2" if large == "arguments" else big
    (entry,) = decode(chunk([encode(Kind.STEP, "0", "look", "d", 1, 1.0, 0.0, arguments, answer, blobs)]))
    assert blobs == {sha256(big).hexdigest(): big}
    outside = {"arguments", "answer"} if large == "both" else {large}
    assert entry.more == dict.fromkeys(outside, sha256(big).hexdigest())
    assert (entry.arguments, entry.answer) == (
        None if "arguments" in outside else 1,
        None if "answer" in outside else 2,
    )


def test_what_just_fits_stays_in_the_journal() -> None:
    blobs: dict[str, bytes] = {}
    body = b'"%b"' % (b"x" * (OUTSIDE_FROM - 2))
    encode(Kind.STEP, "", "look", "d", 1, 1.0, 0.0, body, body, blobs)
    assert blobs == {}


# Overlays


def test_an_overlay_forgets_a_row_only_with_the_commit_that_wrote_its_last_word() -> None:
    overlay = Overlay()
    place = ("book", "main", "a")
    overlay.put(place, b"one", 1)
    overlay.put(place, b"two", 2)
    overlay.forget([place], 1)
    assert overlay.get(place) == (True, b"two")
    assert overlay.of_table("book", "main") == {"a": b"two"}
    assert overlay.of_table("book", "other") == {}
    overlay.forget([place], 2)
    assert overlay.get(place) == (False, None)


# Timers


def test_timers_call_in_the_order_of_their_moments_and_of_coming() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, float]]:
        timers, called = Timers(clock), []
        running = asyncio.create_task(timers.run())

        def at(moment: float, name: str) -> None:
            timers.at(EPOCH + moment, lambda: called.append((name, round(clock.now() - EPOCH, 3))))

        for moment, name in ((500, "late"), (5, "first"), (5, "second")):
            at(moment, name)
        await clock.wait(2)
        at(3, "sooner")
        at(1, "past")
        await clock.wait(1000)
        running.cancel()
        return called

    expected = [("past", 2), ("sooner", 3), ("first", 5), ("second", 5), ("late", 500)]
    assert run_virtual(main) == expected


def test_a_timer_may_set_another_while_it_is_called() -> None:
    async def main(clock: VirtualClock) -> list[float]:
        timers, called = Timers(clock), []
        running = asyncio.create_task(timers.run())

        def again() -> None:
            called.append(clock.now() - EPOCH)
            if len(called) < 3:
                timers.at(clock.now() + 10, again)

        timers.at(EPOCH, again)
        await clock.wait(100)
        running.cancel()
        return called

    assert run_virtual(main) == [0, 10, 20]


# Tallies


def test_a_tally_knows_counts_rates_and_quantiles() -> None:
    meter = Meter()
    for n in range(1, 101):
        state = State.DEAD if n % 10 == 0 else State.DONE
        meter.add(a_run(f"r{n}", part="p", state=state, started=1000.0 + n, ended=1000.0 + 1.1 * n))
    tally = meter.tallies["p"]
    assert (tally.done, tally.dead) == (90, 10)
    assert tally.quantile(0.5) == pytest.approx(5.1)
    assert tally.quantile(0.99) == pytest.approx(10.0)
    assert tally.quantile(1.0) == pytest.approx(10.0)
    assert tally.per_second == pytest.approx(100 / 109)
    assert (Tally().quantile(0.5), Tally().per_second) == (0.0, 0.0)
