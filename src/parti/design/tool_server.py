"""A tool server: a server outside that offers tools to agents, by the Model Context Protocol or by an OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, Final, Literal

from parti.design.approval import Approval
from parti.design.budget import NO_COST, Cost
from parti.design.labels import Labelled, Tag
from parti.design.openapi import Operation
from parti.design.places import Place
from parti.units import Seconds

Reach = Literal["read", "write", "idempotent"]
"""What a call does outside: it reads, it writes, or it writes what may be written again under the same key."""

RESULT_MAX: Final = 1024 * 1024
"""Bytes of text that one call may give back, by default."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as its server offers it: `schema` is the JSON schema of its arguments, an object."""

    name: str
    about: str
    schema: Mapping[str, Any]
    reach: Reach

    @property
    def digest(self) -> str:
        """Names all that a model is shown of it, and what a call of it does: 16 hex digits."""
        return _hash([self.name, self.about, self.schema, self.reach])

    def as_json(self) -> dict[str, Any]:
        """As it stands in a store, readable for ever."""
        return {"name": self.name, "about": self.about, "schema": self.schema, "reach": self.reach}

    @staticmethod
    def of_json(facts: Mapping[str, Any]) -> Offered:
        """An offered tool out of a store."""
        return Offered(facts["name"], facts["about"], facts["schema"], facts["reach"])


def digest_of(tools: Iterable[Offered]) -> str:
    """The name of a list of tools, in whatever order they are offered: 16 hex digits, to be given as `pin`."""
    return _hash(sorted(tool.digest for tool in tools))


def digest_of_operations(operations: Mapping[str, Operation]) -> str:
    """The name of what an OpenAPI document offers: 16 hex digits."""
    return _hash([[one.name, one.method, one.path, one.about, one.schema, one.places] for one in operations.values()])


def _hash(facts: object) -> str:
    return blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServer:
    """Offers tools: an MCP server started by `command` or reached at `url`, or the operations of an OpenAPI document at `url`.

    Those whose names match `only` (all, when it is empty) are offered to agents. A call takes `timeout` at most; `reaches` says
    what calls do where the server does not say so, or is not believed. `pin` is the digest of the list of tools that
    is agreed to; without it, that of the first use. Where `env` (of the process) and `headers` say ``${NAME}``, the
    environment variable is meant: what they say is part of no drawing and no digest.
    """

    name: str
    place: Place
    protocol: Literal["mcp", "openapi"]
    command: tuple[str, ...] = ()
    url: str = ""
    only: tuple[str, ...] = ()
    timeout: Seconds
    concurrency: int
    reaches: Mapping[str, Reach]
    cost: Cost = NO_COST
    approval: Approval | None = None
    pin: str = ""
    result_max: int = RESULT_MAX
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    document: str = ""
    """The digest of the OpenAPI document's operations."""
    operations: Mapping[str, Operation] = field(default_factory=dict, repr=False, compare=False)
    refused: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Operations of the document that cannot be offered, each with the reason why."""
    about: str = ""
    labels: Labelled | None = field(default=None, repr=False)
    """The labels of what its tools answer; None where nothing was declared."""
    clearance: tuple[Tag, ...] = field(default=(), repr=False)
    """The labels that it may be given."""

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.name}"

    def wants(self, tool: str) -> bool:
        """Whether the tool of that name is to be offered."""
        return not self.only or any(fnmatchcase(tool, pattern) for pattern in self.only)

    def part_of(self, tool: str) -> str:
        """The name of one of its tools in journals and messages."""
        return f"{self.name}.{tool}"
