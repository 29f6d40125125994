"""Unpinned: a model or tool server outside can become another without anybody's saying so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parti.design.llm import Llm
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.clearing import is_outside


def look(case: Case) -> Iterator[Hit]:
    """One finding for each model of a provider, and each MCP server. A model at your own URL is yours to pin."""
    for llm in case.design.all(Llm):
        if is_outside(llm) and "://" not in llm.target and not _VERSION.search(llm.target):
            yield Hit(llm.name, llm.place, f"`{llm.target}` names no version")
    for server in case.design.all(ToolServer):
        if server.protocol == "mcp" and not server.pin:
            yield Hit(server.name, server.place, f"the tools of `{server.name}` are not pinned")


_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|-\d{3,4}$|@.+$|sha256")
"""How providers date a model: gpt-5-2025-08-07, claude-sonnet-4-20250514, gemini-1.5-pro-002."""


RULE = Rule(
    code="R116",
    name="unpinned",
    severity="high",
    says="A model outside has no version in its name, or a tool server no digest of its tools.",
    why="What was tested is not what runs tomorrow.",
    standard="OWASP LLM03, ASI04",
    fix="name a dated version of the model; give the server pin= with the digest of its list of tools",
    look=look,
)
