"""Profiles as JSON: written beside the store, read with every field checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from parti.errors import UsageError
from parti.planning.profile import VERSION, Profile

_FORM: Final = TypeAdapter(Profile)


def profile_json(profile: Profile) -> bytes:
    """The profile as JSON; `profile_of` gives an equal one."""
    return _FORM.dump_json(profile, indent=1)


def profile_of(body: bytes, name: str) -> Profile:
    """The profile in `body`. Raises P820 naming `name` and the field, for what is none or of a later version."""
    try:
        facts = json.loads(body)
    except ValueError as wrong:
        raise _unread(name, f"it is not JSON: {wrong}") from wrong
    found = facts.get("version") if isinstance(facts, dict) else None
    if isinstance(found, int) and found > VERSION:
        raise UsageError(
            "P820", f"{name} is a profile of version {found}, and this Parti reads up to {VERSION}", fix="upgrade Parti"
        )
    try:
        return _FORM.validate_json(body)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        raise _unread(name, f"{_path(first['loc'])}: {first['msg']}") from wrong


def read_profile(path: Path) -> Profile:
    """The profile stored at `path`. Raises P820."""
    try:
        body = path.read_bytes()
    except OSError as wrong:
        raise _unread(str(path), str(wrong.strerror)) from wrong
    return profile_of(body, path.name)


def profile_path(store: Path) -> Path:
    """Where the profile of the system with this store lies, unless it is told otherwise: beside the store."""
    return store.with_name(f"{store.name}.profile.json")


def _path(parts: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in parts) or "it"


def _unread(name: str, why: str) -> UsageError:
    return UsageError("P820", f"{name} is no profile: {why}", fix="make one with `parti profile`")
