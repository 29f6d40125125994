"""Questions: what people are asked, and what they answered."""

from __future__ import annotations

from parti.ports.store import QuestionRecord
from parti.verbs.target import Target


async def questions(target: Target, *, who: str = "", state: str = "open", limit: int = 100) -> list[QuestionRecord]:
    """Questions, oldest first; an empty `who` or `state` is any."""
    async with target.reading() as store:
        return await store.questions(who=who, state=state, limit=limit)
