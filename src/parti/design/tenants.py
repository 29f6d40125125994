"""Tenants: to whom an event, a run or a row belongs, as every door names them."""

from __future__ import annotations

import re
from typing import Final

MAIN_TENANT: Final = "main"
"""Whose everything is that names no tenant."""

TENANT_RULE: Final = "letters, digits, `.`, `_` and `-`, 64 at most, a letter or digit first"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_tenant(name: str) -> bool:
    """Whether a tenant may have that name."""
    return _NAME.fullmatch(name) is not None
