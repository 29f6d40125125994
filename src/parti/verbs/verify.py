"""Verifying: everything in a store is read and compared with its hashes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from parti.errors import StoreError
from parti.ports.store import Finding
from parti.verbs.target import Target
from parti.wiring import verify_file


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found wrong, in order, in how many bytes of a store."""

    path: Path
    bytes: int
    findings: list[Finding]


async def verify(target: Target) -> Verified:
    """Check the store. Raises P208 when there is none; damage is a finding, never an error."""
    path = target.path
    if not path.is_file():
        raise StoreError("P208", "nothing is stored here", place=path, fix="name a store: `parti verify desk.parti`")
    return Verified(path, path.stat().st_size, await asyncio.to_thread(verify_file, path))
