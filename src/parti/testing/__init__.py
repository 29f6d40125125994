"""Testing: running a system inside a test, and the contract suites that adapters must pass."""

from parti.testing.live import Live, running

__all__ = ["Live", "running"]
