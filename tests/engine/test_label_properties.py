"""No label is ever lost: whatever an agent does, in whatever order, and wherever the machine crashes."""

from __future__ import annotations

from typing import Any

import pytest
from engine_kit import World, entries_of, play
from hypothesis import given, settings
from hypothesis import strategies as st
from labels_kit import BOB, EVE, Bank, office

from parti import Gate
from parti.ports.llm import Answered
from parti.testing import Script, calls

ACTS = st.sampled_from(["letter", "contact", "contacts", "pay bob", "pay eve"])


def call(act: str, number: int) -> tuple[str, dict[str, Any]]:
    """The call that an act is."""
    if act.startswith("pay"):
        return "pay", {"to": BOB if act == "pay bob" else EVE, "amount": number}
    return act, {"letter": {"id": f"letter-{number}"}, "contact": {"name": "Bob"}, "contacts": {}}[act]


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTS, max_size=5, unique=True), st.integers(0, 12), st.booleans(), st.booleans())
@pytest.mark.parametrize("trace", [False, True])
def test_after_a_letter_nothing_is_paid_that_the_task_did_not_name(
    trace: bool, acts: list[str], crash_after: int, replay_each: bool, names_bob: bool
) -> None:
    bank, lines = Bank(), [calls(call(act, number)) for number, act in enumerate(acts)]

    def script() -> Script:
        return Script(lambda request: [*lines, "done"][sum(isinstance(one, Answered) for one in request.messages)])

    async def main(world: World) -> list[str]:
        system = office(bank, Gate("refuse", trace=trace))
        async with world.running(system, script=script(), crash=True) as live:
            calling = live.engine.spawn(live.call("do", [f"pay {BOB}" if names_bob else "help"], idempotency_key="one"))
            await live.engine.clock.wait(crash_after * 0.004)
            calling.cancel()
        async with world.running(system, script=script()) as live:
            await live.idle()
            runs = await live.store.runs()
            return [one.kind for run in runs for one in await entries_of(live.store, run.id)]

    kinds = play(main, replay_each=replay_each)
    first = acts.index("letter") if "letter" in acts else len(acts)
    clean = [act for act in acts[:first] if act.startswith("pay")]
    after = [act for act in acts[first:] if act.startswith("pay")]
    if kinds:  # else it crashed before the call was on disk, and nobody was told that it was
        assert kinds.count("taint") == ("letter" in acts)
        known = trace and (names_bob or "pay bob" in clean or "contact" in acts[:first])
        allowed = {"pay bob"} if known else set[str]()
        allowed |= {"pay eve"} if trace and "pay eve" in clean else set()
        expected = {*clean, *(act for act in after if act in allowed)}
        assert {"pay bob" if to == BOB else "pay eve" for to, _ in bank.paid} == expected
