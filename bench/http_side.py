"""Drives a server in this process by the load client in another, and reports requests per second."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


async def drive(
    port: int, *, connections: int, seconds: float, method: str = "GET", path: str = "/", body: str = ""
) -> dict[str, Any]:
    """Figures of the load client, per request instead of per run. Raises RuntimeError with its last words."""
    command = [sys.executable, "-m", "bench.load", "--port", str(port), "--method", method, "--path", path]
    command += ["--body", body, "--connections", str(connections), "--seconds", str(seconds)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(errors.decode().strip().splitlines()[-1])
    figures = json.loads(output)
    return {
        "requests": figures["runs"],
        "requests_per_second": figures["runs_per_second"],
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "connections": connections,
    }
