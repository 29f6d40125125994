"""What language models cost by the price list that Pydantic AI brings along."""

from __future__ import annotations

from parti.design.llm import Llm


def listed_cost(llm: Llm, tokens_in: int, tokens_out: int) -> float | None:
    """Implements ports.llm.PriceList. The first call imports the list, which takes about a quarter of a second.

    A server that is named by its URL has no list price, whatever its model is called.
    """
    provider, _, model = llm.target.partition(":")
    if not model or "://" in llm.target:
        return None
    try:
        from genai_prices import Usage, calc_price  # noqa: PLC0415 only where a budget of dollars bounds a model

        usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        return float(calc_price(usage, model, provider_id=provider).total_price)
    except (ImportError, LookupError):
        return None
