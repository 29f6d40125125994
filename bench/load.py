"""A load client: keep-alive connections that send one request after the other and read each answer."""

from __future__ import annotations

import argparse
import asyncio
import json

from bench.timing import time_runs


class Connection(asyncio.Protocol):
    """One keep-alive connection to a server on loopback; one request at a time.

    A bare protocol takes less processor time than asyncio's streams, and the server needs that core.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._read = b""
        self.lost = False
        """Whether the server hung up; it does so with connections that were idle for some seconds."""

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to `port` of this machine."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; its status and body. Only answers with a Content-Length are understood."""
        assert self._transport is not None and self._answer is None, "one request at a time"
        if self.lost:
            raise ConnectionResetError("the server hung up")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport), "TCP is a stream"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with some bytes of an answer."""
        self._read += data
        answer = read_answer(self._read)
        if answer is not None and self._answer is not None:
            waiting, self._answer, self._read = self._answer, None, b""
            waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio; whoever waits for an answer learns that none comes."""
        self.lost = True
        if self._answer is not None:
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))


def read_answer(read: bytes) -> tuple[int, bytes] | None:
    """Status and body of a whole HTTP/1.1 answer, or None while some of it is missing."""
    end = read.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = read[: end + 2].lower()
    start = head.find(b"\r\ncontent-length:")
    if start < 0:
        raise ValueError(f"an answer without Content-Length: {head!r}")
    length = int(head[start + 17 : head.index(b"\r\n", start + 2)])
    body = read[end + 4 : end + 4 + length]
    return (int(read[9:12]), body) if len(body) == length else None


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
        connection.close()
    print(json.dumps(timing.figures()))


if __name__ == "__main__":
    asyncio.run(main())
