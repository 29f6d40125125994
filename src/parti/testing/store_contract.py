"""The contract of the store port as tests: every adapter's test class inherits them and says how to open a store.

class TestMyStore(StoreContract):
    async def open_store(self) -> Store:
        return MyStore(...)
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from parti.ports.store import Batch, ModelVersion, NewEvent, State, Store
from parti.testing.store_contract_keeping import KeepingContract
from parti.testing.store_samples import NOW, a_question, a_run, an_event


class StoreContract(KeepingContract):
    """What every store does. `open_store` opens the store of the running test: after a close, the same one again."""

    def test_a_new_store_is_empty_and_verifies(self) -> None:
        async def look(store: Store) -> None:
            assert await store.ends() == {}
            assert await store.cursors() == {}
            assert await store.open_runs() == []
            assert await store.runs_of(["a", "b"]) == []
            assert await store.run("a") is None
            assert await store.events("orders", 0, start=0, limit=10) == []
            assert await store.verify() == []

        self.play(look)

    def test_everything_of_a_batch_is_there_after_reopening(self) -> None:
        blob = b"onnx"
        digest = sha256(blob).hexdigest()
        version = ModelVersion("risk", 1, digest, b"{}", b"{}", "c0de", NOW)

        async def write(store: Store) -> None:
            batch = Batch()
            batch.entries += [("r1", b"[1]"), ("r2", b"[2]"), ("r1", b"[3]")]
            batch.runs["r1"] = a_run("r1", arguments=b"[1]", error=b'{"e":1}')
            batch.events += [an_event(key="a"), an_event(partition=1), an_event(key="b")]
            batch.rows["book", "main", "k"] = b'{"n":1}'
            batch.cursors["decide", "orders", 0] = 2
            batch.questions["q1"] = a_question("q1")
            batch.blobs[digest] = blob
            batch.models.append(version)
            batch.notes["schema/x"] = b"\x00\xff"
            receipt = await store.commit(batch)
            assert list(receipt.offsets) == [0, 0, 1]

        async def read(store: Store) -> None:
            assert [row.body for row in await store.journal("r1")] == [b"[1]", b"[3]"]
            assert await store.run("r1") == a_run("r1", arguments=b"[1]", error=b'{"e":1}')
            assert [event.key for event in await store.events("orders", 0, start=0, limit=9)] == ["a", "b"]
            assert await store.ends() == {("orders", 0): (0, 2), ("orders", 1): (0, 1)}
            assert await store.row("book", "main", "k") == b'{"n":1}'
            assert await store.cursors() == {("decide", "orders", 0): 2}
            assert await store.question("q1") == a_question("q1")
            assert await store.blob(digest) == blob
            assert await store.models("risk") == [version] == await store.models()
            assert await store.note("schema/x") == b"\x00\xff"
            assert await store.verify() == []

        self.play(write, read)

    def test_journal_numbers_grow_and_the_receipt_names_the_last(self) -> None:
        async def write(store: Store) -> None:
            last = 0
            for count in (1, 3, 100):
                receipt = await store.commit(Batch(entries=[("r", b"[%d]" % index) for index in range(count)]))
                assert receipt.seq > last
                rows = await store.journal("r")
                assert last < rows[-1].seq <= receipt.seq
                last = receipt.seq
            rows = await store.journal("r")
            assert [row.seq for row in rows] == sorted({row.seq for row in rows})
            assert len(rows) == 104

        self.play(write)

    def test_the_stores_own_journal_rows_are_of_no_run(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(notes={"tick": b"1"}, entries=[("r", b"[1]")]))
            assert [row.run for row in await store.journal("r")] == ["r"]
            assert {row.run for row in await store.journal("")} == {""}

        self.play(write)

    def test_size_counts_the_bytes_of_all_journal_bodies(self) -> None:
        async def write(store: Store) -> None:
            for index in range(3):
                await store.commit(Batch(entries=[("r", b"x" * index * 10)]))
            bodies = [row.body for run in ("r", "") for row in await store.journal(run)]
            assert await store.size() == sum(map(len, bodies))

        async def read(store: Store) -> None:
            bodies = [row.body for run in ("r", "") for row in await store.journal(run)]
            assert await store.size() == sum(map(len, bodies)) > 30

        self.play(write, read)

    def test_offsets_go_on_after_reopening(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(events=[an_event()] * 3))

        async def go_on(store: Store) -> None:
            receipt = await store.commit(Batch(events=[an_event("other"), an_event()]))
            assert list(receipt.offsets) == [0, 3]
            assert await store.verify() == []

        self.play(write, go_on)

    def test_events_are_read_from_an_offset_up_to_a_limit(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(events=[an_event(body=b"%d" % index) for index in range(10)]))
            events = await store.events("orders", 0, start=4, limit=3)
            assert [(event.offset, event.payload) for event in events] == [(4, b"4"), (5, b"5"), (6, b"6")]
            assert await store.events("orders", 0, start=10, limit=3) == []
            assert await store.events("orders", 1, start=0, limit=3) == []

        self.play(write)

    def test_an_event_comes_back_as_it_was_published(self) -> None:
        async def write(store: Store) -> None:
            event = NewEvent("orders", 2, "acme", "Zürich 🏔", '{"a":"ü"}'.encode(), "d16e57", 1.5, "run/1")
            await store.commit(Batch(events=[event]))
            (stored,) = await store.events("orders", 2, start=0, limit=1)
            assert stored[:2] + stored[3:] == tuple(event)
            assert stored.offset == 0

        self.play(write)

    def test_expiry_drops_the_oldest_events_and_the_rest_still_verifies(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(events=[an_event(at=NOW + index) for index in range(10)]))
            assert await store.expire("orders", 0, before_offset=8, before=NOW + 5, limit=3) == 3
            assert await store.expire("orders", 0, before_offset=8, before=NOW + 5, limit=99) == 2
            assert await store.expire("orders", 0, before_offset=7, before=NOW + 99, limit=99) == 2
            assert await store.expire("orders", 0, before_offset=7, before=NOW + 99, limit=99) == 0
            assert await store.expire("nowhere", 0, before_offset=7, before=NOW + 99, limit=99) == 0
            assert await store.ends() == {("orders", 0): (7, 10)}
            assert [event.offset for event in await store.events("orders", 0, start=0, limit=2)] == [7, 8]
            assert await store.verify() == []

        async def drop_all(store: Store) -> None:
            assert await store.expire("orders", 0, before_offset=99, before=NOW + 99, limit=99) == 3
            assert await store.ends() == {("orders", 0): (10, 10)}
            assert await store.verify() == []

        async def go_on(store: Store) -> None:
            receipt = await store.commit(Batch(events=[an_event()]))
            assert list(receipt.offsets) == [10]
            assert await store.verify() == []

        self.play(write, drop_all, go_on)

    def test_expiry_stops_at_the_first_event_that_is_too_young(self) -> None:
        async def write(store: Store) -> None:
            times = [NOW, NOW + 9, NOW]
            await store.commit(Batch(events=[an_event(at=at) for at in times]))
            assert await store.expire("orders", 0, before_offset=3, before=NOW + 5, limit=99) == 1
            assert await store.ends() == {("orders", 0): (1, 3)}

        self.play(write)

    def test_the_last_word_on_a_run_counts_and_it_keeps_its_place(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(runs={id: a_run(id) for id in "abc"}))
            await store.commit(Batch(runs={"a": a_run("a", state=State.WAITING, wake=5.0)}))
            await store.commit(Batch(runs={"b": a_run("b", state=State.DONE, result=b"1", ended=9.0)}))
            assert [(run.id, run.state) for run in await store.open_runs()] == [("a", "waiting"), ("c", "queued")]
            found = await store.run("b")
            assert found is not None
            assert found.state is State.DONE
            assert found.result == b"1"
            assert await store.verify() == []

        self.play(write)

    def test_an_ended_run_can_be_opened_again(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(runs={"a": a_run("a", state=State.DEAD), "b": a_run("b", state=State.DONE)}))
            assert await store.open_runs() == []
            await store.commit(Batch(runs={"a": a_run("a", state=State.QUEUED, attempt=2)}))
            assert [run.id for run in await store.open_runs()] == ["a"]
            assert await store.counts() == {("decide", State.QUEUED): 1, ("decide", State.DONE): 1}

        self.play(write)

    def test_runs_are_counted_by_part_and_state(self) -> None:
        async def write(store: Store) -> None:
            states = [State.DONE, State.DONE, State.DEAD, State.QUEUED]
            runs = {
                f"{part}{n}": a_run(f"{part}{n}", part=part, state=s) for part in "xy" for n, s in enumerate(states)
            }
            del runs["y0"], runs["y1"]
            await store.commit(Batch(runs=runs))
            assert await store.counts() == {
                ("x", State.DONE): 2,
                ("x", State.DEAD): 1,
                ("x", State.QUEUED): 1,
                ("y", State.DEAD): 1,
                ("y", State.QUEUED): 1,
            }

        self.play(write)

    def test_runs_are_listed_latest_first_and_filtered(self) -> None:
        async def write(store: Store) -> None:
            states = [State.DONE, State.DEAD, State.QUEUED]
            runs = {
                f"r{n}": a_run(f"r{n}", part="ab"[n % 2], state=states[n % 3], created=NOW + n // 2) for n in range(12)
            }
            await store.commit(Batch(runs=runs))

            async def ids(**wanted: Any) -> list[int]:
                return [int(run.id[1:]) for run in await store.runs(**wanted)]

            assert await ids() == list(range(11, -1, -1))
            assert await ids(limit=2) == [11, 10]
            assert await ids(part="a") == [10, 8, 6, 4, 2, 0]
            assert await ids(state=State.DONE) == [9, 6, 3, 0]
            assert await ids(state=State.DEAD) == [10, 7, 4, 1]
            assert await ids(part="b", state=State.QUEUED) == [11, 5]
            assert await ids(since=NOW + 4) == [11, 10, 9, 8]
            assert await ids(until=NOW + 1) == [1, 0]
            assert await ids(part="b", since=NOW + 1, until=NOW + 3) == [5, 3]
            assert await ids(of=("main", "nobody")) == []

        self.play(write)

    def test_the_runs_of_a_tenants_key_are_found(self) -> None:
        async def write(store: Store) -> None:
            owners = [("main", "a"), ("main", "b"), ("other", "a"), ("main", "")]
            runs = {
                f"r{n}": a_run(f"r{n}", tenant=owners[n % 4][0], key=owners[n % 4][1], created=NOW + n)
                for n in range(12)
            }
            await store.commit(Batch(runs=runs))
            assert [run.id for run in await store.runs(of=("main", "a"))] == ["r8", "r4", "r0"]
            assert [run.id for run in await store.runs(of=("main", "a"), limit=2, until=NOW + 8)] == ["r4", "r0"]
            assert [run.id for run in await store.runs(of=("other", "a"), since=NOW + 6)] == ["r10", "r6"]
            assert [run.id for run in await store.runs(tenant="other", limit=2)] == ["r10", "r6"]
            assert await store.runs(of=("main", "")) == [], "runs without a key are nobody's"

        self.play(write)

    def test_thousands_of_runs_are_found_by_id(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(runs={f"r{n}": a_run(f"r{n}", offset=n) for n in range(0, 6000, 2)}))
            found = await store.runs_of([f"r{n}" for n in range(6000)])
            assert {run.offset for run in found} == set(range(0, 6000, 2))
            assert len(found) == 3000
            assert await store.runs_of([]) == []

        self.play(write)

    def test_rows_are_written_overwritten_and_deleted(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(rows={("book", "main", key): key.encode() for key in "cab"}))
            await store.commit(Batch(rows={("book", "main", "a"): b"new", ("book", "main", "b"): None}))
            assert await store.rows("book", "main", after="", limit=9) == [("a", b"new"), ("c", b"c")]
            assert await store.row("book", "main", "b") is None
            await store.commit(Batch(rows={("book", "main", "nobody"): None}))
            assert await store.verify() == []

        self.play(write)

    def test_rows_are_scanned_in_key_order_page_by_page(self) -> None:
        async def write(store: Store) -> None:
            keys = ["b", "a", "ä", "Z", "🏔", "aa"]
            await store.commit(Batch(rows={("book", "main", key): b"1" for key in keys}))
            seen: list[str] = []
            while page := await store.rows("book", "main", after=seen[-1] if seen else "", limit=2):
                seen += [key for key, _ in page]
            assert seen == sorted(keys)

        self.play(write)

    def test_tenants_and_tables_do_not_see_each_other(self) -> None:
        async def write(store: Store) -> None:
            rows = {(table, tenant, "k"): f"{table}{tenant}".encode() for table in "xy" for tenant in "pq"}
            await store.commit(Batch(rows=dict(rows)))
            await store.commit(Batch(rows={("x", "p", "k"): None}))
            assert await store.row("x", "p", "k") is None
            assert await store.rows("x", "q", after="", limit=9) == [("k", b"xq")]
            assert await store.row("y", "p", "k") == b"yp"

        self.play(write)

    def test_questions_are_listed_oldest_first_and_by_state_and_person(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(
                Batch(
                    questions={
                        "late": a_question("late", asked=NOW + 1),
                        "early": a_question("early"),
                        "hers": a_question("hers", who="chief"),
                    }
                )
            )
            assert [question.id for question in await store.questions()] == ["early", "hers", "late"]
            assert [question.id for question in await store.questions(who="chief")] == ["hers"]
            assert [question.id for question in await store.questions(latest=True)] == ["late", "hers", "early"]
            answered = a_question("early", state="answered")._replace(answer=b"true", by="ann", answered=NOW + 3)
            await store.commit(Batch(questions={"early": answered}))
            assert [question.id for question in await store.questions(limit=1)] == ["hers"]
            assert await store.questions(state="answered") == [answered]
            assert await store.question("nobody") is None

        self.play(write)

    def test_a_blob_is_stored_once(self) -> None:
        async def write(store: Store) -> None:
            body = b"\x00" * 100_000
            digest = sha256(body).hexdigest()
            for _ in range(2):
                await store.commit(Batch(blobs={digest: body}))
            assert await store.blob(digest) == body
            assert await store.blob("0" * 64) is None
            assert await store.verify() == []

        self.play(write)

    def test_verify_names_a_blob_that_is_not_what_its_name_says(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(blobs={"0" * 64: b"something else"}))
            assert [finding.code for finding in await store.verify()] == ["P205"]

        self.play(write)

    def test_notes_are_overwritten_and_found_by_prefix(self) -> None:
        async def write(store: Store) -> None:
            await store.commit(Batch(notes={"tick/a": b"1", "tick/b": b"2", "tuck": b"3", "tic": b"4"}))
            await store.commit(Batch(notes={"tick/a": b"5"}))
            assert await store.notes("tick/") == {"tick/a": b"5", "tick/b": b"2"}
            assert await store.note("tick/a") == b"5"
            assert await store.note("tick/") is None

        self.play(write)

    def test_models_are_listed_oldest_first(self) -> None:
        async def write(store: Store) -> None:
            versions = [
                ModelVersion(model, n, "b" * 64, b"{}", b"{}", "c", NOW) for n, model in ((1, "z"), (1, "a"), (2, "z"))
            ]
            for version in versions:
                await store.commit(Batch(models=[version]))
            assert await store.models() == versions
            assert await store.models("z") == [versions[0], versions[2]]

        self.play(write)

    def test_a_batch_of_any_size_is_written_whole(self) -> None:
        async def write(store: Store) -> None:
            total = 0
            for count in (1, 2, 3, 63, 64, 65, 1000, 5000):
                receipt = await store.commit(
                    Batch(
                        entries=[(f"r{n}", b"[]") for n in range(count)],
                        events=[an_event(partition=n % 3) for n in range(count)],
                        runs={f"r{n}": a_run(f"r{n}") for n in range(count)},
                        rows={("book", "main", str(n)): b"{}" for n in range(count)},
                    )
                )
                total += count
                assert len(receipt.offsets) == count
            assert sum(end for _, end in (await store.ends()).values()) == total
            assert len(await store.open_runs()) == 5000
            await store.commit(Batch(rows={("book", "main", str(n)): None for n in range(5000)}))
            assert await store.rows("book", "main", after="", limit=1) == []
            assert await store.verify() == []

        self.play(write)

    def test_an_empty_batch_does_no_harm(self) -> None:
        async def write(store: Store) -> None:
            receipt = await store.commit(Batch())
            assert list(receipt.offsets) == []
            assert await store.verify() == []

        self.play(write)

    def test_closing_twice_does_no_harm(self) -> None:
        async def close(store: Store) -> None:
            await store.close()

        self.play(close)
