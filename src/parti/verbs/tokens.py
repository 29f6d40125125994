"""The operator's token: kept beside the store, for its owner alone, so that other commands may talk to the process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from parti.wiring import SystemChance


def stored_token(store: Path) -> str:
    """The kept token; "" when there is none, or others than its owner may read it."""
    try:
        file = os.open(_beside(store), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        kept = os.fstat(file)
        private = kept.st_uid == os.geteuid() and not stat.S_IMODE(kept.st_mode) & 0o077
        return os.read(file, 4096).decode("ascii", "replace").strip() if private else ""
    finally:
        os.close(file)


def kept_token(store: Path) -> str:
    """The kept token, or a new one that is kept from now on (mode 0600)."""
    known = stored_token(store)
    if known:
        return known
    token = SystemChance().token()
    path = _beside(store)
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, token.encode() + b"\n")
    finally:
        os.close(file)
    return token


def _beside(store: Path) -> Path:
    return Path(f"{store}.token")
