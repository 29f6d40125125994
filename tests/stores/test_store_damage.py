"""A damaged SQLite store is noticed: cut or flipped, acknowledged records never silently vanish or change."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parti.adapters.sqlite import open_store
from parti.errors import StoreError
from parti.ports.store import OUTSIDE_FROM, Batch, RunRecord, State
from parti.testing.store_samples import a_question, a_run, an_event

TRIALS = 120
TABLES = [
    "journal",
    "events",
    "runs",
    "table_rows",
    "cursors",
    "questions",
    "blobs",
    "models",
    "notes",
    "streams",
    "uses",
]


def an_ended_run(id: str, number: int) -> RunRecord:
    at = float(number)
    return a_run(id, state=State.DONE, result=b"[1,2]", topic="", created=at, ended=at + 0.5)


def a_batch(number: int) -> Batch:
    blob = b"blob %d" % number * 20
    batch = Batch(
        entries=[(f"run-{number}-{n}", b'[["step","credit",%d]]' % n) for n in range(3)],
        runs={f"run-{number}-{n}": an_ended_run(f"run-{number}-{n}", number) for n in range(3)},
        events=[an_event(partition=n % 2, body=b'{"order":%d}' % number, at=float(number)) for n in range(4)],
        rows={("book", "main", f"key-{number % 20}"): b'{"n":%d}' % number},
        cursors={("decide", "orders", 0): number},
        notes={f"note-{number % 5}": b"fact"},
    )
    if number % 10 == 0:
        batch.blobs[sha256(blob).hexdigest()] = blob
        batch.questions[f"q-{number}"] = a_question(f"q-{number}")
        batch.rows["book", "main", "large"] = b'"%b"' % (str(number).encode() * OUTSIDE_FROM)
    return batch


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `killed` (all in the log), `half` (some in the log) and `closed` (all in the main file)."""
    root = tmp_path_factory.mktemp("originals")

    async def write() -> None:
        store = open_store(root / "store.db")
        for number in range(60):
            await store.commit(a_batch(number))
        copy(root, root / "killed")
        await store.expire("orders", 0, before_offset=30, before=50.0, limit=99)
        await store.forget(before=25.0, limit=99)
        await store.close()
        copy(root, root / "closed")
        store = open_store(root / "store.db")
        for number in range(60, 70):
            await store.commit(a_batch(number))
        copy(root, root / "half")
        await store.close()

    asyncio.run(write())
    return root


def copy(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in ("store.db", "store.db-wal", "store.db.ack"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    return target


def flip(file: Path, random: Random) -> None:
    content = bytearray(file.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    file.write_bytes(content)


def flip_within(needle: bytes) -> Callable[[Path, Random], None]:
    def damage(file: Path, random: Random) -> None:
        content = bytearray(file.read_bytes())
        places, at = [], content.find(needle)
        while at >= 0:
            places.append(at)
            at = content.find(needle, at + 1)
        content[random.choice(places) + random.randrange(len(needle))] ^= 1 << random.randrange(8)
        file.write_bytes(content)

    return damage


def cut(file: Path, random: Random) -> None:
    with file.open("r+b") as opened:
        opened.truncate(random.randrange(file.stat().st_size))


def contents(path: Path) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES]
    finally:
        connection.close()


def verdict(path: Path) -> str:
    """The code with which opening refuses; else "verify" when that finds something; else "" ."""

    async def look() -> str:
        try:
            store = open_store(path)
        except StoreError as wrong:
            return wrong.code
        try:
            return "verify" if await store.verify() else ""
        except StoreError as wrong:
            return wrong.code
        finally:
            await store.close()

    return asyncio.run(look())


def journal_length(folder: Path) -> int:
    connection = sqlite3.connect(folder / "store.db")
    try:
        return int(connection.execute("SELECT max(seq) FROM journal").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize("state", ["killed", "half", "closed"])
def test_an_undamaged_store_opens_and_verifies(originals: Path, tmp_path: Path, state: str) -> None:
    assert verdict(copy(originals / state, tmp_path / "copy") / "store.db") == ""


@pytest.mark.parametrize("state", ["killed", "half"])
def test_a_cut_log_is_refused_and_its_loss_is_named(originals: Path, tmp_path: Path, state: str) -> None:
    random = Random(1)
    for _ in range(TRIALS):
        folder = copy(originals / state, tmp_path / "copy")
        cut(folder / "store.db-wal", random)
        assert verdict(folder / "store.db") in (("P204",) if state == "half" else ("P204", "P202"))


def test_a_flipped_bit_in_the_log_is_refused(originals: Path, tmp_path: Path) -> None:
    random = Random(2)
    for _ in range(TRIALS):
        folder = copy(originals / "half", tmp_path / "copy")
        flip(folder / "store.db-wal", random)
        assert verdict(folder / "store.db") == "P204"


def test_a_cut_main_file_is_noticed(originals: Path, tmp_path: Path) -> None:
    random = Random(3)
    for _ in range(TRIALS):
        folder = copy(originals / "closed", tmp_path / "copy")
        cut(folder / "store.db", random)
        assert verdict(folder / "store.db")


@pytest.mark.parametrize(
    "needle",
    [b'[["step","credit",', b'{"order":', b"fact", b"5c4e", b"c0de", b"run-42-1", b"blob 40", b"[1,2]", b"key-3"],
)
def test_a_flipped_bit_in_acknowledged_data_is_noticed(originals: Path, tmp_path: Path, needle: bytes) -> None:
    random = Random(4)
    original = contents(originals / "closed" / "store.db")
    for _ in range(TRIALS // 5):
        folder = copy(originals / "closed", tmp_path / "copy")
        flip_within(needle)(folder / "store.db", random)
        # A hit in the dead space of a page that was rewritten changes nothing that can be read.
        assert verdict(folder / "store.db") or contents(folder / "store.db")[1:] == original[1:]


def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing(originals: Path, tmp_path: Path) -> None:
    random = Random(5)
    original = contents(originals / "closed" / "store.db")
    noticed = 0
    for _ in range(TRIALS):
        folder = copy(originals / "closed", tmp_path / "copy")
        flip(folder / "store.db", random)
        if verdict(folder / "store.db"):
            noticed += 1
        else:
            assert contents(folder / "store.db") == original
    assert noticed > TRIALS // 4  # the rest hit dead space


def test_a_flipped_bit_in_an_index_is_noticed_as_well(originals: Path, tmp_path: Path) -> None:
    dense = copy(originals / "closed", tmp_path / "dense")
    connection = sqlite3.connect(dense / "store.db")
    connection.execute("VACUUM")  # leaves no dead copies: every place counts
    connection.close()
    name = b"run-42-1"
    content = (dense / "store.db").read_bytes()
    places = [at for at in range(len(content)) if content.startswith(name, at)]
    assert len(places) == 4  # the journal, the run, and an index of each
    for place in places:
        folder = copy(dense, tmp_path / "copy")
        damaged = bytearray(content)
        damaged[place + 6] ^= 4
        (folder / "store.db").write_bytes(damaged)
        assert verdict(folder / "store.db")


def test_a_missing_index_is_named(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "closed", tmp_path / "copy")
    connection = sqlite3.connect(folder / "store.db")
    connection.execute("DROP INDEX runs_by_time")
    connection.close()

    async def findings() -> list[str]:
        store = open_store(folder / "store.db")
        found = await store.verify()
        await store.close()
        return [finding.what for finding in found]

    assert asyncio.run(findings()) == ["the layout of runs_by_time is not as it was made"]


def test_the_message_of_a_loss_counts_records_and_events(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "half", tmp_path / "copy")
    (folder / "store.db-wal").unlink()
    kept = journal_length(folder)
    with pytest.raises(
        StoreError, match=rf"40 acknowledged journal records \({kept + 1} to {kept + 40}\) and 40 events"
    ):
        open_store(folder / "store.db")


def test_a_refused_store_is_left_as_it_was(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "half", tmp_path / "copy")
    cut(folder / "store.db-wal", Random(6))
    before = {name: (folder / name).read_bytes() for name in ("store.db", "store.db-wal", "store.db.ack")}
    with pytest.raises(StoreError, match="P204"):
        open_store(folder / "store.db")
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_an_accepted_loss_is_noted_and_the_store_goes_on(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "half", tmp_path / "copy")
    cut(folder / "store.db-wal", Random(6))

    async def go_on() -> None:
        store = open_store(folder / "store.db", accept_loss=True)
        assert b"loss_accepted" in (await store.journal(""))[-1].body
        await store.commit(a_batch(99))
        assert await store.verify() == []
        await store.close()
        await open_store(folder / "store.db").close()

    asyncio.run(go_on())


def test_a_vanished_file_is_refused_while_its_acknowledgement_remains(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "closed", tmp_path / "copy")
    (folder / "store.db").unlink()
    assert verdict(folder / "store.db") == "P204"
    assert not (folder / "store.db").exists()


def test_an_older_copy_that_went_its_own_way_is_refused(originals: Path, tmp_path: Path) -> None:
    async def write(folder: Path, key: str) -> None:
        store = open_store(folder / "store.db")
        await store.commit(Batch(entries=[("r", f"[{key}]".encode())]))
        await store.close()

    one, other = (copy(originals / "closed", tmp_path / name) for name in ("one", "other"))
    asyncio.run(write(one, "1"))
    asyncio.run(write(other, "2"))
    shutil.copy(one / "store.db.ack", other / "store.db.ack")
    with pytest.raises(StoreError, match="not the one that was acknowledged"):
        open_store(other / "store.db")


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: flip(file, Random(1))])
@pytest.mark.parametrize("state", ["killed", "half", "closed"])
def test_a_store_whose_acknowledgement_is_missing_or_unreadable_is_refused(
    originals: Path, tmp_path: Path, state: str, change: Callable[[Path], None]
) -> None:
    folder = copy(originals / state, tmp_path / "copy")
    change(folder / "store.db.ack")
    there = (folder / "store.db.ack").exists()
    with pytest.raises(StoreError, match=r"P204 store.db.ack is missing or unreadable"):
        open_store(folder / "store.db")
    assert (folder / "store.db.ack").exists() == there

    async def look() -> None:
        store = open_store(folder / "store.db", read_only=True)
        assert [finding.code for finding in await store.verify()] == ["P204"]
        await store.close()
        store = open_store(folder / "store.db", accept_loss=True)
        assert b"loss_accepted" in (await store.journal(""))[-1].body
        assert await store.verify() == []
        await store.close()
        await open_store(folder / "store.db").close()

    asyncio.run(look())


def test_a_log_that_lost_its_end_together_with_the_acknowledgement_is_refused(originals: Path, tmp_path: Path) -> None:
    random = Random(8)
    for _ in range(TRIALS // 4):
        folder = copy(originals / "killed", tmp_path / "copy")
        cut(folder / "store.db-wal", random)
        (folder / "store.db.ack").unlink()
        assert verdict(folder / "store.db") in ("P204", "P202")


def test_verify_names_the_damaged_records(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "closed", tmp_path / "copy")
    connection = sqlite3.connect(folder / "store.db")
    connection.execute("UPDATE journal SET body = x'00' WHERE seq IN (207, 208)")
    connection.execute("UPDATE events SET payload = x'00' WHERE id & 0xffffffff = 40 AND id >> 40 = 1")
    connection.execute("DELETE FROM events WHERE id >> 40 = 2 AND id & 0xffffffff IN (50, 51)")
    connection.execute("UPDATE runs SET result = x'00' WHERE number = 100")
    connection.commit()
    connection.close()

    async def findings() -> list[str]:
        store = open_store(folder / "store.db", read_only=True)
        found = await store.verify()
        await store.close()
        return [f"{finding.code} {finding.what}" for finding in found]

    assert asyncio.run(findings()) == [
        "P205 journal record 207-208: does not match its hash",
        "P205 event of orders/0 at offset 40: does not match its hash",
        "P204 event of orders/1 at offset 50-51: missing",
        "P205 event of orders/1 at offset 52: does not match its hash",
        "P205 row of runs in its order 24: does not match its hash",
    ]


def test_a_damaged_gap_is_noticed(originals: Path, tmp_path: Path) -> None:
    """What says that records were forgotten is proved like the records themselves."""
    changes = [
        "UPDATE journal SET body = zeroblob(17) WHERE seq = (SELECT max(seq) FROM journal WHERE run = '~')",
        "UPDATE journal SET hash = zeroblob(16) WHERE seq = (SELECT max(seq) FROM journal WHERE run = '~')",
        "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal WHERE run = '~')",
        "UPDATE journal SET run = '~', body = zeroblob(17) WHERE seq = 150",
        "DELETE FROM journal WHERE seq = 150",
    ]
    assert verdict(copy(originals / "closed", tmp_path / "sound") / "store.db") == ""
    for change in changes:
        folder = copy(originals / "closed", tmp_path / "copy")
        connection = sqlite3.connect(folder / "store.db", isolation_level=None)
        assert connection.execute(change).rowcount == 1
        connection.close()
        assert verdict(folder / "store.db") != "", change


def test_a_blob_that_is_missing_is_named_with_who_needs_it(originals: Path, tmp_path: Path) -> None:
    folder = copy(originals / "closed", tmp_path / "copy")
    connection = sqlite3.connect(folder / "store.db", isolation_level=None)
    connection.execute("DELETE FROM blobs WHERE digest = (SELECT digest FROM uses WHERE kind = 'row')")
    connection.close()

    async def look() -> tuple[list[str], str]:
        store = open_store(folder / "store.db", read_only=True)
        with pytest.raises(StoreError) as wrong:
            await store.row("book", "main", "large")
        found = [f"{finding.code} {finding.what}" for finding in await store.verify()]
        await store.close()
        return found, wrong.value.code

    found, code = asyncio.run(look())
    assert code == "P205"
    assert [text.endswith('row ["book", "main", "large"] refers to: missing') for text in found] == [True]
