"""A request as a chat that any model's template takes, and what the model wrote as an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from parti.adapters.llm.chat_schema import Schema, choice_schema, output_schema
from parti.ports.llm import Answered, Finish, LlmFailure, Message, Request, Returned, Said, ToolCall

SETTINGS: Final[Mapping[str, Any]] = {"temperature": 0.0, "seed": None, "top_p": None, "stop": None}
"""What `Request.settings` may hold, and what holds without; None leaves it to the runtime."""


def schema_of(request: Request) -> Schema | None:
    """What the answer is held to; None where it is plain text."""
    if request.tools:
        return choice_schema(request.tools, request.output, request.max_tokens)
    return output_schema(request.output, request.max_tokens) if request.output else None


def body_of(request: Request) -> dict[str, Any]:
    """The body of a chat completion, without its grammar. Raises P702 for a setting that is not known."""
    unknown = sorted(set(request.settings) - set(SETTINGS))
    if unknown:
        known = ", ".join(SETTINGS)
        raise LlmFailure(
            "P702", f"the local model has no setting {unknown[0]!r}", lasting=True, fix=f"it has {known}: use those"
        )
    settings = {**SETTINGS, **request.settings}
    if request.tools or request.output:
        settings["stop"] = None  # a stop word would cut JSON
    chosen = {name: value for name, value in settings.items() if value is not None}
    return {"messages": _messages(request), "max_tokens": request.max_tokens, **chosen}


def answer_of(request: Request, text: str, finish: Finish) -> tuple[str, tuple[ToolCall, ...], Finish]:
    """The answer's text, calls and finish. JSON that was cut off stays as it is, with the finish "length".

    Raises P702 where the runtime did not hold the model to the schema: it says nothing when it cannot.
    """
    if not (request.tools or request.output):
        return text, (), finish
    try:
        value = from_json(text or "null", allow_partial=finish == "length")
    except ValueError as wrong:
        raise _loose() from wrong
    if finish == "length" or not request.tools:
        return text, (), finish
    match value:
        case {"tool": str(name), "arguments": dict(arguments)}:
            turns = sum(isinstance(message, Answered) for message in request.messages)
            return "", (ToolCall(f"call-{turns + 1}", name, json.dumps(arguments, ensure_ascii=False)),), "tools"
        case {"answer": said}:
            return (json.dumps(said, ensure_ascii=False) if request.output else str(said)), (), finish
    raise _loose()


def _loose() -> LlmFailure:
    return LlmFailure(
        "P702",
        "the runtime of the local model cannot hold it to the schema that was asked for",
        lasting=True,
        fix="ask for a simpler type: no contradicting bounds, no patterns that look around",
    )


def _messages(request: Request) -> list[dict[str, str]]:
    """Instructions first, in one message, then user and assistant in turn: some templates take nothing else."""
    said = [message.text for message in request.messages if isinstance(message, Said) and message.role == "system"]
    instructions = "\n\n".join(filter(None, [*said, _tools_told(request), _output_told(request)]))
    turns: list[dict[str, str]] = [{"role": "system", "content": instructions}] if instructions else []
    for message in request.messages:
        if isinstance(message, Said) and message.role == "system":
            continue
        role, text = _turn(message, tooled=bool(request.tools))
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{text}"
        else:
            turns.append({"role": role, "content": text})
    return turns


def _turn(message: Message, *, tooled: bool) -> tuple[str, str]:
    """Who speaks, and what the model reads: its own turns as it wrote them."""
    if isinstance(message, Said):
        return message.role, message.text
    if isinstance(message, Returned):
        return "user", f"{message.tool} {'failed' if message.failed else 'returned'}: {message.text}"
    if message.calls:
        calls = [f'{{"tool":{json.dumps(call.name)},"arguments":{call.arguments}}}' for call in message.calls]
        return "assistant", "\n".join(calls)
    return "assistant", (json.dumps({"answer": message.text}, ensure_ascii=False) if tooled else message.text)


def _tools_told(request: Request) -> str:
    if not request.tools:
        return ""
    tools = "\n".join(f"- {tool.name}: {tool.about} Arguments: {_compact(tool.schema)}" for tool in request.tools)
    return (
        'Call a tool with {"tool": its name, "arguments": {...}}, or give your answer with {"answer": ...}.\n'
        f"Tools:\n{tools}"
    )


def _output_told(request: Request) -> str:
    if request.output is None:
        return ""
    about = f" ({request.output.about})" if request.output.about else ""
    return f"Answer with the JSON of a {request.output.name}{about}: {_compact(request.output.schema)}"


def _compact(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
