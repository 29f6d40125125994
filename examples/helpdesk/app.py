"""A help desk: questions over a folder of documentation, answered with passages, by agents where there is a model, or by people.

parti up examples/helpdesk/app.py, then POST /ask?user=ann&question=...
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import pages
from pydantic import BaseModel

from parti import AgentStopped, Budget, Label, Recalled, StepFailed, System, ask, uuid

desk = System("helpdesk")
MODEL = os.environ.get("PARTI_LLM", "")
FAR = 0.3
"""Passages less alike than this (cosine, from -1 to 1) do not answer the question."""
SAID = "support: "
"""How the place begins of a passage that a person wrote."""

Kind = Literal["how-to", "reference"]


class Passage(BaseModel):
    place: str
    text: str


class Example(BaseModel):
    kind: Kind
    text: str


class Answer(BaseModel):
    text: str
    by: Literal["passages", "how-to agent", "reference agent", "a person, later"]
    places: list[str]
    ticket: str = ""


class Ticket(BaseModel):
    id: str
    user: str
    question: str
    answer: str = ""


class Served(BaseModel):
    user: str
    by: dict[str, int]


EXAMPLES: dict[Kind, list[str]] = {
    "how-to": [
        "how do I start it",
        "how can I change this",
        "what must I do to",
        "show me the steps to set up",
        "I want to make",
    ],
    "reference": [
        "what does this option mean",
        "what is the default of",
        "which error is this",
        "what is meant by",
        "list all",
    ],
}

passages = desk.topic("passages", Passage, key="place", retain="1y")
examples = desk.topic("examples", Example, key="text", retain="1y")
tickets = desk.topic("tickets", Ticket, key="id", retain="1y")
solved = desk.table("solved", Ticket, key="id")
docs = desk.memory("docs", shared=True, facts=10_000)
ways = desk.memory("ways", shared=True)
people = desk.memory("people")
served = desk.table("served", Served, key="user")
llm = desk.llm(MODEL or "local", model=os.environ.get("PARTI_LLM_MODEL", ""), name="llm", max_tokens=200, timeout="30s")
ONLY = "Answer from the passages alone, in at most three sentences. If they do not say, say so."
spend = Budget(tokens=20_000, steps=3)
guide = desk.agent(
    "guide", llm=llm, instructions=f"You explain how something is done. {ONLY}", memory=people, sessions=2, budget=spend
)
clerk = desk.agent(
    "clerk", llm=llm, instructions=f"You say what something is. {ONLY}", memory=people, sessions=2, budget=spend
)


@desk.source(to=passages, labels=Label.TRUSTED)
def library(position: int) -> Iterator[Passage]:
    """Every passage of the documentation, once."""
    for place, text in pages.passages()[position:]:
        yield Passage(place=place, text=text)


@desk.on(passages)
async def learn(passage: Passage) -> None:
    """Remember a passage by its meaning."""
    await docs.remember(f"{passage.place}\n{passage.text}", scope="docs", about={"place": passage.place})


@desk.source(to=examples, labels=Label.TRUSTED)
def labelled(position: int) -> Iterator[Example]:
    """Which words ask for what: telling kinds of questions apart by examples works better than asking the small model."""
    known = [Example(kind=kind, text=text) for kind, texts in EXAMPLES.items() for text in texts]
    yield from known[position:]


@desk.on(examples)
async def learn_way(example: Example) -> None:
    """Remember an example of a kind of question."""
    await ways.remember(example.text, scope="ways", about={"kind": example.kind})


@desk.post("/ask", key="user", timeout="2m", labels=Label.UNTRUSTED, discloses="by")
async def answer(user: str, question: str) -> Answer:
    """The answer, and a note of who gave it."""
    found = await docs.recall(question, scope="docs", limit=4)
    if found and found[0].similarity >= FAR:
        given = await from_passages(question, found)
    else:
        ticket = Ticket(id=uuid().hex, user=user, question=question)
        await tickets.publish(ticket)
        given = Answer(text="Nothing fits; a person will answer.", by="a person, later", places=[], ticket=ticket.id)
    before = await served.get(user) or Served(user=user, by={})
    await served.put(Served(user=user, by=Counter(before.by) + Counter([given.by])))
    return given


async def from_passages(question: str, found: list[Recalled]) -> Answer:
    """By the agent whose kind of question it is; the nearest passage as it is where a person wrote it, or no agent can."""
    places = [str((fact.about or {}).get("place")) for fact in found]
    plain = Answer(text=found[0].text, by="passages", places=places)
    if not MODEL or places[0].startswith(SAID):
        return plain
    task = {"question": question, "passages": [fact.text for fact in found]}
    try:
        if await kind_of(question) == "how-to":
            return Answer(text=await guide.run(task), by="how-to agent", places=places)
        return Answer(text=await clerk.run(task), by="reference agent", places=places)
    except (AgentStopped, StepFailed):
        return plain


@desk.on(tickets)
async def escalate(ticket: Ticket) -> None:
    """Ask a person, who has two days; what they say is a passage from then on."""
    question = f"{ticket.user} asks: {ticket.question}"
    said = await ask("support", question, answer=str, timeout="2d", default="")
    await solved.put(ticket.model_copy(update={"answer": said or "Nobody knew."}))
    if said:
        place = f"{SAID}{ticket.question}"
        await docs.remember(f"{place}\n{said}", scope="docs", about={"place": place})


@desk.get("/tickets")
async def tickets_of(user: str) -> list[Ticket]:
    """What people answered to a user."""
    return [ticket for ticket in await solved.scan(limit=100_000) if ticket.user == user]


async def kind_of(question: str) -> Kind:
    """What most of the nearest examples ask for."""
    nearest = await ways.recall(question, scope="ways", limit=3)
    kinds = Counter(str((fact.about or {}).get("kind")) for fact in nearest)
    return "reference" if kinds.most_common(1) and kinds.most_common(1)[0][0] == "reference" else "how-to"


desk.accept("R109", on=docs, reason="A person has read and answered the question before.", until="2027-12-31")
desk.accept("R109", on=people, reason="Each user's own words, under their own key.", until="2027-12-31")
desk.accept("R308", reason="A demo: `parti topics` shows what failed.", until="2027-12-31")


@desk.monitor("who answered")
async def answered() -> dict[str, int]:
    """How many questions each of them answered."""
    return dict(sum((Counter(one.by) for one in await served.scan(limit=100_000)), Counter[str]()).most_common())
