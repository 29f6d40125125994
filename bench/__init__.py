"""Measures Parti beside its peers: `python -m bench`."""

from __future__ import annotations
