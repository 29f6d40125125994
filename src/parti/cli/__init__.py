"""The command line: each command parses, calls its verb, renders what it returns, and exits."""

from __future__ import annotations

from parti.cli.commands import app, main

__all__ = ["app", "main"]
