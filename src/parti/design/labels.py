"""Labels that a field carries: who may see it, and how far it can be believed."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """Confidentiality and integrity of a field, written ``Annotated[str, Label.PII]``."""

    PII = "pii"
    SECRET = "secret"
    PROTECTED = "protected"
    UNTRUSTED = "untrusted"
