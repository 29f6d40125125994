"""The loop of an agent: ask the model, call what it asks for, until it gives an output or has to stop.

Each turn and each call is a durable step of the run. The loop itself decides by nothing but their answers, so a replay
takes the same way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from parti.agents.conversation import Conversation
from parti.agents.notebook import Notebook
from parti.agents.overflow import Window, summary_note
from parti.agents.remote import tools_of
from parti.agents.toolbox import InvalidCall, Toolbox, arguments_of, canonical, cut, result_text, task_of
from parti.design.agent import Agent
from parti.design.graph import Design
from parti.design.llm import Llm
from parti.design.outcome import WORDS, Outcome, Reason
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.errors import BudgetSpent, PayloadError, StepFailed
from parti.ports.agents import Earlier
from parti.ports.context import Context, required
from parti.ports.llm import Answer, Answered, Returned, Said, Tell, ToolCall
from parti.ports.outputs import output_spec, value_in
from parti.ports.tool_server import Reply

CALLS_AT_ONCE: Final = 16
"""Calls that one turn may ask for; more are refused, and told so."""

TIMES: Final = 3
"""How often one tool may be called with the same arguments."""

UNABLE: Final = frozenset({"P305", "P308", "P310", "P702", "P710"})
"""Failures of a tool, or of an agent that is called like one, that are the program's own and not for the model to mend."""


async def work(
    design: Design,
    agent: Agent,
    task: str,
    *,
    tell: Tell | None,
    before: Earlier,
    so_far: Callable[[Outcome[Any]], None],
    summed: Callable[[Earlier], None],
) -> Outcome[Any]:
    """Implements ports.agents.AgentLoop."""
    return await _Work(design, agent, tell, so_far, summed).on(task, before)


@dataclass(slots=True)
class _Work:
    """One task under way."""

    design: Design
    agent: Agent
    tell: Tell | None
    so_far: Callable[[Outcome[Any]], None]
    summed: Callable[[Earlier], None]
    box: Toolbox = field(init=False)
    notes: Notebook = field(init=False)
    llm: Llm = field(init=False)
    talk: Conversation = field(init=False)
    window: Window | None = field(init=False)
    salt: str = ""
    """Mixed into idempotency keys, so that no other work shares them."""
    called: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    """How often each call was answered: the same call again is another effect, but one that failed is the same."""
    turns: int = 0
    usd: float = 0.0
    tokens: int = 0
    tokens_out: int = 0
    invalid: int = 0
    """Turns one after the other in which no call could be made."""
    repaired: int = 0
    text: str = ""

    async def on(self, task: str, before: Earlier) -> Outcome[Any]:
        """Turn after turn."""
        self.box = Toolbox.of(self.agent, self.design, await self._offered())
        self.llm = self.design.get(Llm, self.agent.llm)
        self.notes = Notebook.of(self.agent, self.design)
        tools = (*self.box.specs(), *self.notes.specs())
        self.talk = Conversation(tools, output_spec(self.agent.output, self.agent.about), self.agent.version)
        if self.agent.instructions:
            self.talk.add(Said("system", self.agent.instructions))
        if before.summary:
            self.talk.go_on(summary_note(before.summary))
        for asked, said in before.exchanges:
            self.talk.go_on(Said("user", asked), Answered(said))
        known = await self.notes.known(_here(), task)
        if known:
            self.talk.add(Said("user", known))
        self.talk.add(Said("user", task))
        self.window = Window.of(self.design, self.agent, self.talk, before, self._paid, self.summed)
        try:
            while self.turns < self.agent.turns:
                outcome = await self._turn()
                if outcome is not None:
                    return outcome
        except BudgetSpent as spent:
            return self._stopped(spent.limit)  # type: ignore[arg-type]
        return self._stopped("turns")

    async def _offered(self) -> dict[str, tuple[Tool, ...]]:
        """The tools of each tool server."""
        servers = [part for name in self.agent.tools if isinstance(part := self.design.by_name[name], ToolServer)]
        if servers:
            self.salt = _here().uuid().hex
        return {server.name: tools_of(server, await _here().offer(server)) for server in servers}

    async def _turn(self) -> Outcome[Any] | None:
        answer = await (self._asked() if self.window is None else self.window.ask(self._asked))
        self._count(answer)
        self.talk.add(answer.turn)
        if answer.finish == "refused":
            return self._stopped("refused")
        return await self._calls(answer.calls) if answer.calls else self._output(answer)

    async def _asked(self) -> Answer:
        request = self.talk.request(self.llm, self.llm.settings)
        digest, shown = self.talk.digest(), self.talk.shown()
        return await _here().consult(self.llm, request, digest=digest, shown=shown, tell=self.tell)

    def _count(self, answer: Answer) -> None:
        self.turns += 1
        self.text = answer.text or self.text
        self._paid(answer)

    def _paid(self, answer: Answer) -> None:
        self.usd += answer.usd or 0.0
        self.tokens += answer.tokens_in + answer.tokens_out
        self.tokens_out += answer.tokens_out
        self.so_far(self._stopped("seconds"))

    # Calls

    async def _calls(self, calls: tuple[ToolCall, ...]) -> Outcome[Any] | None:
        names = tuple(map(canonical, calls))
        self.called.update(names)
        if any(self.called[name] >= TIMES for name in names):
            return self._stopped("repeating")
        returned = await self._together(calls, names)
        for one, _ in returned:
            self.talk.add(one)
        self.invalid = self.invalid + 1 if all(invalid for _, invalid in returned) else 0
        return self._stopped("invalid calls") if self.invalid > 1 else None

    async def _together(self, calls: tuple[ToolCall, ...], names: tuple[str, ...]) -> list[tuple[Returned, bool]]:
        """What came of all calls, in their order. Each ends before an error of one of them is raised."""
        keys = self._keys(names)
        if len(calls) == 1:
            return [await self._call(calls[0], names[0], keys[0], 1)]
        each = zip(calls, names, keys, strict=True)
        made = (self._call(call, name, key, len(calls)) for call, name, key in each)
        ended = await asyncio.gather(*made, return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        return [one for one in ended if not isinstance(one, BaseException)]

    def _keys(self, names: tuple[str, ...]) -> list[str]:
        """An idempotency key for each call, the same in every replay."""
        before = {name: self.answered[name] for name in names}
        keys = []
        for name in names:
            keys.append(blake2b(f"{self.salt} {before[name]} {name}".encode(), digest_size=16).hexdigest())
            before[name] += 1
        return keys

    async def _call(self, call: ToolCall, name: str, key: str, count: int) -> tuple[Returned, bool]:
        """What came of a call, and whether it could not be made at all."""
        try:
            if count > CALLS_AT_ONCE:
                raise InvalidCall(f"{count} calls at once are too many: at most {CALLS_AT_ONCE}")
            text, failed = await self._answer(call, name, key)
            return Returned(call.id, call.name, text, failed), False
        except InvalidCall as wrong:
            return Returned(call.id, call.name, f"error: {wrong}", failed=True), True
        except StepFailed as failure:
            if failure.code in UNABLE:
                raise
            return Returned(call.id, call.name, cut(f"error: {failure.what}"), failed=True), False

    async def _answer(self, call: ToolCall, name: str, key: str) -> tuple[str, bool]:
        """What came of a call, and whether a tool server says that it failed."""
        if self.notes.has(call):
            return await self.notes.answer(_here(), call), False
        part = self.box.part(call)
        if isinstance(part, Agent):
            outcome = await _here().work(part, task_of(call))
            if not outcome.done:
                return f"it stopped: {WORDS[outcome.reason]}. So far: {outcome.text}", False
            return cut(part.output.encode(outcome.output).decode()), False
        value = await _here().perform(part, arguments_of(part, call, key))
        self.answered[name] += 1
        return result_text(part, value), isinstance(value, Reply) and value.failed

    # Output

    def _output(self, answer: Answer) -> Outcome[Any] | None:
        wrong = ""
        try:
            if answer.finish == "length":
                wrong = f"your answer was cut off after {answer.tokens_out} tokens: give a shorter one"
            else:
                return self._ended(value_in(self.agent.output, answer.text))
        except PayloadError as misfit:
            wrong = f"this is no valid answer: {misfit.what}. Answer again, with nothing but the corrected JSON."
        if self.repaired >= self.agent.repairs:
            return self._stopped("invalid output")
        self.repaired += 1
        self.talk.add(Said("user", wrong))
        return None

    def _ended(self, output: Any) -> Outcome[Any]:
        return Outcome(output, "done", self.text, self.turns, self.usd, self.tokens, self.tokens_out)

    def _stopped(self, reason: Reason) -> Outcome[Any]:
        return Outcome(None, reason, self.text, self.turns, self.usd, self.tokens, self.tokens_out)


def _here() -> Context:
    """The branch of the run that this code is in: calls at once are branches of their own."""
    return required("an agent")
