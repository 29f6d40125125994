"""The servers of tools behind one door: lists are checked and filtered, calls bounded, and lost connections made again."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import replace
from typing import Any, Final

from parti.agents.schemas import Unfit, fit
from parti.design.goals import Retry
from parti.design.tool_server import Offered, ToolServer
from parti.ports.chance import Chance
from parti.ports.clock import Clock
from parti.ports.tool_server import Connection, Offer, Reply, ServerFailure
from parti.units import duration_text

TOOLS_MAX: Final = 128
"""Tools that one server may offer; every turn of a model is shown them all."""

ABOUT_MAX: Final = 4_000
"""Characters of a description that a model is shown."""

NAME: Final = re.compile(r"[\w./:-]{1,128}", re.ASCII)
"""What a tool may be called; names go into messages, journals and prompts."""

BACKOFF: Final = Retry(2, first="250ms", longest="5s")
"""How long to wait before a connection is made again."""

log = logging.getLogger("parti")


class Servers:
    """Implements ports.tool_server.ToolServers over one connection for each declared server, made when it is first used."""

    def __init__(self, make: Callable[[ToolServer], Connection], clock: Clock, chance: Chance) -> None:
        self._make = make
        self._clock = clock
        self._chance = chance
        self._lines: dict[str, _Line] = {}

    async def offer(self, server: ToolServer) -> Offer:
        """See ports.tool_server.ToolServers. The server is asked anew each time, and once more where it died."""
        line = self._line(server)
        for attempt in (1, 2):
            try:
                return await line.ask_anew()
            except ServerFailure as failure:
                if attempt == 2 or not failure.passing:
                    raise
                await self._wait()
        raise AssertionError("the second attempt returns or raises")

    async def call(self, server: ToolServer, tool: Offered, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """See ports.tool_server.ToolServers.

        Where the connection is lost it is made again, once; the call is repeated only where that can do no harm.
        """
        line = self._line(server)
        async with line.room:
            for attempt in (1, 2):
                try:
                    return await line.call(tool, arguments, key)
                except ServerFailure as failure:
                    harmless = not failure.sent or tool.reach != "write"
                    if attempt == 2 or not failure.passing or not harmless:
                        raise
                    await self._wait()
        raise AssertionError("the second attempt returns or raises")

    async def close(self) -> None:
        """See ports.tool_server.ToolServers."""
        lines, self._lines = self._lines, {}
        await asyncio.gather(*(line.close() for line in lines.values()))

    def _line(self, server: ToolServer) -> _Line:
        if server.name not in self._lines:
            self._lines[server.name] = _Line(server, self._make(server))
        return self._lines[server.name]

    async def _wait(self) -> None:
        await self._clock.wait(BACKOFF.wait_before(2, self._chance.random()))


class _Line:
    """One server, its connection, and what it offered when it was last asked."""

    def __init__(self, server: ToolServer, connection: Connection) -> None:
        self.server = server
        self.connection = connection
        self.room = asyncio.Semaphore(server.concurrency)
        self._asking: asyncio.Task[Offer] | None = None
        self._offer: Offer | None = None

    async def ask_anew(self) -> Offer:
        """What it offers now. Those who ask while it is being asked share its answer, or wait no longer than the first."""
        if self._asking is None or self._asking.done():
            # In a context of its own: the task is no branch of the run that happens to ask first.
            self._asking = Context().run(asyncio.get_running_loop().create_task, self._ask())
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._asking)

    async def close(self) -> None:
        """Let go of the server."""
        if self._asking is not None:
            self._asking.cancel()
        await self.connection.close()

    async def _ask(self) -> Offer:
        try:
            async with asyncio.timeout(self.server.timeout) as limit:
                listed = await self.connection.list()
        except TimeoutError as late:
            if not limit.expired():
                raise
            await self.connection.close()
            said = f"`{self.server.name}` did not say within {duration_text(self.server.timeout)} what it offers"
            raise ServerFailure(said, sent=False, fix="look at the server, or raise timeout=") from late
        self._offer = offer_of(self.server, listed)
        return self._offer

    async def call(self, tool: Offered, arguments: Mapping[str, Any], key: str) -> Reply:
        """The answer to a call of `tool`, if it is still offered as it was shown to the model."""
        if self._offer is None or self.connection.stale:
            await self.ask_anew()
        offered = self._offer.tools if self._offer else ()
        if tool.digest not in {now.digest for now in offered}:
            raise ServerFailure(
                f"`{self.server.part_of(tool.name)}` is no longer what was shown to the model",
                sent=False,
                fix="look at what changed, and let the work begin anew",
            )
        try:
            told = await self.connection.call(tool.name, arguments, key=key)
        except asyncio.CancelledError:
            self.connection.stale = True  # it may hang: the next call makes sure that it does not
            raise
        size = len(told.text.encode())
        if size > self.server.result_max:  # it was answered: whatever the call did is done
            return Reply(f"P707 the result has {size:,} bytes, and may have {self.server.result_max:,}", failed=True)
        return told


def offer_of(server: ToolServer, listed: Sequence[Mapping[str, Any]]) -> Offer:
    """What of a server's list is offered to models. Raises ServerFailure for a list that is of no use."""
    wanted = [tool for tool in listed if isinstance(tool.get("name"), str) and server.wants(tool["name"])]
    if len(wanted) > TOOLS_MAX:
        raise ServerFailure(
            f"`{server.name}` offers {len(wanted):,} tools, and may offer {TOOLS_MAX}",
            sent=False,
            fix="choose among them with only=",
        )
    count = Counter(tool["name"] for tool in wanted)
    refused: dict[str, str] = {name: why for name, why in server.refused.items() if server.wants(name)}
    tools: list[Offered] = []
    for tool in wanted:
        try:
            if count[tool["name"]] > 1:
                raise Unfit("two tools have this name")
            tools.append(_offered(server, tool))
        except Unfit as why:
            refused[tool["name"]] = str(why)
    _tell(server, tools, refused)
    return Offer(tuple(tools), refused)


def _offered(server: ToolServer, tool: Mapping[str, Any]) -> Offered:
    if not NAME.fullmatch(tool["name"]):
        raise Unfit("its name has other characters than letters, digits and _ - . / :, or more than 128")
    about = tool.get("description")
    text = about[:ABOUT_MAX] if isinstance(about, str) else ""
    found = Offered(tool["name"], text, fit(tool.get("inputSchema")), tool.get("reach", "write"))
    declared = server.reaches.get(found.name)
    return replace(found, reach=declared) if declared else found


def _tell(server: ToolServer, tools: list[Offered], refused: Mapping[str, str]) -> None:
    """Say what cannot be offered: as an error where the program names it, or where nothing is left."""
    for name, why in refused.items():
        said = f"`{server.part_of(name[:128])}` cannot be offered to a language model: {why}"
        if name in server.only or not tools:
            raise ServerFailure(said, code="P708", sent=False, fix="mend its schema, or leave it out with only=")
        log.warning("P708 %s", said)
    if not tools:
        raise ServerFailure(
            f"`{server.name}` offers none of the tools that are wanted",
            code="P708",
            sent=False,
            fix="look at only=, and at what the server offers",
        )
