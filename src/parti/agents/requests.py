"""Requests in their canonical form: equal requests have equal bytes, in every process and version."""

from __future__ import annotations

import json
from typing import Any

from parti.agents.conversation import as_json
from parti.design.llm import Llm
from parti.ports.llm import Request


def canonical_request(llm: Llm, request: Request) -> bytes:
    """What a request asks of which model, as JSON with sorted names."""
    return json.dumps(request_facts(llm, request), sort_keys=True, ensure_ascii=False).encode()


def request_facts(llm: Llm, request: Request) -> dict[str, Any]:
    """The same as a JSON object, for people to compare."""
    return {
        "llm": [llm.target, llm.model],
        "messages": json.loads(as_json(request.messages)),
        "tools": [[tool.name, tool.about, tool.schema] for tool in request.tools],
        "output": [request.output.name, request.output.schema] if request.output else None,
        "max_tokens": request.max_tokens,
        "settings": dict(request.settings),
    }
