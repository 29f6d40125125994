"""Its retries take longer."""

from parti import (
    Label,
    Retry,
    System,
)

desk = System("desk")


@desk.tool(effect="read", labels=Label.TRUSTED, timeout="5s", retry=Retry(4, first="1s"))
async def stock(article: str) -> int:
    return 7


@desk.get("/stock/{article}", timeout="10s")
async def look(article: str) -> int:
    return await stock(article)
