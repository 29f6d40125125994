"""An agent may call a tool that sets the same agent to work."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="read", labels=Label.TRUSTED)
async def delegate(task: str) -> str:
    return await clerk.run(task)


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[delegate])
