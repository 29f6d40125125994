"""Both stores keep the contract of the port, and write the same bytes for the same batches."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from parti.adapters.clock import SystemClock
from parti.adapters.sqlite import SqliteStore, open_store
from parti.adapters.virtual import SeededChance, VirtualStore, run_virtual
from parti.ports.clock import Clock
from parti.ports.store import Batch, State, Store
from parti.testing.store_contract import StoreContract
from parti.testing.store_contract_keeping import LARGE
from parti.testing.store_samples import a_question, a_run, an_event


class TestSqlite(StoreContract):
    @pytest.fixture(autouse=True)
    def _somewhere(self, tmp_path: Path) -> None:
        self.path = tmp_path / "system.db"

    async def open_store(self) -> Store:
        return open_store(self.path)


class TestVirtual(StoreContract):
    @pytest.fixture(autouse=True)
    def _nowhere(self) -> None:
        self.store: VirtualStore | None = None

    async def open_store(self) -> Store:
        self.store = self.store.survivor() if self.store else VirtualStore(SystemClock(), SeededChance(1))
        return self.store

    def run_main(self, main: Coroutine[Any, Any, None]) -> None:
        run_virtual(lambda clock: main)


def some_batches() -> list[Batch]:
    blob = b"blob"
    return [
        Batch(entries=[("a", b"[1]"), ("b", b"[2]")], runs={"a": a_run("a")}, events=[an_event(), an_event("x", 3)]),
        Batch(notes={"n": b"1"}),
        Batch(runs={"a": a_run("a", state=State.DONE)}, rows={("t", "main", "k"): b"1", ("t", "main", "l"): None}),
        Batch(events=[an_event(at=float(n)) for n in range(20)], cursors={("h", "orders", 0): 5}),
        Batch(questions={"q": a_question("q")}, blobs={sha256(blob).hexdigest(): blob}),
        Batch(events=[an_event(body=LARGE)], rows={("t", "main", "k"): LARGE}, runs={"c": a_run("c", result=LARGE)}),
        Batch(runs={"b": a_run("b", state=State.DONE, topic="", ended=1767225700.0)}, entries=[("b", b"[3]")]),
    ]


def test_both_stores_write_the_same_journal_and_the_same_hashes(tmp_path: Path, still_clock: Clock) -> None:
    async def journal(store: SqliteStore | VirtualStore) -> list[tuple[int, str, bytes]]:
        for batch in some_batches():
            await store.commit(batch)
        await store.expire("orders", 0, before_offset=5, before=3e9, limit=9)
        await store.forget(before=1e10, limit=9)
        return [tuple(row) for run in ("", "a", "b") for row in await store.journal(run)]

    async def both() -> None:
        virtual, real = VirtualStore(still_clock, SeededChance(1)), open_store(tmp_path / "s", clock=still_clock)
        rows = await journal(virtual)
        assert rows == await journal(real)
        assert [row[2][:9] for row in rows[:2]] == [b'[["expire', b'[["forget']
        assert await real.run("b") is None
        stored = real._reading.execute("SELECT seq, run, body, hash FROM journal ORDER BY seq").fetchall()
        assert stored == virtual.disk.journal
        assert await real.verify() == await virtual.verify() == []
        await real.close()

    asyncio.run(both())


def test_a_changed_run_changes_the_digest_in_the_journal(still_clock: Clock) -> None:
    async def head(run_key: str) -> bytes:
        store = VirtualStore(still_clock, SeededChance(1))
        await store.commit(Batch(runs={"a": a_run("a", key=run_key)}))
        return store.disk.heads.hash

    assert asyncio.run(head("k")) == asyncio.run(head("k")) != asyncio.run(head("l"))
