"""An evaluation reaches no tool server: not by the part, not by its checker, and not where the arrows do not show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cli_apps import lines, parti

from parti import wiring
from parti.design.tool_server import ToolServer
from parti.ports.llm import Answer, Request, Returned
from parti.ports.tool_server import Reply
from parti.testing import Script, calls, said

APP = '''"""A desk whose cashier pays by a server of tools."""

from parti import System

desk = System("desk")
llm = desk.llm("local")
bank = desk.mcp("bank", url="http://127.0.0.1:9/mcp")
cashier = desk.agent("cashier", llm=llm, tools=[bank])
clerk = desk.agent("clerk", llm=llm)


@desk.post("/go", timeout="1h")
async def go(task: str) -> str:
    """Let whoever can do it do it."""
    return await eval("cash" + "ier").run(task)


async def second_look() -> str:
    return await cashier.run("look again")


'''

PLAIN = 'desk.evaluation("good", of={of}, data="cases.jsonl")(lambda case, output: 1)\n'

ASKING = """
@desk.evaluation(of=clerk, data="cases.jsonl")
async def good(case, output):
    await {asks}
    return 1
"""


class Bank:
    """A server that keeps what it is asked to pay."""

    def __init__(self) -> None:
        self.stale = False
        self.paid: list[str] = []

    async def list(self) -> list[Mapping[str, Any]]:
        return [{"name": "pay", "inputSchema": {"type": "object", "properties": {"to": {"type": "string"}}}}]

    async def call(self, tool: str, arguments: Mapping[str, Any], *, key: str) -> Reply:
        self.paid.append(arguments["to"])
        return Reply("paid")

    async def close(self) -> None:
        return None


def paying(request: Request) -> Answer:
    """Pays where there is something to pay by."""
    done = any(isinstance(message, Returned) for message in request.messages)
    return said("done") if done or not request.tools else calls(("bank_pay", {"to": "me"}))


@pytest.fixture
def bank(desk: Path, answered_by: Callable[[Any], Script], monkeypatch: pytest.MonkeyPatch) -> Bank:
    """The server, reached by whoever connects."""
    made = Bank()

    def connect(server: ToolServer) -> Bank:
        return made

    monkeypatch.setattr(wiring.outside, "connection_for", connect)
    answered_by(paying)
    lines(desk / "cases.jsonl", {"input": "pay"})
    return made


def evaluated(desk: Path, evaluation: str) -> tuple[int, str]:
    """The exit code and what is said of it."""
    (desk / "app.py").write_text(APP + evaluation, encoding="utf-8")
    told = parti("eval", "good")
    return told.code, told.err


def test_a_part_that_uses_a_tool_server_is_refused(desk: Path, bank: Bank) -> None:
    code, told = evaluated(desk, PLAIN.format(of="cashier"))
    assert (code, "P105 `cashier` uses the tool server `bank`" in told) == (2, True), told


@pytest.mark.parametrize("asks", ['cashier.run("look")', "second_look()"])
def test_a_checker_that_uses_a_tool_server_is_refused(desk: Path, bank: Bank, asks: str) -> None:
    code, told = evaluated(desk, ASKING.format(asks=asks))
    assert (code, "P105 `good`, which checks `clerk`, uses the tool server `bank`" in told) == (2, True), told
    assert bank.paid == []


@pytest.mark.parametrize("evaluation", [PLAIN.format(of="go"), ASKING.format(asks='eval("cash" + "ier").run("x")')])
def test_what_the_arrows_do_not_show_reaches_no_tool_server_either(desk: Path, bank: Bank, evaluation: str) -> None:
    code, told = evaluated(desk, evaluation)
    assert bank.paid == []
    assert (code != 0, "P105 the tool server `bank` was to be used" in told) == (True, True), told
