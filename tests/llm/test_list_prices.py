"""The price list: what models cost that declare no price of their own."""

from __future__ import annotations

import pytest
from llm_kit import an_llm

from parti.adapters.llm.prices import listed_cost


@pytest.mark.parametrize("target", ["openai:gpt-5", "anthropic:claude-sonnet-4-5", "google-gla:gemini-2.5-pro"])
def test_a_known_model_costs_more_for_more_tokens(target: str) -> None:
    small, large = listed_cost(an_llm(target), 1_000, 100), listed_cost(an_llm(target), 1_000, 1_000)
    assert small is not None
    assert large is not None
    assert 0 < small < large < 1


@pytest.mark.parametrize("target", ["local", "openai:nobody-knows-it", "nobody:gpt", "http://127.0.0.1:9/v1"])
def test_what_is_not_on_the_list_has_no_price(target: str) -> None:
    assert listed_cost(an_llm(target), 1_000, 100) is None
