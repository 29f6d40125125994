"""A claims desk with an archive: labelled fields, people, tries that fail, a masking gate, large values, long runs."""

from __future__ import annotations

from desks import MARKUP

ARCHIVE = f'''
"""A claims desk: labelled fields, people, tries that fail, a write, large values, and long runs."""
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel
from parti import Gate, Label, Retry, System, ask

desk = System("claims", gate=Gate("mask"))


class Claim(BaseModel):
    id: str
    name: Annotated[str, Label.PII] = "Ann Ardent"
    plan: str = "plain"
    note: str = ""


class Letter(BaseModel):
    claim: str
    to: Annotated[str, Label.PII]


claims = desk.topic("claims", Claim, key="id")
letters = desk.topic("letters", Letter, key="claim")


@desk.step
async def look(number: int) -> int:
    return number


@desk.step(retry=Retry(attempts=2, first="10ms"))
async def fetch(id: str) -> str:
    """Fetches a file from the archive; it may be closed."""
    if Path("closed").exists():
        raise RuntimeError(f"{MARKUP} the archive is closed for '{{id}}'")
    return f"file {{id}}"


@desk.tool(effect="write", key="claim", idempotent=True, clearance=Label.UNTRUSTED)
async def post(claim: str, text: str) -> str:
    """Hands a letter to the post."""
    return f"sent: {{text}}"


@desk.on(claims, to=letters, retry=Retry(attempts=1))
async def decide(claim: Claim) -> Letter | None:
    """Decides a claim, and answers by letter."""
    for number in range(2100 if claim.plan == "many" else 1):
        await look(number)
    if claim.plan == "fetch":
        await fetch(claim.id)
    if claim.plan == "ask":
        await ask("clerk", f"Pay {{claim.name}} for {{claim.id}}? {MARKUP}", timeout="9d", default=False)
    return Letter(claim=claim.id, to=claim.name)


@desk.on(letters)
async def send(letter: Letter) -> None:
    await post(letter.claim, f"Dear {{letter.to}}")


@desk.post("/claims/{{id}}")
async def file(id: str, name: Annotated[str, Label.PII]) -> str:
    """Files a claim that somebody hands in."""
    await claims.publish(Claim(id=id, name=name))
    return f"filed for {{name}}"
'''
