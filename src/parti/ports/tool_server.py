"""The tool server port: what a server offers, and calls of its tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from parti.design.tool_server import Offered, ToolServer


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered to a call; `failed` where it says itself that the call went wrong."""

    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offers now, and why some of it cannot be offered to a model, by name."""

    tools: tuple[Offered, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


class ServerFailure(Exception):
    """A server did not answer as it should (P707), or what it offers is of no use (P708).

    `sent` says whether the call may have reached it: then nobody knows what it did. `passing` says that the same may go
    well a moment later, over a new connection where this one is lost.
    """

    def __init__(
        self, what: str, *, sent: bool = True, passing: bool = False, code: str = "P707", fix: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.sent = sent
        self.passing = passing
        self.code = code
        self.fix = fix


class Connection(Protocol):
    """A connection to one declared server. Raises ServerFailure. One for each server and process."""

    stale: bool
    """Whether the list of tools may have changed since it was asked for."""

    async def list(self) -> Sequence[Mapping[str, Any]]:
        """The tools as the server describes them, whatever that holds: name, description, inputSchema, reach.

        Connects where there is no connection.
        """
        ...

    async def call(self, tool: str, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """What the server answers. `key` is the idempotency key of a write, else "". Cancelling it ends the call."""
        ...

    async def close(self) -> None:
        """Let go of it; the next call connects again. Returns in bounded time, whatever the server does."""
        ...


class ToolServers(Protocol):
    """All tool servers of a system: checks, filters, bounds and restarts are behind this."""

    async def offer(self, server: ToolServer) -> Offer:
        """What the server offers now. Raises ServerFailure."""
        ...

    async def call(self, server: ToolServer, tool: Offered, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """The answer to a call of a tool that was offered so. Raises ServerFailure."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
