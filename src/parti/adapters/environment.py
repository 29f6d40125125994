"""Settings that name environment variables: what they stand for is looked up when it is needed, and kept nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from parti.ports.tool_server import ServerFailure


def expanded(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with each ``${NAME}`` replaced. Raises ServerFailure naming a variable that is not set."""
    return {name: re.sub(r"\$\{(\w+)\}", _value, text) for name, text in settings.items()}


def _value(found: re.Match[str]) -> str:
    value = os.environ.get(found[1])
    if value is None:
        raise ServerFailure(f"the environment variable {found[1]} is not set", sent=False, fix=f"set {found[1]}")
    return value
