"""Without numba the same kernels run as plain Python, and give the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, sys
if {blocked}:
    sys.modules["numba"] = None
import numpy as np
from parti.sim.arrivals import load_of
from parti.sim.compiled import NUMBA
from parti.sim.load import GammaArrivals, Mmpp
from parti.sim.simulating import simulate
from test_kernels_agree import MIXED
assert (NUMBA is None) == {blocked}
for name, network in MIXED.items():
    load = load_of(Mmpp((30.0, 90.0), (1.0, 0.5)) if name != "an agent" else GammaArrivals(4.0, 2.0), seconds=3, seed=2)
    for kernel in ("stages", "events"):
        one = simulate(network, load, seed=3, kernel=kernel)
        digest = hashlib.sha256()
        for array in (one.left, one.outcome, one.parts.waiting, one.parts.service, one.parts.batching, one.parts.retrying,
                      one.totals.busy, one.totals.queued):
            digest.update(array.tobytes())
        print(name, kernel, len(load), digest.hexdigest())
"""


def digests(*, blocked: bool) -> list[str]:
    here = Path(__file__).parent
    paths = [str(here), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=blocked)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_plain_python_gives_the_bits_of_compiled_code() -> None:
    """Loops, retries, failures, batches, limits and language models; both kernels; arrivals as well."""
    pytest.importorskip("numba")
    plain = digests(blocked=True)
    assert plain == digests(blocked=False)
    assert len(plain) == 12


def test_simulation_starts_where_compiled_code_cannot_be_kept(tmp_path: Path) -> None:
    """A read-only installation without a home: kernels are compiled for this process alone."""
    pytest.importorskip("numba")
    program = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from parti.sim.compiled import kept\n"
        "twice = kept(lambda value: 2 * value)\n"
        "assert twice(21) == 42\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
