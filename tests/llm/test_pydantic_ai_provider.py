"""The provider over Pydantic AI against a server that answers, fails and misbehaves."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from fake_openai import (
    USAGE,
    FakeOpenAI,
    call,
    completion,
    failed,
    hang_up,
    one_word_and_silence,
    said,
    silence,
    status,
    streamed,
    texts,
)
from llm_kit import HELLO, LETTER, LOOK, an_llm, asked, failing, failing_without_a_server
from pydantic_ai.messages import ModelResponse

from parti.adapters.llm.pydantic_ai import PydanticAiProvider
from parti.agents.conversation import Conversation
from parti.design.llm import Price
from parti.ports.llm import Answer, Answered, LlmFailure, Request, Returned, Said, ToolCall


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


# What is asked


def test_text_is_asked_for_with_nothing_but_messages_and_a_bound():
    answer, body = asked(said("Hi."))
    assert body == {
        "model": "tiny",
        "stream": False,
        "max_tokens": 100,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
    }
    assert (answer.text, answer.calls, answer.finish, answer.raw) == ("Hi.", (), "stop", "")
    assert (answer.model, answer.tokens_in, answer.tokens_out) == ("tiny-2026-01", 11, 7)
    assert answer.usd is None, "nobody knows the price of a server of one's own"
    assert answer.took > 0


def test_settings_of_the_request_come_before_those_of_the_llm():
    request = Request(HELLO.messages, settings={"temperature": 0.1})
    _, body = asked(said(), request, settings={"temperature": 0.9, "seed": 4})
    assert (body["temperature"], body["seed"]) == (0.1, 4)


def test_an_answer_is_bounded_by_the_request_and_the_llm():
    assert asked(said(), Request(HELLO.messages, max_tokens=30))[1]["max_tokens"] == 30
    assert asked(said(), Request(HELLO.messages, max_tokens=900))[1]["max_tokens"] == 100


def test_tools_are_offered_with_their_schemas():
    _, body = asked(said(), Request(HELLO.messages, tools=(LOOK,)))
    (tool,) = body["tools"]
    assert tool["function"]["name"] == "look"
    assert tool["function"]["description"] == "Looks a word up."
    assert tool["function"]["parameters"]["properties"] == LOOK.schema["properties"]
    assert body["tool_choice"] == "auto"


def test_an_output_is_asked_for_as_a_schema():
    answer, body = asked(said('{"text": "Dear"}'), Request(HELLO.messages, output=LETTER))
    wanted = body["response_format"]
    assert (wanted["type"], wanted["json_schema"]["name"]) == ("json_schema", "Letter")
    assert wanted["json_schema"]["schema"]["properties"] == LETTER.schema["properties"]
    assert json.loads(answer.text) == {"text": "Dear"}


def test_the_history_is_sent_as_it_was():
    history = (
        *HELLO.messages,
        Answered("Let me see.", (ToolCall("c1", "look", '{"word":"a"}'), ToolCall("c2", "look", '{"word":"b"}'))),
        Returned("c1", "look", "first"),
        Returned("c2", "look", "no such word", failed=True),
        Said("user", "And?"),
    )
    _, body = asked(said(), Request(history, tools=(LOOK,)))
    system, user, assistant, first, second, last = body["messages"]
    assert (system["role"], user["content"], last) == ("system", "Hello?", {"role": "user", "content": "And?"})
    assert assistant["content"] == "Let me see."
    assert [tool["id"] for tool in assistant["tool_calls"]] == ["c1", "c2"]
    assert assistant["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"word":"a"}'}
    assert first == {"role": "tool", "tool_call_id": "c1", "content": "first"}
    assert json.loads(second["content"]) == {"error": "no such word"}


def test_arguments_that_are_no_json_can_be_sent_back():
    history = (*HELLO.messages, Answered("", (ToolCall("c1", "look", '{"word"'),)), Returned("c1", "look", "no", True))
    _, body = asked(said(), Request(history, tools=(LOOK,)))
    assert '{"word"' in json.loads(body["messages"][2]["tool_calls"][0]["function"]["arguments"])["INVALID_JSON"]


def test_thinking_is_kept_and_shown_to_its_provider_again():
    answer, _ = asked(said("Six.", reasoning_content="2 * 3"))
    assert (answer.text, "2 * 3" in answer.raw) == ("Six.", True)
    again = Answer.of_json(json.loads(answer.as_json()))
    _, body = asked(said(), Request((*HELLO.messages, again.turn, Said("user", "Sure?"))))
    assert body["messages"][2] == {"role": "assistant", "content": "Six.", "reasoning_content": "2 * 3"}


def test_what_another_version_kept_is_sent_as_text_and_calls():
    history = (*HELLO.messages, Answered("Six.", raw='[{"kind": "of the future"}]'), Said("user", "Sure?"))
    _, body = asked(said(), Request(history))
    assert body["messages"][2] == {"role": "assistant", "content": "Six."}


# What is answered


def test_calls_come_as_the_model_wrote_them():
    calls = [call("look", '{"word": "a"}', "c1"), call("look", '{"word"', "c2")]
    answer, _ = asked(said(None, tool_calls=calls, finish="tool_calls"), Request(HELLO.messages, tools=(LOOK,)))
    assert answer.calls == (ToolCall("c1", "look", '{"word": "a"}'), ToolCall("c2", "look", '{"word"'))
    assert (answer.text, answer.finish, answer.raw) == ("", "tools", "")


def test_a_flood_of_calls_is_answered_whole():
    calls = [call("look", "{}", f"c{number}") for number in range(200)]
    answer, _ = asked(said("Many.", tool_calls=calls, finish="tool_calls"), Request(HELLO.messages, tools=(LOOK,)))
    assert [one.id for one in answer.calls] == [f"c{number}" for number in range(200)]


def test_calls_beside_a_declared_output_stay_calls():
    request = Request(HELLO.messages, tools=(LOOK,), output=LETTER)
    answer, _ = asked(said(None, tool_calls=[call("look", "{}")], finish="tool_calls"), request)
    assert ([one.name for one in answer.calls], answer.text, answer.finish) == (["look"], "", "tools")


def test_an_output_that_does_not_fit_is_passed_on_for_others_to_judge():
    answer, _ = asked(said('{"colour": "red"}'), Request(HELLO.messages, output=LETTER))
    assert answer.text == '{"colour": "red"}'


@pytest.mark.parametrize(("reason", "finish"), [("stop", "stop"), ("length", "length"), ("content_filter", "refused")])
def test_the_end_of_an_answer_has_its_reason(reason, finish):
    assert asked(said("So", finish=reason))[0].finish == finish


def test_a_refusal_is_an_answer_that_says_so():
    answer, _ = asked(said(None, refusal="I will not."), Request(HELLO.messages, output=LETTER))
    assert (answer.finish, answer.text) == ("refused", "I will not.")


# Halves of characters

HALF, GONE = "hi \ud800 there", "hi \N{REPLACEMENT CHARACTER} there"


def is_kept(answer: Answer) -> bool:
    """Whether it can stand in a journal, and in a request after it."""
    talk = Conversation((), None, "")
    talk.add(answer.turn)
    return Answer.of_json(json.loads(answer.as_json())) == answer and bool(talk.digest())


def test_half_a_character_in_a_text_is_replaced():
    """JSON may hold it, UTF-8 may not: it would fail the run after the answer was paid."""
    answer, _ = asked(said(HALF))
    assert answer.text == GONE
    assert is_kept(answer)


def test_two_halves_that_belong_together_are_their_character():
    assert asked(said("hi \ud83d\ude00"))[0].text == "hi \N{GRINNING FACE}"


def test_half_a_character_in_a_call_is_replaced():
    calls = [call(HALF, f'{{"word": "{HALF}"}}', HALF)]
    answer, _ = asked(said(HALF, tool_calls=calls, finish="tool_calls"), Request(HELLO.messages, tools=(LOOK,)))
    assert answer.calls == (ToolCall(GONE, GONE, f'{{"word": "{GONE}"}}'),)
    assert is_kept(answer)


def test_half_a_character_in_what_is_kept_for_the_provider_is_replaced():
    answer, _ = asked(said("So.", reasoning_content=HALF))
    assert GONE in answer.raw
    assert is_kept(answer)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["hi \ud800", " there"], GONE),
        (["hi \ud83d", "\ude00"], "hi \N{GRINNING FACE}"),
        (["hi", " \ud800"], "hi \N{REPLACEMENT CHARACTER}"),
        (["hi \ud800", "\ud800 there"], "hi \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} there"),
    ],
)
def test_what_is_told_of_a_stream_is_the_text_of_its_answer(pieces, text):
    told: list[str] = []
    answer, _ = asked(streamed(*texts(pieces)), tell=told.append)
    assert "".join(told) == answer.text == text
    assert is_kept(answer)


def test_half_a_character_in_a_failure_is_replaced():
    assert GONE in failing(failed(400, HALF)).what


# Streaming


def test_text_is_told_as_it_comes():
    told: list[str] = []
    answer, body = asked(streamed(*texts(["One", " two", " three"])), tell=told.append)
    assert "".join(told) == answer.text == "One two three"
    assert len(told) == 3
    assert body["stream"] is True
    assert (answer.tokens_in, answer.tokens_out) == (11, 7)
    assert 0 < answer.first <= answer.took


def test_calls_are_gathered_from_their_pieces():
    pieces = [
        {"role": "assistant", "tool_calls": [{"index": 0, **call("look", '{"wo', "c1")}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": 'rd": "a"}'}}]},
        {"tool_calls": [{"index": 1, **call("look", "{}", "c2")}]},
    ]
    told: list[str] = []
    request = Request(HELLO.messages, tools=(LOOK,))
    answer, _ = asked(streamed(*pieces, finish="tool_calls"), request, tell=told.append)
    assert answer.calls == (ToolCall("c1", "look", '{"word": "a"}'), ToolCall("c2", "look", "{}"))
    assert (told, answer.finish) == ([], "tools")


@pytest.mark.parametrize("how", [{"cut": True}, {"finish": None}], ids=["dropped", "ended early"])
def test_a_stream_that_breaks_off_is_no_answer(how):
    told: list[str] = []
    failure = failing(streamed(*texts(["One", " two"]), **how), tell=told.append)
    assert (failure.code, failure.lasting) == ("P701", False)
    assert told == ["One", " two"]


def test_an_error_within_a_stream_is_a_failure():
    data = b'data: {"error": {"message": "overloaded", "code": "server_error", "type": "server_error"}}\n\n'
    failure = failing(status(200, data, headers={"content-type": "text/event-stream"}), tell=print)
    assert (failure.code, failure.lasting) == ("P701", False)
    assert "overloaded" in failure.what


# Failures

LONG = "This model's maximum context length is 4097 tokens. However, your messages resulted in 5360 tokens."

PASSING = {
    "busy": failed(429, "Too many requests"),
    "broken": failed(500, "Boom"),
    "down": failed(503, "Down"),
    "a timeout of a gateway": status(504, b"<html>"),
    "hung up": hang_up,
    "not JSON": status(200, b'{"id": '),
    "not even meant as JSON": status(200, b"<html>", headers={"content-type": "text/html"}),
    "not an answer": status(200, {"hello": "there"}),
    "no choices": status(200, completion()),
    "nothing at all": status(200, b""),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_may_pass_is_said_to_pass(case):
    failure = failing(PASSING[case])
    assert (failure.code, failure.lasting) == ("P701", False), failure.what
    assert "`writer`" in failure.what


LASTING = {
    "no such model": ("P702", failed(404, "The model `tiny` does not exist", code="model_not_found"), "target"),
    "a wrong key": ("P702", failed(401, "Incorrect API key"), "OPENAI_API_KEY"),
    "no permission": ("P702", failed(403, "Not allowed"), "OPENAI_API_KEY"),
    "a bad request": ("P702", failed(400, "temperature must be below 2"), "provider names"),
    "an account without credit": ("P701", failed(429, "Quota", code="insufficient_quota"), "credit"),
    "too long": ("P703", failed(400, LONG, code="context_length_exceeded"), "send less"),
    "too long, as Cohere says": ("P703", failed(400, "too many tokens: too long for requested model"), "send less"),
    "too long, as Gemini says": (
        "P703",
        failed(400, "The input token count (9) exceeds the maximum number of tokens allowed (8)."),
        "send less",
    ),
    "too long, as TGI says": (
        "P703",
        failed(422, "`inputs` tokens + `max_new_tokens` must be <= 8192. Given: 9000 and 100"),
        "send less",
    ),
    "too large": ("P703", failed(413, "Limit 6000, requested 7000"), "send less"),
}


@pytest.mark.parametrize("case", LASTING)
def test_what_must_be_mended_first_is_said_to_last(case):
    code, reply, fix = LASTING[case]
    failure = failing(reply)
    assert (failure.code, failure.lasting) == (code, True), failure.what
    assert fix in failure.fix


def test_a_request_that_is_too_long_quotes_the_numbers():
    assert "4097 tokens" in failing(failed(400, LONG)).what
    words = {"message": "the request exceeds the available context size", "type": "exceed_context_size_error"}
    failure = failing(status(400, {"error": {**words, "n_prompt_tokens": 5000, "n_ctx": 4096}}))
    assert failure.code == "P703"
    assert "n_prompt_tokens: 5000; n_ctx: 4096" in failure.what


def test_the_wait_that_a_server_asks_for_is_passed_on():
    assert failing(failed(429, "Slow down", headers={"retry-after": "7"})).wait == 7.0
    assert failing(failed(503, "Down")).wait == 0.0


def test_the_library_does_not_retry_by_itself():
    async def ask() -> None:
        async with FakeOpenAI(failed(500, "Boom"), said()) as server:
            provider = PydanticAiProvider()
            with pytest.raises(LlmFailure):
                await provider.answer(an_llm(server.url), HELLO)
            assert len(server.asked) == 1
            await provider.close()

    asyncio.run(ask())


def test_a_server_that_is_not_there_is_said_to_be_missing():
    failure = failing_without_a_server()
    assert (failure.code, failure.lasting) == ("P701", False)
    assert "Connect call failed" in failure.what


@pytest.mark.parametrize("tell", [None, print], ids=["whole", "streamed"])
def test_silence_ends_with_the_timeout(tell):
    failure = failing(silence, timeout=0.05, tell=tell)
    assert (failure.code, failure.lasting) == ("P701", False)
    assert "0.05 s" in failure.what


@pytest.mark.parametrize("tell", [None, print], ids=["whole", "streamed"])
def test_a_cancelled_call_hangs_up(tell):
    async def ask() -> None:
        async with FakeOpenAI(silence) as server:
            provider = PydanticAiProvider()
            asking = asyncio.create_task(provider.answer(an_llm(server.url), HELLO, tell=tell))
            await server.arrived.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            async with asyncio.timeout(10):
                await server.gone.wait()
            await provider.close()

    asyncio.run(ask())


def test_a_call_cancelled_in_the_middle_of_its_answer_hangs_up():
    async def ask() -> None:
        async with FakeOpenAI(one_word_and_silence) as server:
            provider = PydanticAiProvider()
            told: asyncio.Queue[str] = asyncio.Queue()
            asking = asyncio.create_task(provider.answer(an_llm(server.url), HELLO, tell=told.put_nowait))
            assert await told.get() == "One"
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            async with asyncio.timeout(10):
                await server.gone.wait()
            await provider.close()

    asyncio.run(ask())


# Which model


def answer_of(target: str, **options) -> Answer:
    async def ask() -> Answer:
        provider = PydanticAiProvider()
        try:
            return await provider.answer(an_llm(target, **options), HELLO)
        finally:
            await provider.close()

    return asyncio.run(ask())


MISDECLARED = {
    "openai:gpt-4o": "set the environment variable OPENAI_API_KEY",
    "nobody:tiny": "correct the target",
    "tiny": "say whose model it is: 'provider:tiny'",
    "http://127.0.0.1:1/v1": 'add model="..."',
}


@pytest.mark.parametrize("target", MISDECLARED)
def test_a_model_that_cannot_be_asked_names_what_to_set(target):
    with pytest.raises(LlmFailure) as raised:
        answer_of(target, model="")
    assert (raised.value.code, raised.value.lasting) == ("P702", True)
    assert MISDECLARED[target] in raised.value.fix


@pytest.mark.skipif(find_spec("anthropic") is not None, reason="the SDK is installed")
def test_a_provider_that_is_not_installed_names_the_command():
    with pytest.raises(LlmFailure) as raised:
        answer_of("anthropic:claude-sonnet-4-5")
    assert (raised.value.code, raised.value.fix) == ("P702", 'pip install "pydantic-ai-slim[anthropic]"')


@pytest.mark.parametrize("declared", [("openai-chat:gpt-4o-mini", ""), ("openai-chat", "gpt-4o-mini")])
def test_a_named_provider_is_reached_priced_and_given_the_key(declared, monkeypatch):
    target, model = declared
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}
    reply = status(200, completion(choice, model="gpt-4o-mini"))

    async def ask() -> tuple[Answer, Answer]:
        async with FakeOpenAI(reply, reply) as server:
            monkeypatch.setenv("OPENAI_API_KEY", "secret-1")
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            listed, own = PydanticAiProvider(), PydanticAiProvider()
            answers = (
                await listed.answer(an_llm(target, model=model), HELLO),
                await own.answer(an_llm(target, model=model, price=Price(1, 1)), HELLO),
            )
            await listed.close()
            await own.close()
            assert server.heads[0]["authorization"] == "Bearer secret-1"
            assert server.asked[0]["model"] == "gpt-4o-mini"
            return answers

    listed, own = asyncio.run(ask())
    assert listed.usd is not None
    assert 0 < listed.usd < 0.001 * USAGE["total_tokens"]
    assert own.usd is None, "where the Llm has a price, that counts"


def test_a_price_list_that_fails_does_not_cost_the_answer(monkeypatch):
    def cost(_):
        raise RuntimeError("the list is broken")

    monkeypatch.setattr(ModelResponse, "cost", cost)
    answer, _ = asked(said("Hi."))
    assert (answer.text, answer.usd) == ("Hi.", None)


def test_a_provider_is_asked_again_after_it_was_closed():
    async def ask() -> list[str]:
        async with FakeOpenAI(said("One"), said("Two")) as server:
            provider = PydanticAiProvider()
            found = []
            for _ in range(2):
                found.append((await provider.answer(an_llm(server.url), HELLO)).text)
                await provider.close()
            await provider.close()
            return found

    assert asyncio.run(ask()) == ["One", "Two"]


def test_nothing_is_imported_before_a_model_is_asked():
    program = (
        "import sys, parti, parti.ports.llm, parti.adapters.llm.pydantic_ai as door; door.PydanticAiProvider();"
        "print([name for name in ('pydantic_ai', 'openai', 'httpx') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
