"""Two tools that a model would know by one name are refused where the agent is declared: neither hides the other."""

from __future__ import annotations

from typing import Any

import pytest

from parti import PartiError, System


def a_desk(*names: str) -> tuple[System, list[Any]]:
    """A desk with tools of these names."""
    desk = System("desk")

    def tool(name: str) -> Any:
        @desk.tool(effect="none", name=name)
        async def look(id: str) -> str:
            return id

        return look

    return desk, [tool(name) for name in names]


@pytest.mark.parametrize(
    ("one", "other", "shown"), [("pay.eur", "pay_eur", "pay_eur"), (f"{'x' * 64}a", f"{'x' * 64}b", "x" * 64)]
)
def test_names_that_a_model_cannot_tell_apart_are_refused(one: str, other: str, shown: str) -> None:
    desk, tools = a_desk(one, other)
    with pytest.raises(PartiError, match=r"test_names_for_models.py:\d+: P104") as wrong:
        desk.agent("clerk", llm=desk.llm("local"), tools=tools)
    assert wrong.value.what == f"a model knows both `{one}` and `{other}` as {shown!r}"


def test_an_agent_and_a_tool_are_told_apart_as_well() -> None:
    desk, tools = a_desk("help.desk")
    llm = desk.llm("local")
    helper = desk.agent("help_desk", llm=llm)
    with pytest.raises(PartiError, match="P104"):
        desk.agent("clerk", llm=llm, tools=[*tools, helper])


@pytest.mark.parametrize("name", ["x" * 63 + "é", "pay.eur"])
def test_one_tool_twice_and_any_name_by_itself_are_fine(name: str) -> None:
    desk, tools = a_desk(name)
    assert desk.agent("clerk", llm=desk.llm("local"), tools=tools * 2).name == "clerk"


def test_servers_may_be_named_alike_since_their_tools_give_way() -> None:
    desk = System("desk")
    servers = [desk.mcp(name, url="http://host/mcp") for name in ("far.off", "far_off")]
    assert desk.agent("clerk", llm=desk.llm("local"), tools=servers).name == "clerk"


def test_a_memory_takes_the_names_of_its_own_tools() -> None:
    desk, tools = a_desk("recall")
    with pytest.raises(PartiError, match="P104 `recall` is a tool of every agent with a memory"):
        desk.agent("clerk", llm=desk.llm("local"), memory=desk.memory("notes"), tools=tools)
    assert desk.agent("other", llm=desk.llm("local", name="own"), tools=tools).name == "other"
