"""Exposed parts as every protocol calls them: within a bound, and each text told once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from pydantic_core import from_json, to_json

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.exposure import Exposure
from parti.design.payload import Payload
from parti.errors import CODES, Overloaded, PartiError, PayloadError, RunError
from parti.ports.operations import Operations, Outcome, run_of_call
from parti.serve.refusals import status_of

LOG: Final = logging.getLogger("parti")


def exposed(operations: Operations, protocol: Exposure) -> list[Exposed]:
    """What is exposed by a protocol, in the order of declaration."""
    found = (endpoint for endpoint in operations.design.all(Endpoint) if protocol in endpoint.expose)
    return [Exposed(endpoint, operations) for endpoint in found]


class Exposed:
    """One endpoint that programs outside may call. At most `Endpoint.concurrency` calls are under way at a time."""

    def __init__(self, endpoint: Endpoint, operations: Operations) -> None:
        self.endpoint = endpoint
        self.name = endpoint.agent or endpoint.name
        """By which it is known outside."""
        self.operations = operations
        self._active = 0

    @property
    def output(self) -> Payload:
        """What it gives: the output of the agent, or what the endpoint returns."""
        if self.endpoint.agent:
            return self.operations.design.get(Agent, self.endpoint.agent).output
        return self.endpoint.function.returns

    def enter(self) -> None:
        """Count a call, from before its body is read where that can be. Raises Overloaded (P503)."""
        if self._active >= self.endpoint.concurrency:
            said = f"`{self.name}` answers {self._active} calls already"
            raise Overloaded("P503", said, fix="try again soon")
        self._active += 1

    def leave(self) -> None:
        """A call is over."""
        self._active -= 1

    def run(self, tenant: str, key: str) -> str:
        """The id of the run of a call."""
        return run_of_call(self.endpoint.name, tenant, key)

    def key_of(self, run: str, tenant: str) -> str | None:
        """The idempotency key of a run; None when it is of another endpoint or tenant."""
        before = self.run(tenant, "")
        rest = run.removeprefix(before)
        # Keys are quoted: an @ stands behind a tenant alone.
        return None if rest == run or not rest or "@" in rest else unquote(rest)

    async def call(
        self,
        arguments: Sequence[Any],
        *,
        key: str,
        tenant: str,
        tell: Callable[[str], None] | None = None,
        begun: Callable[[], None] | None = None,
    ) -> Outcome:
        """Call it. `tell` is given each text once; `begun` is called once an agent is at work.

        Raises what Operations.call does, and P307 for what nobody expected: SDKs would tell callers what it says.
        """
        try:
            return await self._call(arguments, key, tenant, tell, begun)
        except PartiError as wrong:
            if not wrong.run and status_of(wrong) == 500:
                # With a run, the journal has the reason; without one, the log is the only place for it.
                LOG.error("`%s` failed: %s", self.name, wrong)
            raise
        except Exception as bug:
            LOG.error("`%s` failed", self.name, exc_info=bug)
            raise RunError("P307", CODES["P307"]) from bug

    async def _call(
        self,
        arguments: Sequence[Any],
        key: str,
        tenant: str,
        tell: Callable[[str], None] | None,
        begun: Callable[[], None] | None,
    ) -> Outcome:
        name = self.endpoint.name
        if self.endpoint.durable:
            heard = Once(tell, begun) if tell is not None and self.endpoint.agent else tell
            return await self.operations.call(name, arguments, idempotency_key=key, tenant=tenant, tell=heard)
        try:
            return Outcome("", await self.operations.answer_plain(name, arguments, tenant=tenant), False)
        except PayloadError as wrong:
            # The arguments were checked, so it is the endpoint's own code that met a value that does not fit.
            LOG.error("`%s` failed: %s", self.name, wrong)
            raise RunError("P307", CODES["P307"]) from wrong


@dataclass(slots=True)
class Once:
    """Passes each text of an agent on once, though a run that is started again tells it again, perhaps in other pieces.

    An empty text says that all is told from the beginning. Who came later than that hears nothing until it is.
    """

    tell: Callable[[str], None]
    begun: Callable[[], None] | None = None
    _passed: int = field(default=0, init=False)
    _at: int | None = field(default=None, init=False)

    def __call__(self, text: str) -> None:
        if not text:
            self._at = 0
            if self.begun is not None:
                self.begun()
        if self._at is None:
            return
        fresh = text[max(0, self._passed - self._at) :]
        self._at += len(text)
        if fresh:
            self._passed += len(fresh)
            self.tell(fresh)


@dataclass(frozen=True, slots=True)
class Work:
    """What came of the call of an agent."""

    output: Any
    """As JSON values."""
    tokens_in: int
    tokens_out: int
    usd: float

    @staticmethod
    def of(outcome: Outcome) -> Work:
        """Out of the result of its endpoint."""
        facts = from_json(outcome.result)
        return Work(facts["output"], facts["tokens"] - facts["tokens_out"], facts["tokens_out"], facts["usd"])

    @property
    def text(self) -> str:
        """The output as a text: as it is, or as JSON."""
        return text_of(self.output)


def left_of(output: str, sent: str) -> str:
    """What is still to be sent of an output, when this much was. Before the output may stand what the agent said on its way."""
    if output.startswith(sent):
        return output[len(sent) :]
    return "" if sent.strip().endswith(output.strip()) else f"\n\n{output}"


def text_of(value: Any) -> str:
    """A text as it is, everything else as JSON."""
    return value if isinstance(value, str) else to_json(value).decode()


def worded(said: dict[str, Any]) -> str:
    """A problem in one sentence, with its permanent code."""
    return f"{said['error']} ({said['code']}" + (f"; try: {said['try']})" if "try" in said else ")")
