"""A fake running system, and a client in front of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from serve_desk import desk
from serve_fakes import OPERATOR, TOKEN, Ask, FakeOperations, run

from parti.serve import http_app


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations(desk())


@pytest.fixture
def ask(operations: FakeOperations) -> Ask:
    """Send one request through the application: ``ask("GET", "/path", token=True, ...)``."""

    def send(
        method: str, path: str, *, token: bool = False, hosts: set[str] | None = None, healthy: str = "", **more: Any
    ) -> httpx.Response:
        app = http_app(operations, token=TOKEN, design_json=lambda: {"parts": 9}, healthy=lambda: healthy, hosts=hosts)
        headers = {**(OPERATOR if token else {}), **more.pop("headers", {})}

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=headers, **more)

        answer: httpx.Response = run(go())
        return answer

    return send
