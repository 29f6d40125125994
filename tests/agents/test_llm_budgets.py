"""Budgets over language models: what may have been paid is spent, and what nobody can price takes all that is left."""

from __future__ import annotations

from engine_kit import World, play

from parti import Price, System
from parti.agents.conversation import Conversation, size_of
from parti.agents.gate import Gate
from parti.design.llm import Llm
from parti.ports.llm import Answered, Request, Returned, Said, ToolCall
from parti.testing import Script


def test_a_request_knows_how_large_its_conversation_is_and_is_not_measured_anew() -> None:
    """Measuring all of it in each turn would make n turns cost O(n²)."""
    desk = System("desk")
    desk.llm("local", price=Price(1, 1), max_tokens=1)
    small = next(desk.design.all(Llm))
    talk = Conversation((), None, "")
    for message in (
        Said("user", "grüße"),
        Answered("", (ToolCall("c", "look", "{}"),)),
        Returned("c", "look", "x" * 99),
    ):
        talk.add(message)
    request = talk.request(small, {})
    assert request.size == sum(map(size_of, request.messages)) > 99

    async def main(world: World) -> None:
        gate = Gate(desk.design, lambda llm: Script([]), world.clock, world.chance)
        measured = Request(request.messages, max_tokens=1)
        assert gate.reserve_for(small, request) == gate.reserve_for(small, measured)
        known = Request((Said("user", "x" * 30_000),), max_tokens=1, size=30)
        assert gate.reserve_for(small, known)[1] == 30 // 3 + 10 + 1

    play(main)
