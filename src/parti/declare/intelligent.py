"""What a system declares of what is learned: models, language models, agents and memories."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlparse

from parti.declare.agent_handles import AgentHandle, LlmHandle, MemoryHandle, ToolServerHandle
from parti.declare.declaring import at_once, caller, placed
from parti.declare.exposing import endpoint_for, exposures_of
from parti.declare.handles import ModelHandle, PartHandle, StepHandle, part_of
from parti.declare.labelling import Given, tags_of
from parti.declare.options import refuse_unless, refuse_unless_given, refuse_unless_listed
from parti.declare.overflowing import overflow_of
from parti.declare.prompts import template_of
from parti.declare.servers import Serving
from parti.declare.types import code_digest, payload_of, summary
from parti.design.addresses import shown_address
from parti.design.agent import Agent, first_line, name_for_model
from parti.design.batch import Batch
from parti.design.budget import Budget
from parti.design.exposure import EXPOSURES, Exposure
from parti.design.features import features_of
from parti.design.gate import Gate
from parti.design.llm import Llm, Price
from parti.design.memory import CHARACTERS_MAX, FACTS_MAX, Memory, WhenFull
from parti.design.model import Model
from parti.design.overflow import Overflow, Summarise
from parti.design.places import Place
from parti.design.prompt import Prompt, Template, version_of_text
from parti.design.tool_server import ToolServer
from parti.errors import DeclarationError
from parti.units import seconds

SESSIONS_MAX: Final = 1_000
"""Exchanges that an agent may be shown: they are read, and sent, with each task."""

T = TypeVar("T")
K = TypeVar("K")


class Intelligent(Serving):
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
        use: str = "",
        clearance: Given = (),
        concurrency: int | None = None,
        batch: Batch | None = None,
    ) -> ModelHandle[K, T]:
        """A model from `inputs` to `output`. `train()` returns a fitted scikit-learn estimator, ONNX bytes or a Training.

        `evaluate(predict)` returns named metrics, measured on the version exactly as it will be served. At most `concurrency`
        predictions are made at once (None: any number); with a `batch`, those of several runs are made together. `use` says
        what it is meant for, and what not; `clearance` which labels it may be given.
        """
        place = self._at(caller())
        refuse_unless_given(Batch, 'write Batch(32, linger="5ms")', batch=batch)
        part = Model(
            name=name,
            place=place,
            inputs=payload_of(inputs, place=place, what=f"the inputs of `{name}`"),
            output=payload_of(output, place=place, what=f"the output of `{name}`"),
            timeout=seconds(timeout),
            concurrency=None if concurrency is None else at_once(concurrency),
            batch=batch,
            train=train,
            evaluate=evaluate,
            digest=code_digest(train.__code__) if inspect.isfunction(train) else "",
            about=summary(train) if train else "",
            use=use,
            clearance=tags_of(clearance, "clearance"),
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
        clearance: Given = (),
        gate: Gate | None = None,
    ) -> LlmHandle:
        """A language model: ``"local"``, ``"provider:model"``, or the URL of an OpenAI-compatible server and its `model`.

        A call that fails is tried `attempts` times, then the `fallbacks` are asked in turn. `per_minute` and `concurrency`
        bound the calls of all runs together, fairly between their keys. `price` is for a million tokens in and out,
        `context` the size of its window in tokens, `max_tokens` the longest answer. `settings` go to the model
        (``temperature``, ``seed``, ...). With `cache`, equal requests are answered from memory. `region` and `processor` say
        where, and by whom, data is processed; `clearance` which labels it may be given, and `gate` what is done where it
        would be given others.
        """
        place = self._at(caller())
        refuse_unless(
            str, "write a text", target=target, model=model, name=name or "", region=region, processor=processor
        )
        refuse_unless(int, "give a whole number from 1 on", attempts=attempts, max_tokens=max_tokens)
        refuse_unless_given((int, float), "give a number above 0", per_minute=per_minute)
        refuse_unless_given(int, "give a number of tokens", context=context)
        refuse_unless_given(Price, "write Price(input=0.15, output=0.6)", price=price)
        refuse_unless_given(Mapping, 'write {"temperature": 0.2}', settings=settings)
        refuse_unless_given(Gate, 'write Gate("mask")', gate=gate)
        refuse_unless_listed("write fallbacks=[other]", fallbacks=fallbacks)
        if attempts < 1 or max_tokens < 1 or (per_minute is not None and per_minute <= 0):
            raise DeclarationError("P105", "attempts, max_tokens and per_minute are at least 1", fix="give more")
        if context is not None and context < 1:
            raise DeclarationError("P105", f"context={context} has room for nothing", fix="give a number of tokens")
        if target.startswith(("http://", "https://")) and not model:
            raise DeclarationError(
                "P105", f"{shown_address(target)} does not say which model", fix='add model="its-name"'
            )
        others = tuple(self._own(other, LlmHandle, "a fallback").name for other in fallbacks)
        part = Llm(
            name=name or _name_of(target, model), place=place, target=target, model=model, fallbacks=others,
            timeout=seconds(timeout), attempts=attempts, per_minute=per_minute, concurrency=at_once(concurrency),
            price=price, context=context, max_tokens=max_tokens, settings=dict(settings or {}), region=region,
            processor=processor, cache=cache, clearance=tags_of(clearance, "clearance"), gate=gate,
        )  # fmt: skip
        self._add(part)
        if gate is not None and gate.who:
            self._arrow(part.name, "asks", gate.who, place)
        for other in others:
            self._arrow(part.name, "calls", other, place, may=True)
        return LlmHandle(part)

    @placed
    def agent(
        self,
        name: str,
        *,
        llm: LlmHandle,
        instructions: str | Callable[..., Any] | Prompt = "",
        tools: Sequence[PartHandle] = (),
        output: type[T] = str,  # type: ignore[assignment]
        budget: Budget | None = None,
        turns: int = 10,
        repairs: int = 2,
        memory: MemoryHandle | None = None,
        sessions: int = 0,
        overflow: Overflow | None = None,
        expose: Collection[Exposure] = (),
    ) -> AgentHandle[T]:
        """Works on a task in turns of `llm`, calling `tools` (tools, steps, other agents, servers of tools), until it has an `output`.

        `instructions` are a text, a function whose docstring they are, or a Prompt in a file of its own. `turns` bounds the
        answers of the model for one task; an output that does not fit is given back to it `repairs` times. What it spends is
        bounded by `budget`, and by the budgets around it. From its `memory` it recalls what is known of the run's key before
        its first turn, and it may remember and recall more. Of earlier tasks under the same key it is shown the latest `sessions`. What
        gives way to a request larger than the context window says `overflow`: Truncate() or Summarise(). `expose` offers it to programs outside: as a tool of MCP (``"mcp"``), as an
        agent of A2A (``"a2a"``), as a model of an OpenAI-compatible server (``"openai"``).
        """
        place = self._at(caller())
        refuse_unless(int, "give a whole number", turns=turns, repairs=repairs, sessions=sessions)
        refuse_unless_listed("write tools=[look, post]", tools=tools)
        refuse_unless_given(Budget, "write Budget(usd=0.5, tokens=50_000)", budget=budget)
        if not callable(instructions):
            fix = "give a text, a function with a docstring, or a Prompt"
            refuse_unless((str, Prompt), fix, instructions=instructions)
        refuse_unless(Collection, 'write expose=("mcp",)', expose=expose)
        if turns < 1 or repairs < 0 or not 0 <= sessions <= SESSIONS_MAX:
            said = f"{turns} turns, {repairs} repairs, {sessions} sessions"
            raise DeclarationError("P105", said, fix=f"give at least one turn, and at most {SESSIONS_MAX} sessions")
        asked: Llm = self._own(llm, LlmHandle, f"the llm of `{name}`")
        names = tuple(_callable_by_agents(tool, name) for tool in tools)
        for given in tools:
            self._own(given, PartHandle, f"a tool of `{name}`")
        kept = None if memory is None else self._own(memory, MemoryHandle, f"the memory of `{name}`").name
        self._refuse_equal_names([name for name in names if not isinstance(self._parts.get(name), ToolServer)], kept)
        declared = overflow_of(overflow, name, asked, self._parts)
        text, template = self._instructions(instructions, place, name)
        version = version_of_text(template.text if template else text)
        part = Agent(
            name=name, place=place, llm=asked.name, tools=names, instructions=text, version=version,
            output=payload_of(output, place=place, what=f"the output of `{name}`"), budget=budget, turns=turns,
            repairs=repairs, memory=kept or "", sessions=sessions, overflow=declared,
            expose=exposures_of(expose, EXPOSURES, f"`{name}`"), about=first_line(text), template=template,
        )  # fmt: skip
        self._add(part)
        self._arrow(name, "calls", asked.name, place)
        for tool in names:
            self._arrow(name, "calls", tool, place, may=True)
        if isinstance(declared, Summarise) and declared.by != asked.name:
            self._arrow(name, "calls", declared.by, place, may=True)
        if kept:
            self._arrow(name, "reads", kept, place)
            self._arrow(name, "writes", kept, place, may=True)
        handle: AgentHandle[T] = AgentHandle(part)
        if part.expose:
            served = endpoint_for(handle, output, root=self.root)
            self._add(served)
            self._arrow(served.name, "calls", name, place)
        return handle

    @placed
    def memory(
        self,
        name: str,
        *,
        retain: str | float | None = None,
        facts: int = 1_000,
        characters: int = 4_000,
        when_full: WhenFull = "oldest goes",
        shared: bool = False,
    ) -> MemoryHandle:
        """Facts that runs remember under their key, and recall by meaning; and what happened to the runs of a key.

        `retain` is how long facts are kept (None: until they are forgotten), `facts` how many there may be under one key,
        `characters` how long each may be. Of a full scope the ``"oldest goes"``, or it is to ``"refuse"`` more. In a `shared`
        memory runs name scopes as they like; else each reads and writes the facts of its own key.
        """
        place = self._at(caller())
        refuse_unless(int, "give a whole number", facts=facts, characters=characters)
        if not (1 <= facts <= FACTS_MAX and 1 <= characters <= CHARACTERS_MAX):
            raise DeclarationError(
                "P105", f"{facts} facts of {characters} characters",
                fix=f"keep 1 to {FACTS_MAX} facts of 1 to {CHARACTERS_MAX} characters",
            )  # fmt: skip
        if when_full not in ("oldest goes", "refuse"):
            raise DeclarationError("P105", f"when_full={when_full!r}", fix='write "oldest goes" or "refuse"')
        part = Memory(
            name=name, place=place, retain=None if retain is None else seconds(retain), facts=facts,
            characters=characters, when_full=when_full, shared=shared,
        )  # fmt: skip
        return MemoryHandle(self._add(part))

    def _own(self, thing: object, kind: type[PartHandle], what: str) -> Any:
        """The part behind a handle of this system. Raises P106 for another's, which no run of this one could reach."""
        part = part_of(thing, kind, what=what)
        if self._parts.get(part.name) is not part:
            said = f"{what} is `{part.name}` of another system"
            raise DeclarationError("P106", said, fix="declare it in this system, or call the other over HTTP")
        return part

    def _refuse_equal_names(self, tools: Sequence[str], memory: str | None) -> None:
        """Raise P104 for tools that a model would know by one name. (Tools of servers give way when they are offered.)"""
        known: dict[str, str] = {}
        for name in tools:
            shown = name_for_model(name)
            if memory and shown in ("remember", "recall"):
                raise DeclarationError(
                    "P104", f"`{shown}` is a tool of every agent with a memory", fix=f"rename `{name}`"
                )
            if known.setdefault(shown, name) != name:
                raise DeclarationError(
                    "P104", f"a model knows both `{known[shown]}` and `{name}` as {shown!r}", fix="rename one of them"
                )

    def _instructions(
        self, given: str | Callable[..., Any] | Prompt, place: Place, agent: str
    ) -> tuple[str, Template | None]:
        """The text, and the template where it has a file of its own; defaults are put in where all variables have one."""
        if not isinstance(given, Prompt):
            return given if isinstance(given, str) else inspect.getdoc(given) or "", None
        template = template_of(given, root=self.root, place=place, agent=agent)
        return template.unfilled, template


def _callable_by_agents(tool: object, agent: str) -> str:
    if isinstance(tool, AgentHandle):
        _refuse_needy(tool.part, agent)
    if isinstance(tool, StepHandle | AgentHandle | ToolServerHandle):
        return tool.name
    raise DeclarationError(
        "P106",
        f"a tool of `{agent}` is {tool!r}",
        fix="pass what `@desk.tool`, `@desk.step`, `desk.agent`, `desk.mcp` or `desk.openapi` returned",
    )


def _name_of(target: str, model: str) -> str:
    """A name for a model that was given none: its own, without who provides it."""
    if target.startswith(("http://", "https://")):
        return f"{urlparse(shown_address(target)).netloc}:{model}"
    return target.partition(":")[2] or target


def _refuse_needy(tool: Agent, agent: str) -> None:
    """Raise P106 for an agent that needs variables: a model that calls it gives it a task alone."""
    if tool.template and tool.template.variables and tool.template.variables.schema.get("required"):
        needed = ", ".join(tool.template.variables.schema["required"])
        raise DeclarationError(
            "P106", f"`{agent}` cannot call `{tool.name}`, whose prompt needs {needed}",
            fix="give those variables defaults",
        )  # fmt: skip
