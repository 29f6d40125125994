"""The SQLite store: one file, a write-ahead log, one writer thread, every commit on disk before it is answered."""

from __future__ import annotations

from parti.adapters.sqlite.acknowledgement import DECLARED_LAG
from parti.adapters.sqlite.lock import describe_holder
from parti.adapters.sqlite.opening import open_store
from parti.adapters.sqlite.store import SqliteStore

__all__ = ["DECLARED_LAG", "SqliteStore", "describe_holder", "open_store"]
