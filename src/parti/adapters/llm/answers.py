"""A response of Pydantic AI as an Answer of the port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic_ai.messages import FinishReason, ModelResponse, ToolCallPart

from parti.adapters.llm.messages import call_of, raw_of
from parti.adapters.llm.shape import Shape
from parti.design.llm import Llm
from parti.ports.llm import Answer, Finish, LlmFailure

FINISHES: Final[Mapping[FinishReason | None, Finish]] = {
    "stop": "stop",
    "tool_call": "stop",  # of the output alone, where no other call is left
    "length": "length",
    "content_filter": "refused",
    None: "stop",
}


def answer_of(llm: Llm, response: ModelResponse, shape: Shape) -> Answer:
    """The answer in a response, without its times. Raises LlmFailure where it is none."""
    _check(llm, response)
    response = replace(response, parts=shape.unwrap(response.parts))
    calls = tuple(call_of(part) for part in response.parts if isinstance(part, ToolCallPart))
    finish = FINISHES.get(response.finish_reason, "other")
    refusal = (response.provider_details or {}).get("refusal", "") if finish == "refused" else ""
    return Answer(
        shape.clean(response.text or "") or str(refusal),
        calls,
        "tools" if calls and finish == "stop" else finish,
        response.model_name or "",
        response.usage.input_tokens,
        response.usage.output_tokens,
        None if llm.price else _usd(response),
        raw=raw_of(response),
    )


def _check(llm: Llm, response: ModelResponse) -> None:
    """A response that broke off is no answer, and one to be fetched later is not what was asked for."""
    if response.state == "suspended":
        fix = "leave background settings out"
        raise LlmFailure(
            "P702", f"`{llm.name}` wants to answer later, in the background", lasting=True, fix=fix, paid=True
        )
    if response.state != "complete":
        raise LlmFailure("P701", f"the answer of `{llm.name}` broke off", paid=True)
    if response.finish_reason == "error":
        raise LlmFailure("P701", f"`{llm.name}` broke off its answer with an error", paid=True)


def _usd(response: ModelResponse) -> float | None:
    """US dollars by the provider's list price; None where it, or what was used, is not known."""
    if not response.model_name or not (response.usage.input_tokens or response.usage.output_tokens):
        return None
    try:
        return float(response.cost().total_price)
    except Exception:  # whatever is wrong with the list, it must not cost the answer that is already here
        return None
