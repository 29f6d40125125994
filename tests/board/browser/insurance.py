"""An insurance desk on which people decide in every way that a form can take, and a shelf that can break."""

from __future__ import annotations

INSURANCE = '''
"""Claims on which people decide in every way that a form can take, and a shelf that fails while a file says so."""
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from parti import Label, System, ask

desk = System("insurance")


class Cover(Enum):
    BASIC = "basic"
    FULL = "full"


class Item(BaseModel):
    name: str = Field(max_length=40)
    worth: Decimal = Field(ge=0, description="in euros")


class Card(BaseModel):
    way: Literal["card"]
    digits: int


class Transfer(BaseModel):
    way: Literal["transfer"]
    iban: str
    parts: tuple[int, str]


class Claim(BaseModel):
    id: str
    holder: Annotated[str, Label.PII] = "Ann Ardent"
    cover: Cover
    items: list[Item] = Field(min_length=1)
    seen_on: date
    told_at: datetime | None = None
    witness: Item | None = None
    marks: dict[str, int] = {}
    paid: Card | Transfer | None = None
    urgent: bool = False
    note: str | None = None
    asks: Literal["yes or no", "a choice", "a number", "words", "a verdict"] = "yes or no"


class Verdict(BaseModel):
    decision: Literal["pay", "refuse"]
    amount: float = Field(ge=0, le=1000)
    reasons: list[str] = []


class Note(BaseModel):
    id: str
    text: str = ""


claims = desk.topic("claims", Claim, key="id", partitions=2)
notes = desk.topic("notes", Note, key="id")
ANSWERS = {"yes or no": bool, "a choice": Literal["now", "later", "never"], "a number": int, "words": str, "a verdict": Verdict}


@desk.step
async def worth(claim: Claim) -> float:
    """What the items are worth."""
    return float(sum(item.worth for item in claim.items))


@desk.on(claims)
async def settle(claim: Claim) -> None:
    """Ask somebody."""
    total = await worth(claim)
    await ask("adjuster", f"Pay {total:.0f} for {claim.id}? {claim.note or ''}", answer=ANSWERS[claim.asks], timeout="2d")


@desk.on(notes, retry=1)
async def shelve(note: Note) -> None:
    """Put a note on the shelf."""
    if Path("broken").exists():
        raise RuntimeError(f"the shelf is broken: {note.text}")
'''


def claim(id: str, **more: object) -> dict[str, object]:
    """A claim that asks what `asks` says."""
    items = [{"name": "lamp", "worth": 120}]
    return {"id": id, "cover": "full", "items": items, "seen_on": "2026-05-04", **more}
