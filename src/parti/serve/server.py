"""The HTTP server: uvicorn inside the running event loop, from a free port to a drained end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Final

from parti.errors import UsageError
from parti.ports.operations import Operations
from parti.serve.app import Beside, http_app
from parti.serve.security import is_loopback
from parti.units import Seconds

BACKLOG: Final = 2048
CONNECTIONS: Final = 10_000
"""Connections at a time; further ones are answered 503 by uvicorn."""

LAST_WORDS: Final[Seconds] = 1.0
"""How long the answers to requests that were cut off may take to leave."""


@asynccontextmanager
async def serve(
    operations: Operations,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str,
    token_given: bool = False,
    design_json: Callable[[], dict[str, Any]],
    healthy: Callable[[], str] = lambda: "",
    hosts: Collection[str] = (),
    drain: Seconds = 10.0,
    beside: Beside | None = None,
) -> AsyncIterator[str]:
    """Serve HTTP while the block runs; yields the URL. Port 0 picks a free one.

    At the end no new connection is taken, and requests under way have `drain` seconds to finish; what is left is
    answered 503. `hosts` are further names that a server on loopback goes by, behind a proxy for instance.
    `token_given` says that the token was chosen by the operator. Raises P501 for an address other than loopback
    without one, P505 when the address cannot be had. No signal handlers are set. `beside` is served as well.
    """
    if not is_loopback(host) and not token_given:
        what = f"{host} can be reached from other machines"
        raise UsageError("P501", what, fix="give a token of your own, or bind to 127.0.0.1")
    app = http_app(
        operations,
        token=token,
        design_json=design_json,
        healthy=healthy,
        hosts={host, *hosts} if is_loopback(host) else None,
        beside=beside,
    )
    listener = await _bound(host, port)
    server = _server(app, drain)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="parti-http")
    try:
        async with app.at_work():
            try:
                # The socket listens already: who connects before uvicorn is up waits in its backlog.
                yield _url(host, listener)
            finally:
                server.should_exit = True
                app.stop_listening()
                await serving
    finally:
        server.should_exit = True
        await serving
        if server.server_state.tasks:
            await asyncio.wait(set(server.server_state.tasks), timeout=LAST_WORDS)


def _server(app: Any, drain: Seconds) -> Any:
    # Imported late: `import parti` does not pay for a server that may never run.
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        loop="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        timeout_graceful_shutdown=drain,
    )
    server = uvicorn.Server(config)
    # Signals belong to the program around this server, which ends the block when one arrives.
    server.capture_signals = nullcontext
    return server


async def _bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises P505 when the address is taken, or is none of this machine's."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as wrong:
        raise _unusable(host, port, wrong) from wrong
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as wrong:
        listener.close()
        raise _unusable(host, port, wrong) from wrong
    listener.setblocking(False)
    return listener


def _unusable(host: str, port: int, wrong: OSError) -> UsageError:
    what = f"cannot listen on {host}:{port}: {wrong.strerror or wrong}"
    return UsageError("P505", what, fix="stop what uses it, or choose another port (0 picks a free one)")


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"
