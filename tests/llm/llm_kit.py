"""What tests of language models share: a declared Llm, a request, and asking once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fake_openai import FakeOpenAI, Reply

from parti.adapters.llm.pydantic_ai import PydanticAiProvider
from parti.design.llm import Llm
from parti.design.places import Place
from parti.ports.llm import Answer, LlmFailure, OutputSpec, Request, Said, Tell, ToolSpec

LOOK = ToolSpec("look", "Looks a word up.", {"type": "object", "properties": {"word": {"type": "string"}}})
LETTER = OutputSpec(
    "Letter",
    "A short letter.",
    {"type": "object", "properties": {"text": {"type": "string", "maxLength": 9}}, "required": ["text"]},
)
HELLO = Request((Said("system", "Be brief."), Said("user", "Hello?")))


def an_llm(target: str, **options: Any) -> Llm:
    """An Llm with the defaults of a test."""
    facts: dict[str, Any] = {
        "name": "writer",
        "place": Place("app.py", 1),
        "target": target,
        "model": "tiny",
        "fallbacks": (),
        "timeout": 20.0,
        "attempts": 3,
        "per_minute": None,
        "concurrency": 4,
        "price": None,
        "context": None,
        "max_tokens": 100,
        "settings": {},
    }
    return Llm(**{**facts, **options})


def asked(reply: Reply, request: Request = HELLO, *, tell: Tell | None = None, **options: Any) -> tuple[Answer, Any]:
    """The answer when the server gives that reply, and the body that it was asked with."""

    async def ask() -> tuple[Answer, Any]:
        async with FakeOpenAI(reply) as server:
            provider = PydanticAiProvider()
            try:
                answer = await provider.answer(an_llm(server.url, **options), request, tell=tell)
            finally:
                await provider.close()
            assert server.script == []
            return answer, server.asked[0]

    return asyncio.run(ask())


def failing_without_a_server() -> LlmFailure:
    """The failure of a request to an address where a server has just gone."""

    async def ask() -> LlmFailure:
        async with FakeOpenAI() as server:
            url = server.url
        provider = PydanticAiProvider()
        with pytest.raises(LlmFailure) as raised:
            await provider.answer(an_llm(url), HELLO)
        await provider.close()
        return raised.value

    return asyncio.run(ask())


def failing(reply: Reply, request: Request = HELLO, *, tell: Tell | None = None, **options: Any) -> LlmFailure:
    """The failure when the server gives that reply."""
    try:
        answer, _ = asked(reply, request, tell=tell, **options)
    except LlmFailure as failure:
        return failure
    raise AssertionError(f"it answered: {answer}")
