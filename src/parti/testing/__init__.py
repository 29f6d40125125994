"""Testing: running a system inside a test, and the contract suites that adapters must pass."""

from parti.auditing.report import Audit
from parti.testing.auditing import audit_labels
from parti.testing.live import Live, running
from parti.testing.script import Script, calls, said
from parti.testing.words import WordEmbedder

__all__ = ["Audit", "Live", "Script", "WordEmbedder", "audit_labels", "calls", "running", "said"]
