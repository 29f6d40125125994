"""The part of the store port's contract that says how much is kept: large bodies once, and what is old not for ever."""

from __future__ import annotations

import json
from hashlib import sha256
from random import Random
from typing import Any

from parti.ports.store import OUTSIDE_FROM, PAGE_BYTES, Batch, Reveal, State, Store
from parti.testing.store_play import StorePlay
from parti.testing.store_samples import NOW, a_question, a_run, an_event

LARGE = b'"' + b"x" * OUTSIDE_FROM + b'"'
LARGER = b'"' + b"y" * OUTSIDE_FROM + b'"'
OLD, NEW = NOW, NOW + 1000.0
BETWEEN = NOW + 500.0


def _name(body: bytes) -> str:
    return sha256(body).hexdigest()


def _ended(id: str, ended: float, **changes: Any) -> Batch:
    """A run that ended at a moment, with a journal record and a question of its own."""
    facts: dict[str, Any] = {"topic": "", "partition": -1, "offset": -1, **changes}
    run = a_run(id, state=State.DONE, created=ended, ended=ended, **facts)
    question = a_question(f"{id}?1", state="answered")._replace(run=id)
    return Batch(entries=[(id, b'[["step","%b"]]' % id.encode())], runs={id: run}, questions={question.id: question})


class KeepingContract(StorePlay):
    """What every store keeps, and for how long."""

    def test_large_bodies_come_back_whole(self) -> None:
        async def write(store: Store) -> None:
            run = a_run("r", arguments=LARGE, result=LARGER, error=LARGE)
            await store.commit(Batch(
                events=[an_event(body=b"1"), an_event(body=LARGE)], runs={"r": run}, rows={("book", "main", "k"): LARGE},
            ))  # fmt: skip

        async def read(store: Store) -> None:
            assert [event.payload for event in await store.events("orders", 0, start=0, limit=9)] == [b"1", LARGE]
            found = [await store.run("r"), *await store.runs(), *await store.runs_of(["r"]), *await store.open_runs()]
            assert [(run.arguments, run.result, run.error) for run in found if run] == [(LARGE, LARGER, LARGE)] * 4
            assert await store.row("book", "main", "k") == LARGE
            assert await store.rows("book", "main", after="", limit=9) == [("k", LARGE)]
            assert await store.verify() == []

        self.play(write, read)

    def test_a_body_of_just_the_largest_size_stays_in_its_record(self) -> None:
        async def write(store: Store) -> None:
            small = b"1" * OUTSIDE_FROM
            await store.commit(Batch(events=[an_event(body=small), an_event(body=small + b"1")]))
            assert await store.blob(_name(small)) is None
            assert await store.blob(_name(small + b"1")) == small + b"1"

        self.play(write)

    def test_a_large_body_is_kept_as_long_as_anything_refers_to_it(self) -> None:
        async def write(store: Store) -> None:
            place = ("book", "main", "k")
            await store.commit(Batch(events=[an_event(body=LARGE, at=OLD)], rows={place: LARGE}, runs={
                "r": a_run("r", state=State.DONE, topic="", created=OLD, ended=OLD, result=LARGE)
            }))  # fmt: skip
            await store.commit(Batch(rows={place: b"{}"}))
            assert await store.blob(_name(LARGE)) == LARGE
            await store.expire("orders", 0, before_offset=1, before=BETWEEN, limit=9)
            assert await store.blob(_name(LARGE)) == LARGE

        async def go_on(store: Store) -> None:
            assert not await store.forget(before=BETWEEN, limit=9)
            assert await store.blob(_name(LARGE)) is None
            assert await store.verify() == []

        self.play(write, go_on)

    def test_a_row_lets_go_of_the_body_it_had(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(rows={("book", "main", key): LARGE for key in "abc"}))

        async def go_on(store: Store) -> None:
            await store.commit(Batch(rows={("book", "main", "a"): LARGER, ("book", "main", "b"): None}))
            assert await store.blob(_name(LARGE)) == LARGE
            await store.commit(Batch(rows={("book", "main", "c"): LARGE, ("book", "main", "a"): LARGE}))
            assert await store.blob(_name(LARGER)) is None
            await store.commit(Batch(rows={("book", "main", key): None for key in "ac"}))
            assert await store.blob(_name(LARGE)) is None
            assert await store.verify() == []

        self.play(write, go_on)

    def test_what_journal_entries_and_models_name_is_kept_with_them(self) -> None:
        async def write(store: Store) -> None:
            entry = b'[["step","",{"answer":"%b"}]]' % _name(LARGE).encode()
            old = a_run("r", state=State.DONE, topic="", created=OLD, ended=OLD)
            await store.commit(Batch(entries=[("r", entry)], runs={"r": old}, blobs={_name(LARGE): LARGE}))
            await store.commit(Batch(blobs={_name(LARGER): LARGER}))
            await store.forget(before=BETWEEN, limit=9)
            assert await store.blob(_name(LARGE)) is None
            assert await store.blob(_name(LARGER)) == LARGER, "nobody said who it belongs to: it stays"
            assert await store.verify() == []

        self.play(write)

    def test_a_page_of_events_is_bounded_in_bytes(self) -> None:
        async def write(store: Store) -> None:
            body = b"x" * (PAGE_BYTES // 2 + 1)
            await store.commit(Batch(events=[an_event(body=body)] * 3))
            assert [event.offset for event in await store.events("orders", 0, start=0, limit=9)] == [0]
            assert [event.offset for event in await store.events("orders", 0, start=1, limit=9)] == [1]

        self.play(write)

    def test_runs_that_ended_long_ago_are_forgotten_with_all_that_is_theirs(self) -> None:
        async def write(store: Store) -> None:
            for batch in (_ended("old", OLD), _ended("new", NEW)):
                await store.commit(batch)
            opened = a_run("open", created=OLD)
            await store.commit(Batch(entries=[("open", b"[1]")], runs={"open": opened}))
            assert not await store.forget(before=BETWEEN, limit=9)

        async def read(store: Store) -> None:
            assert await store.run("old") is None
            assert await store.journal("old") == []
            assert await store.question("old?1") is None
            assert [run.id for run in await store.runs()] == ["new", "open"]
            assert await store.question("new?1") is not None
            assert [row.body for row in await store.journal("new")] == [b'[["step","new"]]']
            assert [row.body for row in await store.journal("open")] == [b"[1]"]
            assert await store.verify() == []

        self.play(write, read)

    def test_a_run_whose_event_could_be_read_again_is_not_forgotten(self) -> None:
        async def write(store: Store) -> None:
            for offset in range(3):
                await store.commit(_ended(f"r{offset}", OLD, topic="orders", partition=0, offset=offset))
            await store.commit(Batch(cursors={("decide", "orders", 0): 2, ("other", "orders", 0): 9}))
            await store.forget(before=BETWEEN, limit=9)
            assert [run.id for run in await store.runs()] == ["r2"]

        self.play(write)

    def test_no_more_is_forgotten_at_once_than_was_asked_for(self) -> None:
        async def write(store: Store) -> None:
            for number in range(5):
                await store.commit(_ended(f"r{number}", OLD + number))
            assert await store.forget(before=BETWEEN, limit=2)
            assert [run.id for run in await store.runs()] == ["r4", "r3", "r2"]
            while await store.forget(before=BETWEEN, limit=2):
                pass
            assert await store.runs() == []
            assert not await store.forget(before=BETWEEN, limit=2)
            assert await store.verify() == []

        self.play(write)

    def test_what_is_left_is_proved_whatever_was_forgotten(self) -> None:
        async def write(store: Store) -> None:
            chance = Random(7)
            for number in range(60):
                ended = OLD + number if chance.random() < 0.7 else NEW
                batch = _ended(f"r{number}", ended)
                batch.events.append(an_event(partition=number % 2, at=OLD + number))
                await store.commit(batch)
            await store.expire("orders", 0, before_offset=9, before=BETWEEN, limit=9)
            for before in (OLD + 10, OLD + 40, BETWEEN):
                await store.forget(before=before, limit=20)
                assert await store.verify() == []

        async def go_on(store: Store) -> None:
            receipt = await store.commit(_ended("later", NEW))
            assert receipt.seq > 120, "numbers go on where they were"
            assert await store.verify() == []
            for run in await store.runs(limit=100):
                assert len(await store.journal(run.id)) == 1

        self.play(write, go_on)

    def test_who_was_shown_what_is_told_by_the_stores_own_records(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(reveals=[Reveal("event/orders/0/7#/name", "ann"), Reveal("run/r#/0", "bob")]))
            await store.commit(_ended("r", OLD))

        async def read(store: Store) -> None:
            assert [(one["place"], one["by"]) for one in await _reveals(store)] == [
                ("event/orders/0/7#/name", "ann"),
                ("run/r#/0", "bob"),
            ]
            rows = [*await store.journal(""), *await store.journal("r")]
            assert await store.size() == sum(len(row.body) for row in rows)
            assert await store.verify() == []

        self.play(write, read)

    def test_who_was_shown_what_is_kept_as_long_as_journals_are(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(reveals=[Reveal("run/r#/0", "bob")]))
            [made] = await _reveals(store)
            await store.commit(_ended("r", OLD))
            await store.forget(before=made["at"], limit=9)
            assert len(await _reveals(store)) == 1
            while await store.forget(before=made["at"] + 1e6, limit=9):
                pass
            assert await _reveals(store) == []
            assert await store.verify() == []

        self.play(write)

    def test_a_note_of_none_is_deleted(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(notes={"a": b"1", "b": b"2", "c": b"3"}))
            await store.commit(Batch(notes={"b": None, "never": None}))
            assert await store.notes("") == {"a": b"1", "c": b"3"}
            assert await store.notes("", limit=1) == {"a": b"1"}
            assert await store.verify() == []

        self.play(write)


async def _reveals(store: Store) -> list[dict[str, Any]]:
    """What the store's own records say of who was shown what."""
    own = [json.loads(row.body)[0] for row in await store.journal("")]
    return [facts for kind, facts in own if kind == "reveal"]
