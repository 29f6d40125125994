"""The app that evaluations are tested on, and ways to answer for its models."""

from __future__ import annotations

from parti.ports.llm import Answer, Request
from parti.testing import said

DESK = '''"""A desk that writes letters."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from parti import Case, Journal, Prompt, Score, System, Trial, checks

desk = System("desk")


class Order(BaseModel):
    id: str
    total: int


class Tone(BaseModel):
    tone: str


class Letter(BaseModel):
    verdict: str


orders = desk.topic("orders", Order, key="id")
letters = desk.topic("letters", Letter, key="verdict")
book = desk.table("book", Order, key="id")


@desk.tool(effect="write", key="order.id")
async def charge(order: Order) -> str:
    """Take the money."""
    with Path("charged.txt").open("a") as file:
        file.write(order.id)
    return "charged"


llm = desk.llm("local")
writer = desk.agent("writer", llm=llm, output=Letter, instructions=Prompt("prompts/writer.md", Tone))


@desk.on(orders, to=letters)
async def decide(order: Order) -> Letter:
    """Decide on an order."""
    assert await book.get(order.id) is None
    await book.put(order)
    receipt = await charge(order)
    return Letter(verdict=receipt)


@desk.post("/write")
async def write(task: str, tone: str) -> Letter:
    """Write a letter."""
    return await writer.run(task, variables={"tone": tone})


@desk.evaluation(of=writer, data="letters.jsonl", gate=0.7)
def right(case: Case[str, str], output: Letter) -> float:
    """Whether the verdict is the expected one."""
    return output.verdict == case.expected


@desk.evaluation(of=decide, data="orders.jsonl", instead={charge: lambda order: "recorded"}, gate=1)
async def charged(case: Case[Order, None], output: Letter, trial: Trial) -> Score:
    """Whether exactly the order would have been charged."""
    made = [(write.tool, write.arguments[0]["id"]) for write in trial.writes]
    return Score(float(made == [("charge", case.input.id)] and output.verdict == "recorded"), str(made))


desk.evaluation("field", of=writer, data="letters.jsonl", check=[checks.exact("verdict"), checks.schema()])
desk.evaluation("again", of=writer, data=Journal(since="1d"), check=checks.exact())
'''


def obedient(request: Request) -> Answer:
    """Says what the task begins with."""
    return said({"verdict": request.messages[-1].text.split()[0]})


def stubborn(request: Request) -> Answer:
    """Says yes."""
    return said({"verdict": "yes"})
