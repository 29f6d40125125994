"""The last acknowledged record, kept outside the store's file, so that a file which lost its end is noticed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from parti.adapters.chain import ZERO
from parti.adapters.sqlite.modes import OWNER_ONLY
from parti.units import Seconds

DECLARED_LAG: Final[Seconds] = 1.0
"""How old the acknowledgement on disk may be after a power cut. After the end of a process alone it is exact."""


class Acknowledged(NamedTuple):
    """The last commit that was answered: its sequence number, the journal's hash there, when, and events so far."""

    seq: int
    head: bytes
    at: Seconds
    events: int


NOTHING: Final = Acknowledged(0, ZERO, 0.0, 0)


class AcknowledgementFile:
    """One line of a fixed size, overwritten in place after each commit."""

    def __init__(self, path: Path) -> None:
        name = f"{path}.ack"
        self._file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
        self.dirty = False
        self._line = b""
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name itself must outlive a power cut
        finally:
            os.close(folder)

    def begin(self) -> None:
        """Say that nothing was acknowledged yet. Raises OSError when that cannot be put on disk."""
        try:
            self._line = encode(NOTHING)
            self.sync()
        except BaseException:
            os.close(self._file)
            raise

    def write(self, acknowledged: Acknowledged) -> None:
        """Hand the line to the operating system; a crash of this process cannot lose it any more.

        The commit itself is on disk already, so a failure here must not look like one of the commit: it is tried again
        by `sync`, which raises.
        """
        self.dirty = True
        self._line = encode(acknowledged)
        with contextlib.suppress(OSError):
            self._put()

    def sync(self) -> None:
        """Wait until the line is on disk. Raises OSError when it cannot be; the next call tries again."""
        self._put()
        os.fdatasync(self._file)
        self.dirty = False

    def close(self) -> None:
        """Put the line on disk and release the file."""
        try:
            self.sync()
        finally:
            os.close(self._file)

    def _put(self) -> None:
        if self._line:
            os.pwrite(self._file, self._line, 0)
            self._line = b""


def encode(acknowledged: Acknowledged) -> bytes:
    """The line, with a checksum at its end."""
    seq, head, at, events = acknowledged
    line = f"{seq:020d} {head.hex()} {at:020.6f} {events:020d}".encode()
    return line + b" %08x\n" % crc32(line)


def read_acknowledged(path: Path) -> Acknowledged | None:
    """What was last acknowledged for the store at `path`; None when that is missing or cannot be read."""
    try:
        content = Path(f"{path}.ack").read_bytes()
        line, _, check = content.rstrip(b"\n").rpartition(b" ")
        if int(check, 16) != crc32(line):
            return None
        seq, head, at, events = line.split(b" ")
        return Acknowledged(int(seq), bytes.fromhex(head.decode()), float(at), int(events))
    except (OSError, ValueError):
        return None
