"""How well the rules do on small systems of which somebody wrote down what is wrong with them.

Run pytest with ACCEPT=1 to write the figures into the corpus's README anew, and look at the difference.
"""

from __future__ import annotations

import os
from functools import cache

from corpus import CORPUS, FILES, Tried, tried

KNOWN = {
    "library_mixes": "what a library takes out again counts as all that went in",
    "people_by_id": "the rows of a dict that a comprehension makes lose their fields",
}
"""Systems that are judged wrongly, each with the reason why."""


@cache
def all_tried() -> tuple[Tried, ...]:
    return tuple(map(tried, FILES))


def test_the_corpus_is_large_and_half_of_it_is_sound() -> None:
    sound = [one for one in all_tried() if not one.expected]
    assert len(FILES) >= 120
    assert 0.45 <= len(sound) / len(FILES) <= 0.55


def test_what_is_judged_wrongly_is_known_with_its_reason() -> None:
    wrong = {one.file.stem: f"missed {sorted(one.missed)}, false {sorted(one.false)}" for one in all_tried()}
    wrong = {name: said for name, said in wrong.items() if said != "missed [], false []"}
    assert wrong.keys() == KNOWN.keys(), wrong


def test_precision_and_recall_are_those_written_down() -> None:
    right = sum(len(one.expected & one.found) for one in all_tried())
    false = sum(len(one.false) for one in all_tried())
    missed = sum(len(one.missed) for one in all_tried())
    sound = [one for one in all_tried() if not one.expected]
    clean = sum(not one.found for one in sound)
    text = f"""# The corpus

Small systems, each with the codes that `parti check` ought to find in it (`expects:`). They were written together with the rules, so
the figures guard what was reached; they do not say how often other programs are judged rightly.

- systems: {len(FILES)}, of which sound: {len(sound)}, of which found clean: {clean}
- findings expected: {right + missed}, found: {right}, missed: {missed}, false: {false}
- precision: {right / (right + false):.3f}, recall: {right / (right + missed):.3f}

Judged wrongly, as is known:

{"".join(f"- `{name}`: {why}.{chr(10)}" for name, why in KNOWN.items())}"""
    page = CORPUS / "README.md"
    if os.environ.get("ACCEPT"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text
