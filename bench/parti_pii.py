"""How much of the personal data in free texts is found: by Presidio's patterns alone, and with a model of spaCy.

A value counts as found if nothing of it is left. What is found where nothing is, is false. Run it with `python -m bench.parti_pii`.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.pii_texts import FILE, Text
from parti.adapters.pii.presidio import PresidioDetector, installed_model
from parti.ports.detector import Detected, Detector


@dataclass(frozen=True)
class Measured:
    """Values found and values there, by kind; false finds by what they were taken for; seconds of CPU for all texts."""

    found: Counter[str]
    there: Counter[str]
    false: Counter[str]
    words: int
    took: float

    def recall(self, kind: str) -> float:
        """The share of a kind's values that were found, from 0 to 1."""
        return self.found[kind] / self.there[kind]


def measure(detector: Detector, texts: Iterable[Text]) -> Measured:
    """Look for what is in the texts."""
    found, there, false, words = Counter[str](), Counter[str](), Counter[str](), 0
    began = time.process_time()
    for one in texts:
        seen = detector.find(one.text)
        words += len(one.text.split())
        start = one.text.index(one.value) if one.value else 0
        end = start + len(one.value)
        if one.value:
            there[one.kind] += 1
            found[one.kind] += _is_covered(one.text, start, end, seen)
        false.update(each.kind for each in seen if each.end <= start or each.start >= end)
    return Measured(found, there, false, words, time.process_time() - began)


def _is_covered(text: str, start: int, end: int, seen: Sequence[Detected]) -> bool:
    inside = {at for one in seen for at in range(one.start, one.end)}
    return all(at in inside for at in range(start, end) if text[at].isalnum())


def committed() -> list[Text]:
    """The texts beside this file."""
    return [Text(**json.loads(line)) for line in FILE.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Measure and print a table as docs/labels.md has it."""
    texts = committed()
    detectors = {"patterns alone": PresidioDetector("")}
    if installed_model():
        detectors[installed_model()] = PresidioDetector()
    for one in detectors.values():
        one.find("to load what is loaded once")
    results = {name: measure(detector, texts) for name, detector in detectors.items()}
    print(f"| | {' | '.join(results)} |\n| --- |{' --- |' * len(results)}")
    for kind in dict.fromkeys(one.kind for one in texts if one.kind):
        shares = (f"{100 * result.recall(kind):.0f} %" for result in results.values())
        print(f"| {kind} | {' | '.join(shares)} |")
    for name, result in results.items():
        false = ", ".join(f"{kind} {count}" for kind, count in sorted(result.false.items())) or "none"
        print(f"{name}: false: {false} in {result.words} words; {1000 * result.took / len(texts):.1f} ms of CPU a text")


if __name__ == "__main__":
    main()
