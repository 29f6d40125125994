"""It fits."""

from parti import (
    Label,
    Retry,
    System,
)

desk = System("desk")


@desk.tool(effect="read", labels=Label.TRUSTED, timeout="2s", retry=Retry(3, first="100ms"))
async def stock(article: str) -> int:
    return 7


@desk.get("/stock/{article}", timeout="10s")
async def look(article: str) -> int:
    return await stock(article)
