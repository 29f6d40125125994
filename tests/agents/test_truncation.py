"""Truncation as a property: whatever was said, calls and results stay together, and what is sent fits or is refused."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parti import System, Truncate
from parti.agents.conversation import Conversation, as_json
from parti.agents.overflow import Window
from parti.agents.tokens import tokens_in
from parti.agents.truncation import cut_middle, exchanges
from parti.design.agent import Agent
from parti.design.llm import Llm
from parti.errors import StepFailed
from parti.ports.agents import Earlier
from parti.ports.llm import Answer, Answered, Message, Request, Returned, Said, ToolCall

MARK = re.compile(r"\n… ([\d,]+) characters left out …\n")

texts = st.one_of(
    st.text(max_size=60),
    st.builds(lambda length, letter: letter * length, st.integers(0, 4_000), st.sampled_from("xé漢😀")),
)
turns = st.lists(st.one_of(st.lists(texts, min_size=1, max_size=4), texts), max_size=8)
"""Each turn: the results of its calls, or what was wrong with its answer."""
shares = st.just(1.0) | st.floats(0.01, 1.0)


def messages_of(number: int, turn: list[str] | str) -> list[Message]:
    """A turn as it is added to the conversation: the answer, and what came of it."""
    if isinstance(turn, str):
        return [Answered(f"answer {number}"), Said("user", turn)]
    made = [ToolCall(f"c{index}", "look", f'{{"at": {number}}}') for index in range(len(turn))]
    results = [Returned(call.id, "look", text) for call, text in zip(made, turn, strict=True)]
    return [Answered("", tuple(made)), *results]


def is_shortened(was: str, now: str) -> bool:
    """Whether a text is whole, or its middle is replaced by a mark that says exactly how much is gone."""
    if was == now:
        return True
    return any(
        was.startswith(now[: mark.start()])
        and was.endswith(now[mark.end() :])
        and int(mark[1].replace(",", "")) == len(was) - len(now) + len(mark[0])
        for mark in MARK.finditer(now)
    )


def follows(shown: list[Message], all_of_them: list[Message]) -> bool:
    """Whether what is shown are messages that there were, in their order, the results perhaps shortened."""
    waiting = iter(all_of_them)
    return all(any(_same(one, was) for was in waiting) for one in shown)


def _same(now: Message, was: Message) -> bool:
    if isinstance(now, Returned) and isinstance(was, Returned):
        return (now.call, now.tool) == (was.call, was.tool) and is_shortened(was.text, now.text)
    return now == was


def paired(request: Request) -> bool:
    waiting: list[str] = []
    for one in request.messages:
        if isinstance(one, Returned):
            if not waiting or waiting.pop(0) != one.call:
                return False
        elif waiting:
            return False
        elif isinstance(one, Answered):
            waiting = [call.id for call in one.calls]
    return not waiting


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(texts, texts), max_size=5), texts, texts, turns, st.integers(150, 3_000), shares,
    st.none() | shares, st.booleans(), st.text(max_size=200),
)  # fmt: skip
def test_what_is_sent_fits_or_is_refused_and_calls_keep_their_results(
    session: list[tuple[str, str]], known: str, task: str, spoken: list[Any], room: int, keep: float,
    results: float | None, remembers: bool, instructions: str,
) -> None:  # fmt: skip
    desk = System("desk")
    llm = desk.llm("local", context=room + 10, max_tokens=10)
    desk.agent("a", llm=llm, instructions=instructions, overflow=Truncate(keep, results))
    agent, talk = desk.design.get(Agent, "a"), Conversation((), None, "")
    head: list[Message] = [Said("system", instructions)] if instructions else []
    body: list[Message] = [one for asked, said in session for one in (Said("user", asked), Answered(said))]
    body += [Said("user", known)] if remembers else []
    at_hand = Said("user", task)
    for message in (*head, *body, at_hand):
        talk.add(message)
    window = Window.of(desk.design, agent, talk, Earlier(tuple(session)), lambda answer: None, lambda left: None)
    assert window is not None
    there: list[Message] = [*body, at_hand]
    newest: list[Message] = []
    for number, turn in enumerate([None, *spoken]):
        if turn is not None:
            newest = messages_of(number, turn)
            there += newest
            for message in newest:
                talk.add(message)
        request = _sent(window, talk, desk.design.get(Llm, "local"))
        if request is None:
            return
        assert tokens_in(request) <= room
        assert paired(request)
        assert list(request.messages[: len(head)]) == head
        shown = [one for one in request.messages[len(head) :] if not _is_note(one)]
        assert follows(shown, there)
        assert at_hand in shown
        assert follows(newest_of(shown, len(newest)), newest)


def newest_of(shown: list[Message], count: int) -> list[Message]:
    """The last so many messages, which must all be there."""
    assert len(shown) >= count
    return shown[len(shown) - count :]


def _is_note(message: Message) -> bool:
    return isinstance(message, Said) and message.text.endswith("were left out here: there is no room for them.)")


def _sent(window: Window, talk: Conversation, llm: Llm) -> Request | None:
    """The request as it is sent; None where it is said by how much it does not fit, though nothing more may go."""
    sent: list[Request] = []

    async def asking() -> Answer:
        sent.append(talk.request(llm, {}))
        return Answer("")

    try:
        asyncio.run(window.ask(asking))
    except StepFailed as refusal:
        assert refusal.code == "P703"
        need = tokens_in(talk.request(llm, {}))
        assert f": {need - window.room:,} too many" in refusal.what
        assert exchanges(talk.messages, window.start + window.noted, window.task) == [], "all that may go went first"
        return None
    (request,) = sent
    return request


@given(st.text(), st.integers(0, 100))
def test_a_text_cut_in_the_middle_says_exactly_how_much_is_gone(text: str, size: int) -> None:
    cut = cut_middle(text, size)
    assert is_shortened(text, cut)
    assert len(cut.encode()) <= max(size, len(f"\n… {len(text):,} characters left out …\n".encode()))


def test_equal_conversations_that_are_shortened_alike_have_equal_digests_and_others_have_not() -> None:
    def digest(keep: float) -> tuple[str, bytes]:
        desk = System("desk")
        llm = desk.llm("local", context=510, max_tokens=10)
        desk.agent("a", llm=llm, overflow=Truncate(keep))
        talk = Conversation((), None, "")
        talk.add(Said("user", "go"))
        agent = desk.design.get(Agent, "a")
        window = Window.of(desk.design, agent, talk, Earlier(), lambda answer: None, lambda left: None)
        assert window is not None
        for number in range(9):
            for message in messages_of(number, ["x" * 200]):
                talk.add(message)
        assert _sent(window, talk, desk.design.get(Llm, "local")) is not None
        return talk.digest(), as_json(talk.messages)

    assert digest(0.5) == digest(0.5)
    assert digest(0.5)[0] != digest(0.9)[0]
