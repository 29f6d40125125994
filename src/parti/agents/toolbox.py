"""The toolbox of an agent: what it may call, as a model sees it, and its calls turned into arguments."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.design.agent import Agent, name_for_model
from parti.design.function import schema_of
from parti.design.graph import Design
from parti.design.step import Step
from parti.design.tool import Tool
from parti.errors import PayloadError
from parti.ports.llm import ToolCall, ToolSpec
from parti.ports.tool_server import Reply

RESULT_MAX: Final = 20_000
"""Characters of a result that a model is shown."""

_TASK: Final = {"type": "object", "properties": {"task": {"type": "string"}}, "required": ["task"]}


class InvalidCall(Exception):
    """A call that cannot be made; what it says is for the model."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Parts by the name under which the model knows them."""

    parts: Mapping[str, Tool | Step | Agent]

    @staticmethod
    def of(agent: Agent, design: Design, offered: Mapping[str, Sequence[Tool]]) -> Toolbox:
        """What `agent` may call; `offered` are the tools of each of its tool servers."""
        found: dict[str, Tool | Step | Agent] = {}
        for name in agent.tools:
            part = design.by_name[name]
            if isinstance(part, Tool | Step | Agent):
                found[name_for_model(name)] = part
        for tool in (tool for name in agent.tools for tool in offered.get(name, ())):
            found[_free_name(tool.name, found)] = tool
        return Toolbox(found)

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as the model sees them, in the order of declaration."""
        return tuple(ToolSpec(name, part.about or part.name, _schema(part)) for name, part in self.parts.items())

    def part(self, call: ToolCall) -> Tool | Step | Agent:
        """What is called. Raises InvalidCall."""
        part = self.parts.get(call.name)
        if part is None:
            known = ", ".join(self.parts) or "none"
            raise InvalidCall(f"there is no tool {call.name!r}; there are: {known}")
        return part


def arguments_of(part: Tool | Step, call: ToolCall, key: str = "") -> tuple[Any, ...]:
    """The arguments of a call, each of its parameter's type. Raises InvalidCall naming what does not fit.

    `key` is the idempotency key for a tool of a server, which takes all that the model wrote as one object: in the order
    of names, because the same arguments in another order have the same key.
    """
    given = object_in(call)
    if isinstance(part, Tool) and part.server:
        given = _sorted(given)
        given = {"arguments": given, "key": key} if part.key else {"arguments": given}
    parameters = part.function.parameters
    unknown = given.keys() - {parameter.name for parameter in parameters}
    if unknown:
        raise InvalidCall(f"`{call.name}` takes no {', '.join(sorted(unknown))}")
    values = []
    for parameter in parameters:
        if parameter.name not in given:
            if parameter.required:
                raise InvalidCall(f"`{call.name}` needs {parameter.name}")
            values.append(parameter.default)
            continue
        try:
            values.append(parameter.payload.decode(to_json(given[parameter.name])))
        except PayloadError as wrong:
            raise InvalidCall(f"{parameter.name} of `{call.name}`: {wrong.what}") from wrong
    return tuple(values)


def task_of(call: ToolCall) -> str:
    """The task in a call of another agent. Raises InvalidCall."""
    task = object_in(call).get("task")
    if not isinstance(task, str) or not task:
        raise InvalidCall(f"`{call.name}` needs a task: one text")
    return task


def object_in(call: ToolCall) -> dict[str, Any]:
    """The JSON object that the model wrote. Raises InvalidCall."""
    try:
        given = from_json(call.arguments or "{}")
    except ValueError as wrong:
        raise InvalidCall(f"the arguments of `{call.name}` are not JSON: {wrong}") from wrong
    if not isinstance(given, dict):
        raise InvalidCall(f"the arguments of `{call.name}` must be a JSON object")
    return given


def canonical(call: ToolCall) -> str:
    """The call, the same for arguments that differ in white space and order alone."""
    try:
        given: Any = from_json(call.arguments or "{}")
    except ValueError:
        given = call.arguments
    return f"{call.name} {to_json(_sorted(given)).decode()}"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def result_text(part: Tool | Step, value: Any) -> str:
    """What a tool returned, for the model: a text as it is, everything else as JSON, cut where it is very long."""
    if isinstance(value, Reply):
        return cut(f"error: {value.text}" if value.failed else value.text)
    text = value if isinstance(value, str) else part.function.returns.encode(value).decode()
    return cut(text)


def cut(text: str) -> str:
    """At most RESULT_MAX characters, and a word on what was left out."""
    if len(text) <= RESULT_MAX:
        return text
    return f"{text[:RESULT_MAX]}\n[{len(text) - RESULT_MAX} more characters were left out]"


def _free_name(name: str, taken: Container[str]) -> str:
    """A name for the model that no other tool has: those that are too long, or taken, end with a digest."""
    plain = name_for_model(name)
    if len(name) <= len(plain) and plain not in taken:
        return plain
    return f"{plain[:55]}_{blake2b(name.encode(), digest_size=4).hexdigest()}"


def _schema(part: Tool | Step | Agent) -> Mapping[str, Any]:
    if isinstance(part, Agent):
        return _TASK
    if isinstance(part, Tool) and part.server:
        return part.function.parameters[0].payload.schema
    return schema_of(part.function)
