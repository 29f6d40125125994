"""The conformance tests of the Model Context Protocol, against endpoints that are exposed as tools.

`make conformance` installs them beside this repository; PARTI_MCP_CONFORMANCE names another folder that has them.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from parti import System, tell
from parti.testing import running

FOLDER = Path(os.environ.get("PARTI_MCP_CONFORMANCE", Path(__file__).parents[2] / ".conformance"))
TESTS = FOLDER / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"

NOT_OFFERED = {
    "logging": ["logging-set-level", "tools-call-with-logging"],
    "completion": ["completion-complete"],
    "results that are pictures, sounds or resources": [
        "tools-call-image",
        "tools-call-audio",
        "tools-call-embedded-resource",
        "tools-call-mixed-content",
    ],
    "asking the client": [
        "tools-call-sampling",
        "tools-call-elicitation",
        "elicitation-sep1034-defaults",
        "elicitation-sep1330-enums",
    ],
    "resources": [
        "resources-list",
        "resources-read-text",
        "resources-read-binary",
        "resources-templates-read",
        "resources-subscribe",
        "resources-unsubscribe",
    ],
    "prompts": [
        "prompts-list",
        "prompts-get-simple",
        "prompts-get-with-args",
        "prompts-get-embedded-resource",
        "prompts-get-with-image",
    ],
}
"""Scenarios for what Parti does not offer: they must fail, so that nobody forgets to take them off this list."""

HELD = [
    "dns-rebinding-protection",
    "ping",
    "server-initialize",
    "server-sse-multiple-streams",
    "tools-call-error",
    "tools-call-simple-text",
    "tools-call-with-progress",
    "tools-list",
]


def a_desk() -> System:
    desk = System("conformance")

    @desk.post("/text", expose=("mcp",))
    async def test_simple_text() -> str:
        """Gives a text."""
        return "This is a simple text response for testing."

    @desk.post("/error", expose=("mcp",))
    async def test_error_handling() -> str:
        """Fails."""
        raise ValueError("This tool intentionally returns an error for testing")

    @desk.post("/progress", expose=("mcp",))
    async def test_tool_with_progress() -> str:
        """Says how far it is."""
        for step in range(3):
            tell(f"step {step}")
        return "done"

    return desk


@pytest.mark.skipif(not TESTS.exists(), reason="the conformance tests are not installed: `make conformance`")
def test_the_server_conforms_in_all_that_it_offers(tmp_path: Path) -> None:
    node = shutil.which("node", path=f"{FOLDER / 'node_modules' / '.bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if node is None:
        pytest.skip("there is no Node.js: `make conformance` brings it")
    expected = tmp_path / "expected.yml"
    missing = [name for names in NOT_OFFERED.values() for name in names]
    expected.write_text("\n".join(["server:", *(f"  - {name}" for name in missing)]), encoding="utf-8")

    async def main() -> tuple[int | None, str]:
        async with running(a_desk(), http=True) as live:
            process = await asyncio.create_subprocess_exec(
                node, str(TESTS), "server", "--url", f"{live.url}/mcp", "--expected-failures", str(expected),
                cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await process.communicate()
            return process.returncode, said.decode()

    code, said = asyncio.run(asyncio.wait_for(main(), 60))
    assert sorted(re.findall(r"^✓ ([\w-]+): ", said, re.MULTILINE)) == HELD
    assert code == 0, said
