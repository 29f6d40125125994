"""Apps for the command line's tests, written to files, and commands run in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from parti.cli import app

DESK = '''"""A desk where orders are decided on."""

from __future__ import annotations

from pydantic import BaseModel

from parti import System, ask

desk = System("desk")


class Order(BaseModel):
    id: str
    amount: float = 0.0
    note: str = ""


class Verdict(BaseModel):
    id: str
    approved: bool


orders = desk.topic("orders", Order, key="id")
verdicts = desk.topic("verdicts", Verdict, key="id")
book = desk.table("book", Verdict, key="id")


@desk.step()
async def weigh(amount: float) -> float:
    """Weigh an amount."""
    return amount * 2


@desk.on(orders, to=verdicts, retry=1)
async def decide(order: Order) -> Verdict:
    """Decide on an order."""
    weight = await weigh(order.amount)
    if order.note == "fail":
        raise ValueError("a bad order")
    approved = weight < 100
    if order.note == "ask":
        approved = await ask("boss", f"Approve {order.id}?")
    verdict = Verdict(id=order.id, approved=approved)
    await book.put(verdict)
    return verdict


@desk.on(verdicts)
async def tell(verdict: Verdict) -> None:
    """Tell the customer."""
    await weigh(1.0)


@desk.get("/orders/{id}")
async def standing(id: str) -> Verdict | None:
    """Where an order stands."""
    return await book.get(id)


@desk.post("/weigh/{amount}")
async def weighed(amount: float) -> float:
    """Weigh something."""
    return await weigh(amount)


@desk.monitor("Verdicts")
async def figures() -> dict[str, float]:
    """How many verdicts there are."""
    return {"count": float(len(await book.scan()))}


@desk.stand_in("boss", after="10ms")
def boss(question: object) -> bool:
    """Says yes."""
    return True
'''


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The code of the error on stderr as JSON."""
        return str(json.loads(self.err.strip().splitlines()[-1])["code"])


def parti(*arguments: str, input: str | bytes = "", env: Mapping[str, str | None] | None = None) -> Said:
    """Run a command in this process."""
    result = CliRunner().invoke(app, list(arguments), input=input, env=env, catch_exceptions=False)
    return Said(result.exit_code, result.stdout, result.stderr)


def lines(path: Path, *values: object) -> Path:
    """A file of JSON lines; texts stand there as they are."""
    path.write_text("".join(f"{v if isinstance(v, str) else json.dumps(v)}\n" for v in values), encoding="utf-8")
    return path


def work() -> Said:
    """Let the system of this folder do all it can."""
    said = parti("up", "--until-idle", "--port", "0", "--json")
    assert said.code == 0, said.err
    return said
