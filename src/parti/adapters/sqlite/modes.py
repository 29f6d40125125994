"""Who may read the files of a store: it holds personal data, so nobody but its owner."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600


def make_private(path: Path) -> None:
    """Make the file if there is none; SQLite gives the mode of the main file to its log and the log's index.

    One that exists keeps its mode. It is not even opened: to close it would drop SQLite's locks in this process.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
