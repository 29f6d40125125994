"""Identities: the id of a run and the digest of a step follow from what they are, so that a repetition is the same."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from parti.design.tenants import TENANT_RULE, is_tenant
from parti.errors import UsageError


def refuse_tenant(tenant: str) -> None:
    """Raise P504 for a name that a tenant may not have: what is under it could not be reached over HTTP."""
    if not is_tenant(tenant):
        raise UsageError("P504", f"{tenant[:70]!r} is no name of a tenant", fix=f"use {TENANT_RULE}")


def run_of_event(handler: str, topic: str, partition: int, offset: int) -> str:
    """The run in which `handler` handles one event: ``decide:applications:3:1042``."""
    return f"{handler}:{topic}:{partition}:{offset}"


def run_of_tick(schedule: str, tick: int) -> str:
    """The run of a schedule's tick, numbered since 1970."""
    return f"{schedule}:{tick}"


def question_of_doubt(run: str, tool: str, digest: str, start: int) -> str:
    """The question whether a write happened, one for each time it was started: a late word on one settles no other."""
    return f"{run}?doubt-{tool}-{digest}" + (f"-{start}" if start > 1 else "")


def step_digest(arguments: bytes) -> str:
    """16 hex digits that name a step's arguments (64 bits of BLAKE2b over their JSON)."""
    return blake2b(arguments, digest_size=8).hexdigest()


def orderless(arguments: bytes) -> bytes:
    """The same JSON with every list sorted: for types with sets, whose order differs between processes."""
    return json.dumps(_sorted(json.loads(arguments)), sort_keys=True, separators=(",", ":")).encode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def partition_of(tenant: str, key: str, partitions: int) -> int:
    """The partition of a key: the same in every process and version."""
    digest = blake2b(f"{tenant}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % partitions
