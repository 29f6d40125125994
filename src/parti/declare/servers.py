"""What a system declares of servers of tools: MCP servers, and HTTP services described by an OpenAPI document."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from parti.declare.agent_handles import ToolServerHandle
from parti.declare.declaring import Declaring, at_once, caller, placed
from parti.declare.labelling import Given, Labels, labels_given, tags_of
from parti.declare.options import refuse_unless, refuse_unless_given, refuse_unless_listed, refuse_unless_texts
from parti.design.addresses import shown_address
from parti.design.approval import Approval
from parti.design.budget import NO_COST, Cost
from parti.design.openapi import Operation, Unfit, operations_of
from parti.design.places import Place
from parti.design.tool_server import RESULT_MAX, Reach, ToolServer, digest_of_operations
from parti.errors import DeclarationError
from parti.extras import need
from parti.units import seconds, size


class Serving(Declaring):
    """Servers of tools for agents."""

    @placed
    def mcp(
        self,
        name: str,
        *,
        command: Sequence[str] = (),
        url: str = "",
        only: Sequence[str] = (),
        timeout: str | float = "30s",
        effects: Mapping[str, Reach] | None = None,
        approval: Approval | str | None = None,
        cost: Cost = NO_COST,
        pin: str = "",
        env: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        concurrency: int = 8,
        result_max: str | int = RESULT_MAX,
        labels: Labels | None = None,
        clearance: Given = (),
    ) -> ToolServerHandle:
        """An MCP server for `desk.agent(tools=[...])`: started by `command`, or reached at `url`. Needs parti[mcp].

        Its tools are asked for when an agent first works with it; the list is pinned then, and one that changed later is
        refused (P707) until `pin` agrees to it. `only` chooses tools by name (``"read_*"``). What the server calls read-only
        reads, everything else is a `write`, unless `effects` says otherwise. `approval` is who must agree before each write.
        In `env` (of the process) and `headers`, ``${NAME}`` stands for an environment variable.
        """
        place = self._at(caller())
        refuse_unless(str, "write a text", url=url, pin=pin)
        if bool(command) == bool(url) or isinstance(command, str):
            raise DeclarationError(
                "P105", f"`{name}` needs a command or a url", place=place,
                fix='write command=["npx", "the-server"], or url="https://…/mcp"',
            )  # fmt: skip
        if url and not url.startswith(("http://", "https://")):
            raise DeclarationError("P105", f"url={shown_address(url)!r} is not HTTP", fix='write url="https://…/mcp"')
        refuse_unless_listed('write command=["npx", "the-server"]', command=command)
        for word in command:
            refuse_unless((str, os.PathLike), 'write command=["npx", "the-server"]', command=word)
        _refuse_wrong(effects, approval, cost, env=env, headers=headers)
        if (command and headers) or (url and env):
            raise DeclarationError(
                "P105", "headers= go with url=, and env= with command=", place=place, fix="leave one of them out"
            )
        part = ToolServer(
            name=name, place=place, protocol="mcp", command=tuple(map(os.fspath, command)), url=url, only=_texts(only),
            timeout=seconds(timeout), concurrency=at_once(concurrency), reaches=_reaches(effects, place), cost=cost,
            approval=Approval(approval) if isinstance(approval, str) else approval, pin=pin,
            result_max=size(result_max), env=dict(env or {}), headers=dict(headers or {}),
            labels=labels_given(labels), clearance=tags_of(clearance, "clearance"),
        )  # fmt: skip
        return self._served(part)

    @placed
    def openapi(
        self,
        name: str,
        *,
        document: str | Path | Mapping[str, Any],
        base_url: str = "",
        only: Sequence[str] = (),
        timeout: str | float = "30s",
        effects: Mapping[str, Reach] | None = None,
        approval: Approval | str | None = None,
        cost: Cost = NO_COST,
        headers: Mapping[str, str] | None = None,
        concurrency: int = 8,
        result_max: str | int = RESULT_MAX,
        labels: Labels | None = None,
        clearance: Given = (),
    ) -> ToolServerHandle:
        """The operations of an HTTP service as tools for agents, as its OpenAPI 3 `document` (a file, or its content) has them.

        GET and HEAD read, PUT and DELETE are writes that may be repeated, POST and PATCH are writes; all writes carry an
        `Idempotency-Key`. `base_url` is where the service is, by default the first server of the document. The other options
        are those of `mcp`. Raises P708 where an operation that `only` names cannot be offered.
        """
        place = self._at(caller())
        refuse_unless(str, "write a text", base_url=base_url)
        refuse_unless((str, Path, Mapping), "give a file, or its content as a dict", document=document)
        _refuse_wrong(effects, approval, cost, headers=headers)
        content = document if isinstance(document, Mapping) else _read(self.root / document, place)
        operations, refused = _operations(content, headers or {}, name, place)
        part = ToolServer(
            name=name, place=place, protocol="openapi", url=_base(base_url, content, name, place), only=_texts(only),
            timeout=seconds(timeout), concurrency=at_once(concurrency), reaches=_reaches(effects, place), cost=cost,
            approval=Approval(approval) if isinstance(approval, str) else approval,
            result_max=size(result_max), headers=dict(headers or {}),
            document=digest_of_operations(operations), operations=operations, refused=refused,
            about=_title(content), labels=labels_given(labels), clearance=tags_of(clearance, "clearance"),
        )  # fmt: skip
        _refuse(part)
        return self._served(part)

    def _served(self, part: ToolServer) -> ToolServerHandle:
        self._add(part)
        if part.approval is not None:
            self._arrow(part.name, "asks", part.approval.who, part.place)
        return ToolServerHandle(part)


def _refuse_wrong(effects: object, approval: object, cost: object, **settings: object) -> None:
    """Raise P105 for an option of another type than both kinds of servers take."""
    refuse_unless_given(Mapping, 'write effects={"look": "read"}', effects=effects)
    refuse_unless_given((str, Approval), 'write approval="treasurer", or an Approval', approval=approval)
    refuse_unless(Cost, "write Cost(usd=0.01)", cost=cost)
    refuse_unless_texts('write {"NAME": "a text"}', **settings)


def _title(document: Mapping[str, Any]) -> str:
    info = document.get("info")
    return str(info.get("title") or "") if isinstance(info, Mapping) else ""


def _texts(only: Sequence[str]) -> tuple[str, ...]:
    return (only,) if isinstance(only, str) else tuple(only)


def _reaches(effects: Mapping[str, Reach] | None, place: Place) -> dict[str, Reach]:
    known = get_args(Reach)
    for tool, effect in (effects or {}).items():
        if effect not in known:
            raise DeclarationError(
                "P105", f"{effect!r} is no effect of {tool!r}", place=place, fix=f"one of: {', '.join(known)}"
            )
    return dict(effects or {})


def _operations(
    document: Mapping[str, Any], headers: Mapping[str, str], name: str, place: Place
) -> tuple[dict[str, Operation], dict[str, str]]:
    try:
        return operations_of(document, headers)
    except Unfit as why:
        raise DeclarationError("P105", f"the document of `{name}`: {why}", place=place, fix="give OpenAPI 3") from why


def _base(base_url: str, document: Mapping[str, Any], name: str, place: Place) -> str:
    reached = base_url or _first_url(document)
    if not reached.startswith(("http://", "https://")):
        raise DeclarationError("P105", f"the document does not say where `{name}` is", place=place, fix="add base_url=")
    return reached.rstrip("/")


def _refuse(part: ToolServer) -> None:
    """Refuse a declaration that names what cannot be offered, or wants nothing that is there."""
    for operation in part.refused.keys() & set(part.only):
        raise DeclarationError(
            "P708",
            f"`{part.part_of(operation)}` cannot be offered to a language model: {part.refused[operation]}",
            place=part.place,
            fix="mend the document, or leave it out with only=",
        )
    if not any(part.wants(operation) for operation in part.operations):
        raise DeclarationError(
            "P106",
            f"no operation of `{part.name}` is wanted",
            place=part.place,
            fix=f"only= some of: {', '.join(list(part.operations)[:20]) or 'none'}",
        )


def _first_url(document: Mapping[str, Any]) -> str:
    servers = document.get("servers") or [{}]
    return str(servers[0].get("url", "")) if isinstance(servers, list) and isinstance(servers[0], Mapping) else ""


def _yaml(text: str) -> Any:
    yaml = need("yaml", extra="openapi", purpose="reading YAML")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise ValueError(str(wrong)) from wrong


def _read(file: Path, place: Place) -> Mapping[str, Any]:
    """An OpenAPI document in JSON, or in YAML where PyYAML is installed."""
    try:
        text = file.read_text(encoding="utf-8")
        content = _yaml(text) if file.suffix in (".yaml", ".yml") else json.loads(text)
    except (OSError, ValueError) as wrong:
        raise DeclarationError(
            "P105",
            f"{file.name} cannot be read: {wrong}",
            place=place,
            fix="give an OpenAPI 3 document in JSON or YAML",
        ) from wrong
    if not isinstance(content, Mapping):
        raise DeclarationError("P105", f"{file.name} holds no object", place=place, fix="give an OpenAPI 3 document")
    return content
