"""Tokens: what stands for a labelled value in what leaves; the same one for the same value, inside one run alone."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import blake2b
from typing import Final

from parti.design.labels import Label

TOKEN: Final = re.compile(r"\[(?:PII|SECRET):[a-z0-9_]{1,24}:([a-z2-7]{10})\]")
"""``[PII:name:k3f9a2c1qd]``: the label, a hint at what the value is, and its code."""

TOKEN_MAX: Final = 48
"""No token is longer, in characters."""


def code_of(secret: bytes, tenant: str, run: str, value: str) -> str:
    """Ten characters (50 bits of keyed BLAKE2b) that name a value in a run. Nobody can tell it without the store's secret."""
    digest = blake2b(f"{tenant}\0{run}\0{value}".encode("utf-8", "surrogatepass"), key=secret[:64], digest_size=10)
    return b32encode(digest.digest())[:10].decode().lower()


def token(label: Label, hint: str, code: str) -> str:
    """The token of a code. The hint is all that a reader learns of the value."""
    plain = re.sub(r"[^a-z0-9]+", "_", hint.lower()).strip("_")[:24] or "value"
    return f"[{label.name}:{plain}:{code}]"
