"""The line from a doomed process to the outside: one socket; each request has a number, and so has its answer, if one comes."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any


class Outside:
    """What the killed process knows of the world: it can act on it, look at it and tell it things."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._listening = asyncio.create_task(self._listen(reader))

    @staticmethod
    async def reached(path: str) -> Outside:
        """The outside that listens at `path`."""
        return Outside(*await asyncio.open_unix_connection(path))

    async def do(self, tool: str, key: str) -> int:
        """Have an effect; how often it has happened now."""
        return int(await self._say("do", tool, key))

    async def look(self, tool: str, key: str) -> int:
        """How often an effect has happened."""
        return int(await self._say("look", tool, key))

    async def tell(self, what: str, key: str = "") -> Any:
        """Say how far this process is."""
        return await self._say("tell", what, key)

    async def _say(self, verb: str, what: str, key: str) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        number = next(self._numbers)
        self._waiting[number] = answer
        self._writer.write(json.dumps([number, verb, what, key]).encode() + b"\n")
        return await answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            number, told = json.loads(line)
            answer = self._waiting.pop(number)
            if not answer.done():
                answer.set_result(told)
