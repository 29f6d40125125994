"""Tools of tool servers as tools of the design, so that budgets, fences, approvals and accounts treat them like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import TypeAdapter

from parti.agents.schemas import arguments_payload
from parti.design.approval import Approval
from parti.design.function import Function, Parameter
from parti.design.goals import NO_RETRY
from parti.design.payload import Payload, schema_digest
from parti.design.tool import Tool
from parti.design.tool_server import Offered, ToolServer
from parti.ports.context import required
from parti.ports.tool_server import Reply


def _payload(name: str, kind: Any) -> Payload:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema()
    return Payload(name, adapter, schema, schema_digest(schema))


REPLY = _payload("Reply", Reply)
_KEY = _payload("str", str)
_ARGUMENTS = _payload("tuple[dict[str, Any]]", tuple[dict[str, Any]])
_ARGUMENTS_AND_KEY = _payload("tuple[dict[str, Any], str]", tuple[dict[str, Any], str])


def tools_of(server: ToolServer, offered: Iterable[Offered]) -> tuple[Tool, ...]:
    """What a server offers, as tools."""
    return tuple(_tool(server, tool) for tool in offered)


def _tool(server: ToolServer, offered: Offered) -> Tool:
    """A tool whose function asks the server. A write also takes its idempotency key, which the agent works out."""
    writes = offered.reach != "read"
    return Tool(
        name=server.part_of(offered.name),
        place=server.place,
        function=_function(server, offered, writes),
        effect="write" if writes else "read",
        key="key" if writes else None,
        timeout=server.timeout,
        retry=NO_RETRY,
        idempotent=offered.reach == "idempotent",
        cost=server.cost,
        approval=_approval(server.approval) if server.approval and writes else None,
        about=offered.about,
        server=server.name,
    )


def _function(server: ToolServer, offered: Offered, writes: bool) -> Function:
    async def call(arguments: dict[str, Any], key: str = "") -> Reply:
        return await required(f"`{server.part_of(offered.name)}`").reach(server, offered, arguments)

    taken = Parameter("arguments", arguments_payload(f"the arguments of {offered.name}", offered.schema), True)
    return Function(
        name=offered.name,
        call=call,
        parameters=(taken, Parameter("key", _KEY, True)) if writes else (taken,),
        arguments=_ARGUMENTS_AND_KEY if writes else _ARGUMENTS,
        returns=REPLY,
        is_async=True,
        place=server.place,
        digest=offered.digest,
        about=offered.about,
    )


def _approval(declared: Approval) -> Approval:
    """The same, for functions that take the arguments as one object, and their key."""
    asked: Callable[..., bool] | None = declared.when
    if asked is None:
        return declared
    return Approval(
        declared.who,
        when=lambda arguments, key: bool(asked(arguments)),
        timeout=declared.timeout,
        default=declared.default,
    )
