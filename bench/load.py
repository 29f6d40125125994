"""A load client: keep-alive connections over raw sockets that send one request after the other and read each answer."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass

from bench.timing import time_runs


@dataclass(slots=True)
class Connection:
    """One keep-alive connection to a server on loopback."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to `port` of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; its status and body. Only answers with a Content-Length are understood."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        start = lower.find(b"content-length:")
        if start < 0:
            raise ValueError(f"an answer without Content-Length: {head!r}")
        length = int(lower[start + 15 : lower.index(b"\r\n", start)])
        body = await self.reader.readexactly(length) if length else b""
        return int(head[9:12]), body


def request(method: str, path: str, body: str, number: int, port: int) -> bytes:
    """An HTTP/1.1 request; ``{n}`` in path and body stands for its number."""
    content = body.replace("{n}", str(number)).encode()
    head = f"{method} {path.replace('{n}', str(number))} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


async def main() -> None:
    """Send requests for a while and print the figures as a JSON line. Any status but 200 ends the measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--method", default="GET")
    parser.add_argument("--path", default="/")
    parser.add_argument("--body", default="")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    free = [await Connection.open(asked.port) for _ in range(asked.connections)]

    async def run(number: int) -> None:
        connection = free.pop()
        status, body = await connection.ask(request(asked.method, asked.path, asked.body, number, asked.port))
        free.append(connection)
        if status != 200:
            raise RuntimeError(f"{asked.method} {asked.path} answered {status}: {body[:300]!r}")

    timing = await time_runs(run, concurrency=asked.connections, seconds=asked.seconds)
    for connection in free:
        connection.writer.close()
    print(json.dumps(timing.figures()))


if __name__ == "__main__":
    asyncio.run(main())
