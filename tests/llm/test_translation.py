"""Shapes, modes of output and histories, with models that are functions and no server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from llm_kit import HELLO, LETTER, LOOK, an_llm
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, SystemPromptPart, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.profiles import ModelProfile

from parti.adapters.llm import history as histories
from parti.adapters.llm import messages as translation
from parti.adapters.llm.history import History
from parti.adapters.llm.pydantic_ai import PydanticAiProvider
from parti.ports.llm import Answer, Answered, LlmFailure, Message, Request, Returned, Said, ToolCall

Reaction = Callable[[list[ModelMessage], AgentInfo], ModelResponse]


def answered(reaction: Reaction, *requests: Request, profile: ModelProfile | None = None) -> list[Answer]:
    """The answers of a model that reacts so."""

    async def ask() -> list[Answer]:
        provider = PydanticAiProvider(lambda _: FunctionModel(reaction, profile=profile))
        try:
            return [await provider.answer(an_llm("any"), request) for request in requests]
        finally:
            await provider.close()

    return asyncio.run(ask())


# Ways to an output

WANTED = Request(HELLO.messages, tools=(LOOK,), output=LETTER)
NO_SCHEMA = ModelProfile(supports_json_schema_output=False)
NO_TOOLS = ModelProfile(supports_json_schema_output=False, supports_tools=False)


def test_a_model_without_schemas_carries_the_output_in_a_call():
    def react(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        assert [tool.name for tool in info.function_tools] == ["look"]
        (final,) = info.output_tools
        return ModelResponse([TextPart("Here:"), ToolCallPart(final.name, '{"text": "Dear"}')])

    (answer,) = answered(react, WANTED, profile=NO_SCHEMA)
    assert (answer.text, answer.calls, answer.finish, answer.raw) == ('{"text": "Dear"}', (), "stop", "")


def test_calls_beside_the_output_come_first():
    def react(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        final = ToolCallPart(info.output_tools[0].name, {"text": "Dear"})
        return ModelResponse([TextPart("Wait."), ToolCallPart("look", {"word": "a"}, "c1"), final])

    (answer,) = answered(react, WANTED, profile=NO_SCHEMA)
    assert (answer.text, answer.calls) == ("Wait.", (ToolCall("c1", "look", '{"word": "a"}'),))
    assert answer.finish == "tools"


def test_a_model_without_tools_is_asked_for_json_and_its_fence_is_taken_off():
    def react(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        assert info.output_tools == []
        assert "maxLength" in str(info.instructions)
        return ModelResponse([TextPart('```json\n{"text": "Dear"}\n```')])

    (answer,) = answered(react, Request(HELLO.messages, output=LETTER), profile=NO_TOOLS)
    assert answer.text == '{"text": "Dear"}'


def test_text_keeps_its_fences():
    (answer,) = answered(lambda *_: ModelResponse([TextPart("```\nx\n```")]), HELLO)
    assert answer.text == "```\nx\n```"


def test_a_model_that_raises_is_a_failure():
    def react(*_: Any) -> ModelResponse:
        raise RuntimeError("it broke")

    with pytest.raises(LlmFailure, match="RuntimeError: it broke") as raised:
        answered(react, HELLO)
    assert (raised.value.code, raised.value.lasting) == ("P701", False)


def test_a_model_is_built_once_by_whoever_comes_first():
    built: list[str] = []

    def build(llm):
        built.append(llm.name)
        return FunctionModel(lambda *_: ModelResponse([TextPart("Hi.")]))

    async def ask() -> None:
        provider = PydanticAiProvider(build)
        await asyncio.gather(*(provider.answer(an_llm("any"), HELLO) for _ in range(8)))
        await provider.close()

    asyncio.run(ask())
    assert built == ["writer"]


# Histories


def conversation(turns: int, user: str = "Hello?") -> list[tuple[Message, ...]]:
    """The messages before each turn of a conversation: one call and its result a turn."""
    messages: list[Message] = [Said("system", "Be brief."), Said("user", user)]
    grown = [tuple(messages)]
    for turn in range(turns):
        messages.append(Answered("", (ToolCall(f"c{turn}", "look", "{}"),)))
        messages.append(Returned(f"c{turn}", "look", f"result {turn} for {user}"))
        grown.append(tuple(messages))
    return grown


@pytest.fixture
def translated(monkeypatch):
    """What is translated, in order, by either function that makes something new."""
    seen: list[Message] = []
    for name in ("_part_of", "response_of"):
        real = getattr(translation, name)
        monkeypatch.setattr(translation, name, lambda message, real=real: (seen.append(message), real(message))[1])
    return seen


def test_a_turn_translates_only_what_is_new(translated):
    history = History()
    grown = conversation(100)
    for messages in grown:
        history.translate(messages)
    opening = 2  # nothing is remembered before the first answer
    assert len(translated) == len(grown[-1]) + opening


def test_conversations_at_the_same_time_do_not_forget_each_other(translated):
    history = History()
    many = [conversation(20, user=f"user {number}") for number in range(16)]
    for step in zip(*many, strict=True):
        for messages in step:
            history.translate(messages)
    assert len(translated) == sum(len(grown[-1]) + 2 for grown in many)


def test_what_is_remembered_is_what_would_be_translated_anew():
    history = History()
    for messages in conversation(10):
        assert shown(history.translate(messages)) == shown(translation.translate(messages))


def test_what_was_given_out_is_not_changed_by_later_turns():
    history = History()
    first, second = conversation(3)[2:4]
    given = history.translate(first)
    before = shown(given)
    history.translate((*first, Said("user", "One more.")))
    history.translate(second)
    assert shown(given) == before


def test_a_conversation_that_takes_another_way_is_translated_right():
    history = History()
    messages = conversation(5)[-1]
    history.translate(messages)
    other = (*messages[:-1], Returned("c4", "look", "something else"))
    assert shown(history.translate(other)) == shown(translation.translate(other))
    assert shown(history.translate(messages[:5])) == shown(translation.translate(messages[:5]))


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(histories, "CONVERSATIONS_MAX", 3)
    history = History()
    for number in range(10):
        history.translate(conversation(2, user=f"user {number}")[-1])
    assert len(history._known) == 3
    monkeypatch.setattr(histories, "CHARACTERS_MAX", 10)
    history.translate(conversation(2)[-1])
    assert (len(history._known), history._size) == (0, 0)


def test_what_is_said_and_returned_between_answers_is_one_request():
    messages = (*conversation(1)[-1], Said("user", "And?"), Answered("So."), Said("user", "Thanks."))
    kinds = [type(message) for message in translation.translate(messages)]
    assert kinds == [ModelRequest, ModelResponse, ModelRequest, ModelResponse, ModelRequest]


def test_a_later_instruction_reaches_models_that_take_only_one():
    seen: list[list[ModelMessage]] = []

    def react(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        seen.append(messages)
        return ModelResponse([TextPart("Hi.")])

    later = (*HELLO.messages, Answered("Hi."), Said("system", "Now in French."), Said("user", "Again?"))
    answered(react, Request(later), profile=ModelProfile(supports_inline_system_prompts=False))
    last = seen[0][-1]
    assert not any(isinstance(part, SystemPromptPart) for part in last.parts)
    assert "Now in French." in str(last.parts)


def shown(messages: list[ModelMessage]) -> list[Any]:
    """Messages without the times at which they were made."""
    return [
        (
            message.kind,
            [(part.part_kind, getattr(part, "content", getattr(part, "args", None))) for part in message.parts],
        )
        for message in messages
    ]
