"""Messages of an MCP server, between the SDK and what strangers may send: lists tool by tool, results as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from mcp_types import CallToolResult, EmbeddedResource, Result, TextContent, TextResourceContents

from parti.ports.tool_server import Reply


class Messages(JSONRPCDispatcher[TransportContext]):
    """The SDK's dispatcher, which also notes its end, and keeps lists of tools as they came.

    The SDK refuses a whole list for one tool that is none, so it sees names alone. `tools` is the latest page, `cursor`
    says where the next one begins.
    """

    over = False
    tools: tuple[Mapping[str, Any], ...] = ()
    cursor: str | None = None

    async def run(self, *args: Any, **options: Any) -> None:
        """See JSONRPCDispatcher."""
        try:
            await super().run(*args, **options)
        finally:
            self.over = True
            self.on_end()

    def on_end(self) -> None:
        """Called once no more messages come; replaced by who wants to know."""

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: Any = None, **options: Any
    ) -> dict[str, Any]:
        """See JSONRPCDispatcher."""
        raw = await super().send_raw_request(method, params, opts, **options)
        if method == "tools/list":
            listed = raw.get("tools")
            self.tools = tuple(map(_described, listed if isinstance(listed, list) else ()))
            cursor = raw.get("nextCursor")
            self.cursor = cursor if isinstance(cursor, str) and cursor else None
            raw["tools"] = [
                {"name": tool["name"], "inputSchema": {"type": "object"}}
                for tool in self.tools
                if isinstance(tool["name"], str)
            ]
        return raw


def _described(tool: object) -> dict[str, Any]:
    """What is used of a tool's description. What has no name is not named."""
    facts = tool if isinstance(tool, Mapping) else {}
    hints = facts.get("annotations")
    hinted = hints if isinstance(hints, Mapping) else {}
    if hinted.get("readOnlyHint") is True:
        reach = "read"
    else:
        reach = "idempotent" if hinted.get("idempotentHint") is True else "write"
    return {
        "name": facts.get("name"),
        "description": facts.get("description") or facts.get("title"),
        "inputSchema": facts.get("inputSchema"),
        "reach": reach,
    }


def reply_of(result: Result) -> Reply:
    """A result as text: texts one below the other, else what is structured; what is neither is named and left out."""
    if not isinstance(result, CallToolResult):
        return Reply("the tool asks for more input, which nobody here can give", failed=True)
    texts = [_text(block) for block in result.content]
    if result.structured_content is not None and not any(isinstance(block, TextContent) for block in result.content):
        texts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return Reply("\n".join(texts), failed=result.is_error)


def _text(block: Any) -> str:
    if isinstance(block, TextContent):
        return block.text
    if isinstance(block, EmbeddedResource) and isinstance(block.resource, TextResourceContents):
        return block.resource.text
    return f"[{block.type} left out]"
