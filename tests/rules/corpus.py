"""The corpus: small systems, each with the codes that ought to be found in it, and how well the rules find them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rules_kit import judged, loaded

CORPUS = Path(__file__).parent.parent / "corpus"
FILES = sorted(CORPUS.glob("*.py"))


@dataclass(frozen=True)
class Tried:
    """One system: what ought to be found, and what was."""

    file: Path
    expected: frozenset[str]
    found: frozenset[str]

    @property
    def missed(self) -> frozenset[str]:
        """What ought to be found and was not."""
        return self.expected - self.found

    @property
    def false(self) -> frozenset[str]:
        """What was found and ought not to be."""
        return self.found - self.expected


def expected_in(file: Path) -> frozenset[str]:
    """The codes that the file says ought to be found in it."""
    (said,) = re.findall(r"^expects: (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset() if said == "nothing" else frozenset(said.split())


def tried(file: Path) -> Tried:
    """The system, judged by all rules."""
    found = frozenset(finding.code for finding in judged(loaded(file)).findings)
    return Tried(file, expected_in(file), found)
