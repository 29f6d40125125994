"""What a system declares of what is learned: models, language models and agents."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar
from urllib.parse import urlparse

from parti.declare.agent_handles import AgentHandle, LlmHandle
from parti.declare.declaring import Declaring, at_once, caller, placed
from parti.declare.exposing import endpoint_for, exposures_of
from parti.declare.handles import ModelHandle, PartHandle, StepHandle, part_of
from parti.declare.types import code_digest, payload_of, summary
from parti.design.agent import Agent
from parti.design.budget import Budget
from parti.design.exposure import EXPOSURES, Exposure
from parti.design.features import features_of
from parti.design.llm import Llm, Price
from parti.design.model import Model
from parti.errors import DeclarationError
from parti.units import seconds

T = TypeVar("T")
K = TypeVar("K")


class Intelligent(Declaring):
    """Parts whose answers were learned rather than written."""

    @placed
    def model(
        self,
        name: str,
        *,
        inputs: type[K],
        output: type[T],
        train: Callable[[], Any] | None = None,
        evaluate: Callable[..., Any] | None = None,
        timeout: str | float = "30s",
    ) -> ModelHandle[K, T]:
        """A model from `inputs` to `output`. `train()` returns a fitted scikit-learn estimator, ONNX bytes or a Training.

        `evaluate(predict)` returns named metrics, measured on the version exactly as it will be served.
        """
        place = self._at(caller())
        part = Model(
            name=name,
            place=place,
            inputs=payload_of(inputs, place=place, what=f"the inputs of `{name}`"),
            output=payload_of(output, place=place, what=f"the output of `{name}`"),
            timeout=seconds(timeout),
            train=train,
            evaluate=evaluate,
            digest=code_digest(train.__code__) if inspect.isfunction(train) else "",
            about=summary(train) if train else "",
        )
        features_of(part)
        return ModelHandle(self._add(part))

    @placed
    def llm(
        self,
        target: str,
        *,
        model: str = "",
        name: str | None = None,
        fallbacks: Sequence[LlmHandle] = (),
        timeout: str | float = "60s",
        attempts: int = 3,
        per_minute: float | None = None,
        concurrency: int = 8,
        price: Price | None = None,
        context: int | None = None,
        max_tokens: int = 1024,
        settings: Mapping[str, Any] | None = None,
        region: str = "",
        processor: str = "",
        cache: bool = False,
    ) -> LlmHandle:
        """A language model: ``"local"``, ``"provider:model"``, or the URL of an OpenAI-compatible server and its `model`.

        A call that fails is tried `attempts` times, then the `fallbacks` are asked in turn. `per_minute` and `concurrency`
        bound the calls of all runs together, fairly between their keys. `price` is for a million tokens in and out,
        `context` the size of its window in tokens, `max_tokens` the longest answer. `settings` go to the model
        (``temperature``, ``seed``, ...). With `cache`, equal requests are answered from memory. `region` and `processor` say
        where, and by whom, data is processed.
        """
        place = self._at(caller())
        if attempts < 1 or max_tokens < 1 or (per_minute is not None and per_minute <= 0):
            raise DeclarationError("P105", "attempts, max_tokens and per_minute are at least 1", fix="give more")
        if target.startswith(("http://", "https://")) and not model:
            raise DeclarationError("P105", f"{target} does not say which model", fix='add model="its-name"')
        others = tuple(part_of(other, LlmHandle, what="a fallback").name for other in fallbacks)
        part = Llm(
            name=name or _name_of(target, model), place=place, target=target, model=model, fallbacks=others,
            timeout=seconds(timeout), attempts=attempts, per_minute=per_minute, concurrency=at_once(concurrency),
            price=price, context=context, max_tokens=max_tokens, settings=dict(settings or {}), region=region,
            processor=processor, cache=cache,
        )  # fmt: skip
        self._add(part)
        for other in others:
            self._arrow(part.name, "calls", other, place, may=True)
        return LlmHandle(part)

    @placed
    def agent(
        self,
        name: str,
        *,
        llm: LlmHandle,
        instructions: str | Callable[..., Any] = "",
        tools: Sequence[PartHandle] = (),
        output: type[T] = str,  # type: ignore[assignment]
        budget: Budget | None = None,
        turns: int = 10,
        repairs: int = 2,
        expose: Collection[Exposure] = (),
    ) -> AgentHandle[T]:
        """Works on a task in turns of `llm`, calling `tools` (tools, steps, other agents), until it has an `output`.

        `instructions` are a text, or a function whose docstring they are. `turns` bounds the answers of the model for one
        task; an output that does not fit is given back to it `repairs` times. What it spends is bounded by `budget`, and by
        the budgets around it. `expose` offers it to programs outside: as a tool of MCP (``"mcp"``), as an agent of A2A
        (``"a2a"``), as a model of an OpenAI-compatible server (``"openai"``).
        """
        place = self._at(caller())
        if turns < 1 or repairs < 0:
            raise DeclarationError("P105", f"{turns} turns, {repairs} repairs", fix="give at least one turn")
        asked: Llm = part_of(llm, LlmHandle, what=f"the llm of `{name}`")
        names = tuple(_callable_by_agents(tool, name) for tool in tools)
        text = instructions if isinstance(instructions, str) else inspect.getdoc(instructions) or ""
        part = Agent(
            name=name, place=place, llm=asked.name, tools=names, instructions=text, version=_version(text),
            output=payload_of(output, place=place, what=f"the output of `{name}`"), budget=budget, turns=turns,
            repairs=repairs, expose=exposures_of(expose, EXPOSURES, f"`{name}`"), about=text.split("\n", 1)[0][:200],
        )  # fmt: skip
        self._add(part)
        self._arrow(name, "calls", asked.name, place)
        for tool in names:
            self._arrow(name, "calls", tool, place, may=True)
        handle: AgentHandle[T] = AgentHandle(part)
        if part.expose:
            served = endpoint_for(handle, output, root=self.root)
            self._add(served)
            self._arrow(served.name, "calls", name, place)
        return handle


def _callable_by_agents(tool: object, agent: str) -> str:
    if isinstance(tool, StepHandle | AgentHandle):
        return tool.name
    raise DeclarationError(
        "P106", f"a tool of `{agent}` is {tool!r}", fix="pass what `@desk.tool`, `@desk.step` or `desk.agent` returned"
    )


def _name_of(target: str, model: str) -> str:
    """A name for a model that was given none: its own, without who provides it."""
    if target.startswith(("http://", "https://")):
        return f"{urlparse(target).netloc}:{model}"
    return target.partition(":")[2] or target


def _version(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()
