"""The runtime of local models: llama.cpp inside the process, each file of weights loaded once for all providers."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from parti.adapters.llm.completion import Completion, Hear, Reply
from parti.errors import DeclarationError
from parti.extras import need
from parti.ports.llm import LlmFailure

SLOTS: Final = 4
"""Requests that are answered at once; each has a whole context window of memory. 4 give 1.5 times the tokens of 1."""

BATCH: Final = 128
"""Tokens of a prompt between two looks at whether it is still wanted: about a second on a busy laptop."""

THREADS_MAX: Final = 8
"""More only get into each other's way: memory is the limit."""


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
        completion = Completion(hear)
        extra = {} if schema is None else {"grammar": self._library.json_schema_to_grammar(dict(schema))}
        # Progress is asked for so that a call can also be ended while its prompt is read.
        options = {"stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        try:
            self._server.handle_chat_completions({**body, **extra, **options}, completion.take)
        except (ValueError, RuntimeError) as wrong:
            raise LlmFailure("P702", f"the local model refused the request: {wrong}", lasting=True) from wrong
        return completion.reply()

    def close(self) -> None:
        """Free the memory, once the calls under way are done; blocks."""
        self.work.shutdown(wait=True)
        del self._server


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
    """A loaded server. Its attention is kept in 8 bits: a third less memory in all, and faster, with the default weights."""
    kinds = library.ggml_type
    try:
        return _start(library, path, context, kinds.GGML_TYPE_Q8_0)
    except RuntimeError:
        pass  # a model whose heads are not made of blocks of 32 takes 16 bits only; what is broken fails again
    try:
        return _start(library, path, context, kinds.GGML_TYPE_F16)
    except (RuntimeError, ValueError) as wrong:
        raise LlmFailure(
            "P702",
            f"the weights {path} cannot be loaded with a context of {context} tokens: {wrong}",
            lasting=True,
            fix="name the GGUF file of a chat model that fits into memory, or declare a smaller context",
        ) from wrong


def _start(library: Any, path: Path, context: int, kind: Any) -> Any:
    """It insists on a listener: a Unix socket in a folder of our own, unlinked as soon as it stands."""
    wanted = library.CommonParams()
    wanted.model.path = str(path)
    wanted.n_ctx = context * SLOTS  # it is split over the slots
    wanted.n_parallel = SLOTS
    wanted.n_batch = wanted.n_ubatch = BATCH
    wanted.cache_type_k = wanted.cache_type_v = kind
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = _threads()
    wanted.cache_ram_mib = 0
    wanted.verbosity = -1
    wanted.endpoint_slots = False
    wanted.ui = False
    wanted.n_threads_http = 1
    wanted.api_keys = [os.urandom(16).hex()]
    folder = tempfile.mkdtemp(prefix="parti-")
    wanted.hostnames = [f"{folder}/s.sock"]
    try:
        return library.Server(wanted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _threads() -> int:
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(THREADS_MAX, ours)


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
