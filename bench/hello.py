"""The floor for HTTP: uvicorn and Starlette answering a constant."""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.http_side import drive
from bench.subject import arguments, report

SETTINGS = "uvicorn (asyncio loop, httptools, no access log) and one Starlette route that answers a constant"


async def hello(_: Request) -> JSONResponse:
    """Answer a constant."""
    return JSONResponse({"id": "1", "total": 1})


async def main() -> None:
    """Measure and report."""
    asked = arguments(concurrency=64)
    app = Starlette(routes=[Route("/hello", hello)])
    config = uvicorn.Config(
        app, loop="asyncio", http="httptools", lifespan="off", ws="none", access_log=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    # asyncio turns Nagle's algorithm off only for a socket that says it is TCP; create_server's does not.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        port = listening.getsockname()[1]
        figures = await drive(port, connections=asked.concurrency, seconds=asked.seconds, path="/hello")
        server.should_exit = True
        await serving
    report(figures, settings=SETTINGS, packages=("uvicorn", "starlette", "httptools"))


if __name__ == "__main__":
    asyncio.run(main())
