"""The tool has more time than its caller."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="read", labels=Label.TRUSTED, timeout="60s")
async def stock(article: str) -> int:
    return 7


@desk.get("/stock/{article}", timeout="10s")
async def look(article: str) -> int:
    return await stock(article)
