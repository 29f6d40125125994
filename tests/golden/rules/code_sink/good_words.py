"""No shell sees the words."""

import subprocess

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, question: str) -> str:
    written = await llm.ask(question)
    subprocess.run(["grep", written, "notes.txt"], check=True)
    return id
