"""A guard escapes it."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.guard(releases=[Label.GENERATED, Label.UNTRUSTED])
def escaped(text: str) -> str:
    return text.replace("<", "&lt;")


@desk.tool(effect="write", key="page", runs={"page": "html"}, idempotent=True)
async def show(page: str) -> None: ...


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, question: str) -> str:
    written = await llm.ask(question)
    await show(await escaped(written))
    return id
