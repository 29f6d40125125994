"""The shape of a request: its tools, and the way in which the model is made to answer with JSON."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelResponsePart, TextPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

from parti.adapters.llm.messages import call_of
from parti.ports.llm import OutputSpec, Request, ToolSpec

Mode = Literal["native", "tool", "prompted"]

MODES: Final[tuple[Mode, ...]] = ("native", "tool", "prompted")
"""Ways to JSON, the most reliable first: a schema that the provider enforces, the arguments of a call, and a plea."""

SHAPES_MAX: Final = 16
"""How many shapes are remembered; an agent has one or two."""

FENCED: Final = re.compile(r"\A\s*```\w*\s*\n(.*?)\s*```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shape:
    """Tools and output as the model takes them. `carrier` is the tool whose arguments are the output, if one is."""

    tools: tuple[ToolSpec, ...]
    output: OutputSpec | None
    carrier: str
    parameters: ModelRequestParameters

    def unwrap(self, parts: Sequence[ModelResponsePart]) -> list[ModelResponsePart]:
        """The parts as if the output had come as text. They are also kept so, since nobody returns from the carrier.

        Where the model calls tools beside it, it has not seen what they return: the output is dropped.
        """
        calls = [part for part in parts if isinstance(part, ToolCallPart)]
        carried = [call for call in calls if self.carrier and call.tool_name == self.carrier]
        if not carried:
            return list(parts)
        rest = [part for part in parts if part not in carried]
        if len(carried) < len(calls):
            return rest
        return [part for part in rest if not isinstance(part, TextPart)] + [TextPart(call_of(carried[0]).arguments)]

    def clean(self, text: str) -> str:
        """The JSON text of the output: models that are only asked for it like to put it in a fence."""
        fenced = FENCED.match(text) if self.output else None
        return fenced.group(1) if fenced else text


class Shapes:
    """The shapes of one model's requests, each worked out once."""

    def __init__(self, model: Model[Any]) -> None:
        self._model = model
        self._known: deque[Shape] = deque(maxlen=SHAPES_MAX)

    def of(self, request: Request) -> Shape:
        """The shape of `request`. Raises UserError where the model takes no such request."""
        for shape in self._known:
            if shape.tools == request.tools and shape.output == request.output:
                return shape
        shape = self._work_out(request)
        self._known.append(shape)
        return shape

    def _work_out(self, request: Request) -> Shape:
        """The first mode that the model does not refuse: it knows best what goes with what."""
        if request.output is None:
            return Shape(request.tools, None, "", ModelRequestParameters(function_tools=_definitions(request)))
        refusals: list[UserError] = []
        for mode in MODES:
            if mode == "native" and request.tools and self._is_either_or():
                continue
            shape = _with_output(request, request.output, mode)
            try:
                self._model.prepare_request(None, shape.parameters)
            except UserError as refusal:
                refusals.append(refusal)
            else:
                return shape
        raise refusals[0]

    def _is_either_or(self) -> bool:
        """Whether the model takes a schema or tools, not both; Google's older ones only say so when they are asked."""
        return "google" in self._model.system and not self._model.profile.get("google_supports_tool_combination")


def _with_output(request: Request, output: OutputSpec, mode: Mode) -> Shape:
    tools = _definitions(request)
    if mode == "tool":
        carrier = _free_name({tool.name for tool in request.tools})
        about = output.about or "The final answer."
        final = ToolDefinition(
            name=carrier, parameters_json_schema=dict(output.schema), description=about, kind="output"
        )
        parameters = ModelRequestParameters(
            function_tools=tools, output_mode="tool", output_tools=[final], allow_text_output=False
        )
        return Shape(request.tools, output, carrier, parameters)
    wanted = OutputObjectDefinition(dict(output.schema), _name(output.name), output.about or None)
    parameters = ModelRequestParameters(function_tools=tools, output_mode=mode, output_object=wanted)
    return Shape(request.tools, output, "", parameters)


def _definitions(request: Request) -> list[ToolDefinition]:
    return [
        ToolDefinition(name=tool.name, parameters_json_schema=dict(tool.schema), description=tool.about)
        for tool in request.tools
    ]


def _free_name(taken: set[str]) -> str:
    name = "final_result"
    while name in taken:
        name += "_"
    return name


def _name(text: str) -> str:
    """A name that every provider takes: letters, digits, `_` and `-`, at most 64."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:64] or "output"
