"""A person's approval can be waited for where a run can wait: outside of its steps."""

from __future__ import annotations

import pytest
from engine_kit import Play, World, the_run

from parti import PartiError, System
from parti.ports.store import State
from parti.testing import Script, calls


def a_desk(paid: list[str]) -> System:
    """A desk whose steps call, themselves or by an agent, what needs an approval."""
    desk = System("desk")

    @desk.tool(effect="write", key="id", approval="boss")
    async def pay(id: str) -> str:
        paid.append(id)
        return "paid"

    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[pay])

    @desk.step
    async def paying() -> str:
        return await pay("a")

    @desk.step
    async def letting_pay() -> str:
        return await clerk.run("pay")

    @desk.post("/by-step", timeout="1h")
    async def by_step() -> str:
        return await paying()

    @desk.post("/by-agent", timeout="1h")
    async def by_agent() -> str:
        return await letting_pay()

    return desk


@pytest.mark.parametrize("endpoint", ["by_step", "by_agent"])
def test_an_approval_inside_a_step_is_refused_before_the_person_is_asked(in_world: Play, endpoint: str) -> None:
    paid = list[str]()

    async def main(world: World) -> None:
        script = Script([calls(("pay", {"id": "a"}))])
        async with world.running(a_desk(paid), script=script) as live:
            with pytest.raises(PartiError, match="P301 the approval of `pay` is for handlers and agents"):
                await live.call(endpoint, [])
            assert (await the_run(live)).state is State.DEAD
            assert await live.store.questions() == []
            assert paid == []

    in_world(main)
