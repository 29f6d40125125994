"""One fork server for a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .lives import ForkServer


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """A process that forks the processes to be killed."""
    running = ForkServer()
    yield running
    running.close()
