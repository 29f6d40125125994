"""A tool with batches, and what stands in for it in an evaluation: that is called with one item, as the tool is."""

from __future__ import annotations

import asyncio

from parti import Batch, Case, System
from parti.design.tool import Tool
from parti.mlops.evaluation.trials import trial_design


def test_what_stands_in_for_a_batch_function_gets_one_item_and_gives_one_answer() -> None:
    desk = System("desk")

    @desk.tool(effect="read", batch=Batch(8), concurrency=1)
    def price(articles: list[str]) -> list[int]:
        raise AssertionError("called in an evaluation")

    @desk.post("/quote")
    async def quote(article: str) -> int:
        return await price(article)

    @desk.evaluation(of=quote, data="cases.jsonl", instead={price: len})
    def right(case: Case[str, int], output: int) -> bool:
        return output == case.expected

    trial = trial_design(desk.design, desk.design.evaluation("right"), lambda one, other: 0.0)
    tool = trial.get(Tool, "price")
    assert tool.batch is None
    assert asyncio.run(tool.function.call("lamp")) == 4
