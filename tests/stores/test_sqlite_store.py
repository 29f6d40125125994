"""What the SQLite store does beyond the contract: one writer, readers beside it, full disks, crashes, formats."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from parti.adapters.sqlite import describe_holder, open_store, opening
from parti.adapters.sqlite.acknowledgement import NOTHING, Acknowledged, encode, read_acknowledged
from parti.adapters.sqlite.schema import FORMAT
from parti.errors import StoreError, StoreFull
from parti.ports.store import OUTSIDE_FROM, Batch
from parti.testing.store_samples import a_run, an_event

WRITES = """
import asyncio, sys
from parti.adapters.sqlite import open_store
from parti.ports.store import OUTSIDE_FROM, Batch
from parti.testing.store_samples import an_event

async def main():
    store = open_store(sys.argv[1])
    store.announce("http://127.0.0.1:4711")
    for number in range(100000):
        receipt = await store.commit(Batch(entries=[("r", b"[%d]" % number)], events=[an_event()]))
        print(receipt.seq, number, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "system.db"


def a_writing_process(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True)


def test_a_second_process_is_refused_and_told_who_holds_the_store(path: Path) -> None:
    with a_writing_process(path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StoreError, match=f"P201 the store is in use by process {process.pid}"):
            open_store(path)
        assert describe_holder(path) == {"pid": process.pid, "url": "http://127.0.0.1:4711"}
        process.kill()
    assert describe_holder(path) is None


def test_a_second_opening_in_the_same_process_is_refused(path: Path) -> None:
    async def both() -> None:
        store = open_store(path)
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            open_store(path)
        await store.close()
        await open_store(path).close()

    asyncio.run(both())


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(path: Path) -> None:
    with a_writing_process(path) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    seq, number = map(int, lines[-1].split())

    async def look() -> None:
        store = open_store(path)
        rows = await store.journal("r")
        assert len(rows) in (number + 1, number + 2)
        assert rows[number].seq == seq - 1
        assert await store.verify() == []
        await store.close()

    asyncio.run(look())


def test_a_reader_sees_the_commits_of_a_live_writer(path: Path) -> None:
    async def both() -> None:
        writer = open_store(path)
        reader = open_store(path, read_only=True)
        for number in range(3):
            await writer.commit(Batch(events=[an_event()], entries=[("r", b"[]")]))
            assert await reader.ends() == {("orders", 0): (0, number + 1)}
            assert await reader.size() == await writer.size()
        assert await reader.verify() == []
        with pytest.raises(StoreError, match="reading only"):
            await reader.commit(Batch())
        await reader.close()
        await writer.close()

    asyncio.run(both())


def test_a_full_disk_writes_nothing_and_the_same_batch_succeeds_when_there_is_room(path: Path) -> None:
    large = Batch(entries=[("r", b"x" * 200_000)], events=[an_event("new")], runs={"a": a_run("a")}, notes={"n": b"1"})

    async def fill() -> None:
        store = open_store(path, max_pages=50)
        before = await store.commit(Batch(events=[an_event()]))
        for _ in range(2):
            with pytest.raises(StoreFull, match="P206"):
                await store.commit(large)
            assert await store.journal("r") == []
            assert await store.open_runs() == []
            assert await store.ends() == {("orders", 0): (0, 1)}
        small = await store.commit(Batch(events=[an_event()]))
        assert (small.seq, list(small.offsets)) == (before.seq + 1, [1])
        await store.limit_pages(1000)
        receipt = await store.commit(large)
        assert (receipt.seq, list(receipt.offsets)) == (before.seq + 3, [0])
        assert await store.verify() == []
        await store.close()
        await open_store(path).close()

    asyncio.run(fill())


def test_a_value_that_does_not_fit_is_an_error_with_a_code_and_nothing_is_written(path: Path) -> None:
    async def write() -> None:
        store = open_store(path)
        with pytest.raises(StoreError, match="P207"):
            await store.commit(Batch(rows={("book", "main", "k"): b"1"}, notes={"n": "text"}))  # type: ignore[dict-item]
        assert await store.row("book", "main", "k") is None
        await store.commit(Batch(rows={("book", "main", "k"): b"1"}))
        assert await store.verify() == []
        await store.close()

    asyncio.run(write())


def test_a_newer_format_is_refused(path: Path) -> None:
    asyncio.run(open_store(path).close())
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = ?", (FORMAT + 1,))
    connection.commit()
    connection.close()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=f"P203 the store has format {FORMAT + 1}"):
            open_store(path, read_only=read_only)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 100, b"short"])
def test_a_file_that_is_not_a_store_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreError, match="P202"):
            open_store(path, read_only=read_only)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE journal(seq)")
    connection.close()
    with pytest.raises(StoreError, match="P202 this is an SQLite file, but not a Parti store"):
        open_store(path)


def test_a_folder_is_not_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="P202"):
        open_store(tmp_path)


def test_reading_where_nothing_is_stored_says_so(path: Path) -> None:
    with pytest.raises(StoreError, match="P208"):
        open_store(path, read_only=True)
    assert not path.parent.exists()


def test_a_path_with_odd_characters_can_be_read(tmp_path: Path) -> None:
    async def both() -> None:
        store = open_store(tmp_path / "a?b#c %41 ü.db")
        await store.commit(Batch(notes={"n": b"1"}))
        assert await store.note("n") == b"1"
        await store.close()

    asyncio.run(both())


def test_a_closed_store_refuses_with_a_code(path: Path) -> None:
    async def close() -> None:
        store = open_store(path)
        await store.close()
        with pytest.raises(StoreError, match="P202"):
            await store.commit(Batch())
        with pytest.raises(StoreError, match="P202"):
            await store.ends()

    asyncio.run(close())


def test_closing_leaves_one_file_and_its_two_companions(path: Path) -> None:
    async def write() -> None:
        store = open_store(path)
        await store.commit(Batch(notes={"n": b"1"}))
        await store.close()

    asyncio.run(write())
    assert sorted(file.name for file in path.parent.iterdir()) == ["system.db", "system.db.ack", "system.db.lock"]
    assert "parti store" not in " ".join(thread.name for thread in threading.enumerate())


def test_a_commit_whose_caller_was_cancelled_is_still_written_before_the_store_closes(path: Path) -> None:
    async def cancel() -> None:
        store = open_store(path)
        task = asyncio.create_task(store.commit(Batch(notes={"n": b"1"})))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()
        store = open_store(path)
        assert await store.note("n") == b"1"
        await store.close()

    asyncio.run(cancel())


def test_the_acknowledgement_follows_every_commit(path: Path) -> None:
    async def write() -> None:
        store = open_store(path)
        for _ in range(3):
            receipt = await store.commit(Batch(events=[an_event()] * 2))
            acknowledged = read_acknowledged(path)
            assert acknowledged is not None
            assert acknowledged.seq == receipt.seq
        assert acknowledged.events == 6
        await store.close()

    asyncio.run(write())


def test_a_commit_stands_although_its_acknowledgement_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async def write() -> None:
        store = open_store(path)
        with monkeypatch.context() as patch:
            patch.setattr("os.pwrite", fail)
            receipt = await store.commit(Batch(notes={"n": b"1"}))
        before = read_acknowledged(path)
        await store.close()
        after = read_acknowledged(path)
        assert before is not None
        assert after is not None
        assert (before.seq, after.seq) == (0, receipt.seq)

    asyncio.run(write())


@pytest.mark.parametrize("last", ["connect_writing", "create"])
def test_a_process_that_ends_while_it_makes_a_store_leaves_one_that_opens(
    path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(opening, last, end)
        with pytest.raises(KeyboardInterrupt):
            open_store(path)
    assert read_acknowledged(path) == NOTHING
    asyncio.run(open_store(path).close())


def test_an_acknowledgement_cut_short_before_there_was_a_store_is_no_loss(path: Path) -> None:
    path.parent.mkdir()
    Path(f"{path}.ack").write_bytes(encode(NOTHING)[:10])
    asyncio.run(open_store(path).close())


def test_the_files_of_a_store_are_for_their_owner_alone(path: Path) -> None:
    async def modes() -> dict[str, str]:
        store = open_store(path)
        await store.commit(Batch(events=[an_event()]))
        found = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
        await store.close()
        return found

    names = ["system.db", "system.db-shm", "system.db-wal", "system.db.ack", "system.db.lock"]
    assert dict(sorted(asyncio.run(modes()).items())) == dict.fromkeys(names, "0o600")


def test_a_store_that_was_opened_to_others_stays_so(path: Path) -> None:
    asyncio.run(open_store(path).close())
    path.chmod(0o640)
    asyncio.run(open_store(path).close())
    assert oct(path.stat().st_mode & 0o777) == "0o640"


def test_the_acknowledgement_has_a_fixed_size() -> None:
    lines = {encode(Acknowledged(seq, bytes(16), at, seq * 7)) for seq, at in ((0, 0.0), (10**12, 2e9))}
    assert {len(line) for line in lines} == {len(min(lines))}


def test_the_opening_checks_the_latest_thousand_journal_records(path: Path) -> None:
    async def write() -> None:
        store = open_store(path)
        await store.commit(Batch(entries=[("r", b"[%d]" % number) for number in range(1500)]))
        await store.close()

    def damage(seq: int) -> None:
        connection = sqlite3.connect(path)
        connection.execute("UPDATE journal SET body = x'00' WHERE seq = ?", (seq,))
        connection.commit()
        connection.close()

    async def open_and_verify() -> list[str]:
        store = open_store(path)
        found = await store.verify()
        await store.close()
        return [finding.what for finding in found]

    asyncio.run(write())
    damage(100)
    assert asyncio.run(open_and_verify()) == ["journal record 100: does not match its hash"]
    damage(1400)
    with pytest.raises(StoreError, match="P205 journal record 1400"):
        open_store(path)


def test_damaged_records_can_be_accepted_and_stay_findings(path: Path) -> None:
    async def write() -> None:
        store = open_store(path)
        await store.commit(Batch(entries=[("r", b"[1]")]))
        await store.close()
        connection = sqlite3.connect(path)
        connection.execute("UPDATE journal SET body = x'00'")
        connection.commit()
        connection.close()
        store = open_store(path, accept_loss=True)
        await store.commit(Batch(entries=[("r", b"[2]")]))
        assert [finding.what for finding in await store.verify()] == ["journal record 1-2: does not match its hash"]
        await store.close()

    asyncio.run(write())


def test_the_holder_is_told_as_json_beside_the_store(path: Path) -> None:
    async def hold() -> None:
        store = open_store(path)
        assert json.loads(Path(f"{path}.lock").read_text()) == {"pid": os.getpid(), "url": ""}
        store.announce("http://localhost:1")
        assert describe_holder(str(path)) == {"pid": os.getpid(), "url": "http://localhost:1"}
        await store.close()
        assert describe_holder(path) is None

    asyncio.run(hold())


def test_a_large_row_is_read_whole_while_a_writer_replaces_it(path: Path) -> None:
    """Between the row and its body another row may come, and the body go: they are read at one moment."""
    place = ("book", "main", "k")
    first, second = (b'"%b"' % (letter * OUTSIDE_FROM) for letter in (b"x", b"y"))

    async def both() -> None:
        store = open_store(path)
        await store.commit(Batch(rows={place: first}))
        reader = open_store(path, read_only=True)
        ask = reader._ask

        def interrupted(text: str, values: Sequence[Any] = ()) -> list[Any]:
            found = ask(text, values)
            if "table_rows" in text:
                reader._ask = ask  # type: ignore[method-assign]
                store._writing()[0].commit(Batch(rows={place: second}))
            return found

        for read in (lambda: reader.row(*place), lambda: reader.rows("book", "main", after="", limit=9)):
            store._writing()[0].commit(Batch(rows={place: first}))
            reader._ask = interrupted  # type: ignore[method-assign]
            assert await read() in (first, second, [("k", first)], [("k", second)])
        await reader.close()
        await store.close()

    asyncio.run(both())


def test_a_reference_that_nothing_keeps_is_noticed(path: Path) -> None:
    async def write() -> None:
        store = open_store(path)
        large = b'"%b"' % (b"x" * OUTSIDE_FROM)
        await store.commit(Batch(events=[an_event(body=large)], rows={("t", "main", "k"): large}))
        await store.close()

    async def look() -> list[str]:
        store = open_store(path, read_only=True)
        found = [finding.what for finding in await store.verify()]
        await store.close()
        return found

    asyncio.run(write())
    assert asyncio.run(look()) == []
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM uses WHERE kind = 'event'")
    assert [what.partition(": ")[2] for what in asyncio.run(look())] == [
        "event orders/0/0000000000000000 refers to it unnoticed"
    ]
    connection.execute("DELETE FROM uses")
    connection.execute("DELETE FROM blobs")
    connection.close()
    assert [what.rpartition(": ")[2] for what in asyncio.run(look())] == ["missing", "missing"]
