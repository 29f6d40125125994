"""The runtime of local models: llama.cpp inside the process, each file of weights loaded once for all providers."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from parti.errors import DeclarationError
from parti.extras import need
from parti.ports.llm import Finish, LlmFailure
from parti.units import Seconds

SLOTS: Final = 4
"""Requests that are answered at once; each has a whole context window of memory. 4 give 1.5 times the tokens of 1."""

BATCH: Final = 128
"""Tokens of a prompt between two looks at whether it is still wanted: about a second on a busy laptop."""

THREADS_MAX: Final = 8
"""More only get into each other's way: memory is the limit."""

Hear = Callable[[str], bool]
"""Is given each piece of text, also empty ones; True ends the generation."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was written. `first` is the time of the first piece on the monotonic clock, 0 without any."""

    text: str
    finish: Finish
    tokens_in: int
    tokens_out: int
    first: Seconds


class Runtime:
    """Weights in memory. `work` runs its calls: as many threads as there are slots, the rest wait in line."""

    def __init__(self, path: Path, context: int) -> None:
        """Load them: 1 to 3 seconds for 100 MB. Raises P702 when they, or the package, cannot be loaded."""
        self.path = path
        self.work = ThreadPoolExecutor(SLOTS, thread_name_prefix="parti-llm")
        self._library = library()
        self._server = _serve(self._library, path, context)
        # A server that is let go of before its loop runs never ends, so it answers once before anybody has it.
        self._server.handle_completions({"prompt": "a", "max_tokens": 1})

    def generate(self, body: Mapping[str, Any], schema: Mapping[str, Any] | None, hear: Hear) -> Reply:
        """Answer a chat, held to `schema`; blocks. Raises P703 for a prompt too long, P702 or P701 for other failures."""
        taken = _Taken(hear)
        extra = {} if schema is None else {"grammar": self._library.json_schema_to_grammar(dict(schema))}
        # Progress is asked for so that a call can also be ended while its prompt is read.
        options = {"stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        try:
            self._server.handle_chat_completions({**body, **extra, **options}, taken.take)
        except (ValueError, RuntimeError) as wrong:
            raise LlmFailure("P702", f"the local model refused the request: {wrong}", lasting=True) from wrong
        return taken.reply()

    def close(self) -> None:
        """Free the memory, once the calls under way are done; blocks."""
        self.work.shutdown(wait=True)
        del self._server


class _Taken:
    """Gathers the chunks of one streamed completion."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._pieces: list[str] = []
        self._finish = ""
        self._usage: Mapping[str, int] = {}
        self._error: Mapping[str, Any] | None = None
        self._wrong: Exception | None = None
        self._first: Seconds = 0.0

    def take(self, chunk: Mapping[str, Any]) -> bool:
        """Called by the runtime, which swallows exceptions: so they are kept. True ends the generation."""
        try:
            return self._take(chunk)
        except Exception as wrong:
            self._wrong = wrong
            return True

    def _take(self, chunk: Mapping[str, Any]) -> bool:
        self._error = chunk.get("error") or self._error
        self._usage = chunk.get("usage") or self._usage
        piece = ""
        for choice in chunk.get("choices") or ():
            piece += choice.get("delta", {}).get("content") or ""
            self._finish = choice.get("finish_reason") or self._finish
        if piece:
            self._first = self._first or time.monotonic()
            self._pieces.append(piece)
        return self._hear(piece)

    def reply(self) -> Reply:
        """All of it. Raises what went wrong."""
        if self._wrong:
            raise self._wrong
        if self._error:
            raise _failure(self._error)
        return Reply(
            text="".join(self._pieces),
            finish={"stop": "stop", "length": "length"}.get(self._finish, "other"),  # type: ignore[arg-type]
            tokens_in=self._usage.get("prompt_tokens", 0),
            tokens_out=self._usage.get("completion_tokens", 0),
            first=self._first,
        )


def library() -> Any:
    """The package xllamacpp. Raises P702 where it is missing."""
    # OpenMP threads that spin for work take it from each other on few cores: 5 tokens a second instead of 50.
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    try:
        return need("xllamacpp", extra="local", purpose="the local language model")
    except DeclarationError as missing:
        fix = "apt-get install libgomp1" if "libgomp" in missing.what else missing.fix
        raise LlmFailure("P702", missing.what, lasting=True, fix=fix) from missing


def _serve(library: Any, path: Path, context: int) -> Any:
    """A loaded server. It insists on a listener: a Unix socket in a folder of our own, unlinked as soon as it stands."""
    folder = tempfile.mkdtemp(prefix="parti-")
    wanted = library.CommonParams()
    wanted.model.path = str(path)
    wanted.n_ctx = context * SLOTS  # it is split over the slots
    wanted.n_parallel = SLOTS
    wanted.n_batch = wanted.n_ubatch = BATCH
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = _threads()
    wanted.cache_ram_mib = 0
    wanted.verbosity = -1
    wanted.endpoint_slots = False
    wanted.ui = False
    wanted.n_threads_http = 1
    wanted.hostnames = [f"{folder}/s.sock"]
    wanted.api_keys = [os.urandom(16).hex()]
    try:
        return library.Server(wanted)
    except (RuntimeError, ValueError) as wrong:
        raise LlmFailure(
            "P702",
            f"the weights {path} cannot be loaded with a context of {context} tokens: {wrong}",
            lasting=True,
            fix="name the GGUF file of a chat model that fits into memory, or declare a smaller context",
        ) from wrong
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _threads() -> int:
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(THREADS_MAX, ours)


def _failure(error: Mapping[str, Any]) -> LlmFailure:
    said = str(error.get("message", "it did not say why"))
    if error.get("type") == "exceed_context_size_error":
        tokens, window = int(error["n_prompt_tokens"]), int(error["n_ctx"])
        return LlmFailure(
            "P703",
            f"the request has {tokens} tokens, {tokens - window} more than the context window of {window}",
            lasting=True,
            fix="send less, or declare the model with a larger context",
        )
    if error.get("code") == 400:
        return LlmFailure("P702", f"the local model refused the request: {said}", lasting=True)
    return LlmFailure("P701", f"the local model failed: {said}")


_lock = threading.Lock()
_loaded: dict[tuple[Path, int], tuple[Runtime, int]] = {}
"""What is in memory, and how many hold it."""


def borrow(path: Path, context: int) -> Runtime:
    """The loaded weights at `path`, with `context` tokens for each slot; blocks while they load. Raises P702."""
    with _lock:
        runtime, holders = _loaded.get((path, context)) or (Runtime(path, context), 0)
        _loaded[path, context] = (runtime, holders + 1)
        return runtime


def give_back(path: Path, context: int) -> None:
    """The reverse of one `borrow`: the last one frees the memory, once all calls are done; blocks."""
    with _lock:
        runtime, holders = _loaded.pop((path, context))
        if holders > 1:
            _loaded[path, context] = (runtime, holders - 1)
        else:
            runtime.close()
