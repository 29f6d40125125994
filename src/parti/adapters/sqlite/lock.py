"""The lock beside a store: one process writes, and anyone can see which and where it listens."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from parti.adapters.sqlite.modes import OWNER_ONLY
from parti.errors import StoreError

_TRIES = 5
_PAUSE = 0.01


class Lock:
    """Exclusive use of a store until released or the process ends, whichever comes first (flock)."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(_beside(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
        if not self._taken():
            holder = _read(self._file)
            os.close(self._file)
            raise StoreError(
                "P201",
                f"the store is in use by process {holder.get('pid', 'unknown')}",
                place=path,
                fix="end that process; commands that only look work beside it",
            )
        self._say("")

    def announce(self, url: str) -> None:
        """Say where the holder listens."""
        self._say(url)

    def release(self) -> None:
        """Let others use the store."""
        os.ftruncate(self._file, 0)
        os.close(self._file)

    def _taken(self) -> bool:
        # Whoever looks who holds the lock holds it for an instant too, so one refusal proves nothing.
        for attempt in range(_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt < _TRIES - 1:
                    time.sleep(_PAUSE)
            else:
                return True
        return False

    def _say(self, url: str) -> None:
        content = json.dumps({"pid": os.getpid(), "url": url}).encode() + b"\n"
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))


def describe_holder(path: str | Path) -> dict[str, Any] | None:
    """`pid` and `url` ("" until announced) of the process that writes the store at `path`; None when there is none."""
    try:
        file = os.open(_beside(Path(path)), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file)
    finally:
        os.close(file)
    return None


def _read(file: int) -> dict[str, Any]:
    try:
        content = json.loads(os.pread(file, 4096, 0))
    except ValueError:  # the holder is just writing it
        return {}
    return content if isinstance(content, dict) else {}


def _beside(path: Path) -> str:
    return f"{path}.lock"
