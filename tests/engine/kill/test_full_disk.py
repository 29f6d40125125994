"""A disk that is really full: calls are refused with P206, and with room again everything goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from parti import System
from parti.errors import Overloaded
from parti.testing.live import Live, running
from parti.wiring import open_store

from .lives import SIGKILLED, Chain, ForkServer
from .recorder import Fuse, Moment

SIZE = 4 * 1024 * 1024
"""Bytes of the small disk."""


class Parcel(BaseModel):
    id: str
    content: str = ""


class Shelf(BaseModel):
    id: str
    length: int


depot = System("depot")
parcels = depot.topic("parcels", Parcel, key="id", partitions=2)
shelves = depot.table("shelves", Shelf, key="id")


@depot.step()
async def measured(content: str) -> int:
    return len(content)


@depot.on(parcels)
async def keep(parcel: Parcel) -> None:
    await shelves.put(Shelf(id=parcel.id, length=await measured(parcel.content)))


@depot.post("/echo")
async def echo(word: str) -> str:
    return word


class SmallDisk:
    """A file system of a few MiB, and a file that takes the rest of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as filler:
            size = 65536
            while size:
                try:
                    filler.write(b"x" * size)
                except OSError:
                    size //= 2

    def make_room(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if os.geteuid() != 0 or not mounted:
        pytest.skip("a small disk can only be mounted by root")
    yield SmallDisk(place)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def parcel(number: int, size: int = 10) -> bytes:
    return Parcel(id=f"parcel {number}", content="x" * size).model_dump_json().encode()


async def until_in_trouble(live: Live) -> list[asyncio.Task[Any]]:
    """Publish until nothing can be written any more; the publications that were accepted and still wait."""
    waiting: list[asyncio.Task[Any]] = []
    for number in range(1000, 1400):
        waiting.append(asyncio.create_task(live.publish("parcels", [parcel(number, 20_000)])))
        done, _ = await asyncio.wait(waiting[-1:], timeout=0.2)
        if not done:
            return [task for task in waiting if not task.done()]
    raise AssertionError("the disk never became full")


def test_a_full_disk_refuses_with_p206_and_with_room_again_all_goes_on(disk: SmallDisk) -> None:
    async def main() -> None:
        path = disk.path / "depot.parti"
        async with running(depot, path) as live:
            await live.publish("parcels", [parcel(number) for number in range(20)])
            await live.idle()
            disk.fill()
            waiting = await until_in_trouble(live)
            for refused in (live.publish("parcels", [parcel(9999)]), live.call("echo", ["hello"])):
                with pytest.raises(Overloaded, match="P206") as caught:
                    await refused
                assert caught.value.retry_after > 0
            assert "no room" in live.engine.trouble
            assert len(await live.rows("shelves")) >= 20, "what is stored can be read"
            reader = open_store(path, read_only=True)
            assert await reader.verify() == []
            await reader.close()
            disk.make_room()
            await asyncio.wait_for(asyncio.gather(*waiting), 20)
            assert (await live.call("echo", ["hello"])).result == b'"hello"'
            await live.idle()
            published = [event["id"] for event in await live.events("parcels")]
            assert len(set(published)) == len(published)
            assert "parcel 9999" not in published, "what was refused is not there"
            assert sorted(await live.rows("shelves")) == sorted(published)
            assert await live.store.verify() == []
        async with running(depot, path) as live:
            assert [event["id"] for event in await live.events("parcels")] == published
            assert sorted(await live.rows("shelves")) == sorted(published)

    asyncio.run(main())


def test_a_process_killed_on_a_full_disk_loses_nothing_that_was_acknowledged(
    disk: SmallDisk, server: ForkServer
) -> None:
    with Chain(server, disk.path / "desk.parti") as chain:
        chain.killed(chain.life(publish=10, arrivals=5), Fuse(40, Moment.BETWEEN))
        disk.fill()
        # It starts, or is refused for lack of room; either way it can do nothing and is ended.
        status = chain.ended(chain.life(publish=5, arrivals=0), Fuse(3, Moment.AFTER, 0.3), SIGKILLED, 1)
        assert status == SIGKILLED or "P206" in chain.said
        disk.make_room()
        _, broken = chain.settle()
    assert broken == []
