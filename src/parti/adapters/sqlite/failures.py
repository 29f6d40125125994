"""Errors of SQLite and the file system, told as errors of the store."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parti.errors import StoreError, StoreFull

sqlite_or_os_error = (sqlite3.Error, OSError)
"""What may come out of SQLite or the file system."""

_ROOM = 64 * 1024
"""Bytes; with less free than this, an I/O error is a full disk."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raise what SQLite or the file system raises inside as a StoreError with a code."""
    try:
        yield
    except sqlite_or_os_error as wrong:
        raise as_store_error(wrong, path) from wrong


def as_store_error(wrong: sqlite3.Error | OSError, path: Path) -> StoreError:
    """P206 for lack of room, P201 for a lock held elsewhere, P207 for values that do not fit, P202 for the rest."""
    code = getattr(wrong, "sqlite_errorcode", 0) & 0xFF
    if _is_full(wrong, code, path):
        return StoreFull(
            "P206", f"there is no room left for the store ({wrong})", place=path, fix="make room; it is tried again"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError("P201", f"another process holds the file ({wrong})", place=path, fix="end that process")
    if code in (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH):
        return StoreError("P207", f"a value does not fit the store: {wrong}", place=path, fix="report this as a bug")
    return StoreError(
        "P202",
        f"the store cannot be used: {wrong}",
        place=path,
        fix="run `parti verify` to see what is damaged, or restore a backup",
    )


def _is_full(wrong: sqlite3.Error | OSError, code: int, path: Path) -> bool:
    if isinstance(wrong, OSError):
        return wrong.errno in (errno.ENOSPC, errno.EDQUOT)
    if code == sqlite3.SQLITE_IOERR:
        try:
            free = os.statvfs(path.parent)
        except OSError:
            return False
        return free.f_bavail * free.f_frsize < _ROOM
    return code == sqlite3.SQLITE_FULL
