"""Kernels compiled by numba and kept on disk, or run as plain Python where numba is missing: same bits, only slower.

Only the modules of kernels import this one, and they are imported when a simulation starts. Compiled code lies beside the
sources, or where those cannot be written in numba's folder in the user's cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from parti.errors import DeclarationError
from parti.extras import need

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

np = need("numpy", extra="plan", purpose="simulation")


def _numba() -> Any:
    try:
        numba = need("numba", extra="plan", purpose="fast simulation")
    except DeclarationError:
        return None
    return None if numba.config.DISABLE_JIT else numba


NUMBA = _numba()


def _sources() -> str:
    """A digest of every module that kernels are compiled from."""
    texts = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    chosen = [text for text in texts if any(mark in text for mark in (b"\n@kept", b"\n@compiled", b": Final"))]
    return hashlib.sha256(b"\0".join(chosen)).hexdigest()


STAMP = _sources() if NUMBA else ""


INNER = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Of kernels that only kernels call: nothing is compiled for calls from Python."""


def compiled(function: Kernel) -> Kernel:
    """`function`, compiled for the kernels that call it; Python cannot. Without fast mathematics, so that plain Python gives the
    same bits."""
    if NUMBA is None:
        return function
    return NUMBA.njit(function, **INNER)


def inlined(function: Kernel) -> Kernel:
    """Like `compiled`, and made part of whatever calls it: for what happens at every event."""
    if NUMBA is None:
        return function
    return NUMBA.njit(function, forceinline=True, **INNER)


def kept(function: Kernel) -> Kernel:
    """Like `compiled`, and kept on disk for the next process: for the kernels that Python calls."""
    if NUMBA is None:
        return function
    try:
        kernel = NUMBA.njit(function, error_model="numpy", cache=True)
    except RuntimeError:  # there is nowhere to keep it
        return NUMBA.njit(function, error_model="numpy")
    # numba watches the file of a kernel alone; this one also grows old with the files of what it calls.
    kernel._cache._cache_file._source_stamp = STAMP
    return kernel
