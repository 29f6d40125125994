"""The outside of a doomed process: counts the effects that reach it, and lights the fuse that kills the process."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from threading import Thread
from typing import Any


class Moment(Enum):
    """When a process dies, seen from the message that the fuse has counted down to."""

    BEFORE = auto()
    """The message has no effect."""
    BETWEEN = auto()
    """It has its effect, and is not answered."""
    AFTER = auto()
    """It is answered, and the process goes on for a moment."""


@dataclass
class Fuse:
    """Ends a process at its message number `messages` (of those that are `only` what it says, "do pay", or of all), or when it has nothing left to do."""

    messages: int
    moment: Moment
    delay: float = 0.0
    only: str = ""
    signal: int = signal.SIGKILL
    then: Fuse | None = None
    """What burns after this one."""


class Recorder:
    """A Unix socket that serves one process after the other: the next is heard when all of the last one has arrived.

    So an effect that a dead process had sent counts before the next process can ask for it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "outside")
        self.counts: Counter[tuple[str, str]] = Counter()
        self.order: list[tuple[str, str]] = []
        """Effects in the order in which they happened."""
        self.fuse: Fuse | None = None
        self.told: list[str] = []
        """How far the present process has come."""
        self._deadline = 0.0
        self._pid = 0
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(self.path)
        self._listening.listen()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; the last process has ended."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:  # closed
                return
            credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            self._pid = struct.unpack("3i", credentials)[0]
            self.told = []
            self._deadline = 0.0
            with line:
                self._listen(line)

    def _listen(self, line: socket.socket) -> None:
        """Serve one process until its end has arrived; what was cut off within a message counts for nothing."""
        heard = b""
        while True:
            try:
                line.settimeout(self._left())
                heard += (more := line.recv(65536))
            except TimeoutError:
                self._end()
                continue
            except ConnectionResetError:
                return
            if not more:
                return
            *messages, heard = heard.split(b"\n")
            for message in messages:
                if self._deadline and self._left() == 0.001:
                    self._end()
                self._hear(line, *json.loads(message))

    def _left(self) -> float | None:
        """Seconds until the process dies; None while no fuse burns."""
        return max(0.001, self._deadline - time.monotonic()) if self._deadline else None

    def _hear(self, line: socket.socket, number: int, verb: str, what: str, key: str) -> None:
        moment = self._burnt(verb, what)
        if moment is Moment.BEFORE:
            self._end()
            return
        answer = self._answer(verb, what, key)
        if moment is Moment.BETWEEN:
            self._end()
            return
        try:
            line.sendall(json.dumps([number, answer]).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):  # it is dead; what it had sent still counts
            return

    def _burnt(self, verb: str, what: str) -> Moment | None:
        """What this message means for the fuse."""
        fuse = self.fuse
        if fuse is None:
            return None
        if what == "idle":
            self._end()
            return None
        if fuse.only and f"{verb} {what}" != fuse.only:
            return None
        fuse.messages -= 1
        if fuse.messages:
            return None
        if fuse.moment is Moment.AFTER:
            self._deadline = time.monotonic() + fuse.delay
            return None
        return fuse.moment

    def _answer(self, verb: str, what: str, key: str) -> Any:
        match verb:
            case "do":
                self.counts[what, key] += 1
                self.order.append((what, key))
            case "tell":
                self.told.append(what)
        return self.counts[what, key]

    def _end(self) -> None:
        self._deadline = 0.0
        if self.fuse is not None:
            os.kill(self._pid, self.fuse.signal)
            self.fuse = self.fuse.then
