"""An agent of five turns in Pydantic AI, which keeps nothing; and its model layer under a plain loop, the floor."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.tools import ToolDefinition

from bench.subject import STEPS, arguments, check, report
from bench.timing import time_runs

SETTINGS = {
    "agent": "Agent with one tool over FunctionModel, run(); nothing is kept",
    "floor": "FunctionModel.request in a plain loop with the same messages and tool; nothing is kept, no agent",
}
SCHEMA = {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}


async def answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """Call the tool until it was called four times, then say what it said plus one."""
    turn = (len(messages) + 1) // 2
    part = messages[-1].parts[-1]
    value = int(part.content if isinstance(part, UserPromptPart | ToolReturnPart) else 0)  # type: ignore[arg-type]
    if turn < STEPS:
        return ModelResponse(parts=[ToolCallPart("add", {"value": value}, tool_call_id=f"c{turn}")])
    return ModelResponse(parts=[TextPart(str(value + 1))])


def model() -> FunctionModel:
    """The scripted model."""
    return FunctionModel(answer, model_name="script")


async def measure_agent() -> Any:
    """One run through its own agent."""
    agent = Agent(model(), instructions="Count.")

    @agent.tool_plain
    async def add(value: int) -> int:
        """Add one."""
        return value + 1

    async def run(number: int) -> None:
        result = await agent.run(str(number))
        check(int(result.output), number)

    return run


async def measure_floor() -> Any:
    """One run through the model layer alone."""
    made = model()
    parameters = ModelRequestParameters(
        function_tools=[ToolDefinition(name="add", description="Add one.", parameters_json_schema=SCHEMA)]
    )

    async def run(number: int) -> None:
        messages: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(str(number))])]
        while True:
            response = await made.request(messages, None, parameters)
            messages.append(response)
            (part,) = response.parts
            if isinstance(part, TextPart):
                check(int(part.content), number)
                return
            assert isinstance(part, ToolCallPart)
            value = part.args_as_dict()["value"] + 1
            messages.append(ModelRequest(parts=[ToolReturnPart("add", value, tool_call_id=part.tool_call_id)]))

    return run


async def main() -> None:
    """Measure and report."""
    asked = arguments()
    kind = "floor" if asked.through == "floor" else "agent"
    run = await (measure_floor() if kind == "floor" else measure_agent())
    timing = await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)
    report(timing.figures(), settings=SETTINGS[kind], packages=("pydantic-ai-slim",))


if __name__ == "__main__":
    asyncio.run(main())
