"""Conversations: the names of requests, which journals hold for ever."""

from __future__ import annotations

import json
from dataclasses import astuple

from parti.agents.conversation import Conversation, as_json, size_of
from parti.ports.llm import Answered, Returned, Said, ToolCall, ToolSpec

TALK = (
    Said("system", 'Be "brief".'),
    Said("user", "Grüße\n"),
    Answered("", (ToolCall("c1", "add", '{"value": 3}'), ToolCall("c2", "add", "")), '{"kind": "raw"}'),
    Returned("c1", "add", "4"),
    Returned("c2", "add", "error: no value", failed=True),
    Answered("It is 4."),
)


def spoken() -> Conversation:
    """All of TALK, with one tool."""
    talk = Conversation((ToolSpec("add", "Adds.", {"type": "object"}),), None, "v1")
    for message in TALK:
        talk.add(message)
    return talk


def test_the_digest_of_a_conversation_is_the_same_in_every_version() -> None:
    """Stores of earlier versions know their turns by it."""
    assert spoken().digest() == "40663677f1fd5719"


def test_messages_are_written_field_by_field() -> None:
    """The kind of each, then its fields in their order, as JSON: what is taken apart by hand leaves no field out."""
    kinds = {Said: "said", Answered: "answered", Returned: "returned"}
    expected = json.dumps([[kinds[type(message)], *astuple(message)] for message in TALK], ensure_ascii=False)
    assert as_json(TALK).decode() == expected


def test_the_journal_sees_each_message_once_and_no_answer() -> None:
    """Answers stand in the journal already."""
    talk = spoken()
    shown = json.loads(talk.shown())
    assert [kind for kind, *_ in shown["messages"]] == ["said", "said", "returned", "returned"]
    talk.add(Said("user", "And now?"))
    assert json.loads(talk.shown()) == {"after": len(TALK), "prompt": "v1", "messages": [["said", "user", "And now?"]]}


def test_the_size_of_a_message_counts_bytes_of_text() -> None:
    """Umlauts count twice, as they do on the wire."""
    assert size_of(Said("user", "Grüße")) == 7
    assert size_of(Answered("ab", (ToolCall("c", "add", "{}"),), "raw")) == 2 + 1 + 3 + 2 + 3
    assert size_of(Returned("c", "add", "4")) == 5
