"""The read models are tested on the engine's own world: virtual time, and a store that survives crashes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "engine"))
