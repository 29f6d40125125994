"""Testing: running a system inside a test, and the contract suites that adapters must pass."""

from parti.testing.live import Live, running
from parti.testing.script import Script, calls, said
from parti.testing.words import WordEmbedder

__all__ = ["Live", "Script", "WordEmbedder", "calls", "running", "said"]
