"""The board: the running architecture as a live page in the browser."""

from __future__ import annotations

from parti.board.app import PREFIX, Board
from parti.board.shown import Shown

__all__ = ["PREFIX", "Board", "Shown"]
