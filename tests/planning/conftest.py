"""Planning tests use the small world of the engine's tests, and the apps of the command line's."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("engine", "cli"):
    sys.path.append(str(Path(__file__).parents[1] / folder))
