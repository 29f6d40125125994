"""Testing: running a system inside a test, and the contract suites that adapters must pass."""

from parti.testing.live import Live, running
from parti.testing.script import Script, calls, said

__all__ = ["Live", "Script", "calls", "running", "said"]
