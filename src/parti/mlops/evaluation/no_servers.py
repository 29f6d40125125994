"""Tool servers in a trial: none is connected to, since nobody could hold back what their tools do.

Implements ports.tool_server.ToolServers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parti.design.tool_server import Offered, ToolServer
from parti.ports.tool_server import Offer, Reply, ServerFailure


class NoServers:
    """Refuses every server with P105, also one that the arrows of the design do not show to be used."""

    async def offer(self, server: ToolServer) -> Offer:
        """See ports.tool_server.ToolServers."""
        raise _refusal(server)

    async def call(self, server: ToolServer, tool: Offered, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """See ports.tool_server.ToolServers."""
        raise _refusal(server)

    async def close(self) -> None:
        """See ports.tool_server.ToolServers: there is nothing to close."""


def _refusal(server: ToolServer) -> ServerFailure:
    return ServerFailure(
        f"the tool server `{server.name}` was to be used, whose effects an evaluation cannot hold back",
        sent=False,
        code="P105",
        fix="evaluate a part, with a checker, that does without it",
    )
