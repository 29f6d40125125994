"""Optional packages: imported where they are used, with one clear error when they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from parti.errors import DeclarationError


def need(module: str, *, extra: str, purpose: str) -> Any:
    """The imported `module`, or P110 naming the command that installs the extra it belongs to."""
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        raise DeclarationError(
            "P110",
            f"{purpose} needs the package {module.split('.', maxsplit=1)[0]!r} ({missing})",
            fix=f"pip install 'parti[{extra}]'",
        ) from missing
