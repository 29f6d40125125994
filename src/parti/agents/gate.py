"""The gate to the language models: retries, fallbacks, timeouts, rates and the cache, the same for every provider."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from parti.agents.requests import canonical_request
from parti.agents.tokens import tokens_in
from parti.design.goals import Retry
from parti.design.graph import Design
from parti.design.llm import LOCAL, Llm
from parti.errors import LlmError
from parti.line import Line
from parti.ports.chance import Chance
from parti.ports.clock import Clock
from parti.ports.llm import Again, Answer, LlmFailure, PriceList, Provider, Request, Tell, Waited
from parti.units import duration_text

CACHED: Final = 1_000
"""Answers of one model that are remembered."""

WAIT_MAX: Final = 120.0
"""The longest that a provider's "come back later" is heeded, in seconds."""

BACKOFF: Final = Retry(2, first="500ms", longest="20s")


@dataclass(frozen=True, slots=True)
class _How:
    """For whom a request is sent, and who is told what; see ports.llm.Llms."""

    key: Hashable
    tell: Tell | None
    again: Again | None
    waited: Waited | None


class Gate:
    """Implements ports.llm.Llms over one provider for each declared model, made when it is first asked."""

    def __init__(
        self,
        design: Design,
        make: Callable[[Llm], Provider],
        clock: Clock,
        chance: Chance,
        listed: PriceList = lambda *_: None,
    ) -> None:
        self._design = design
        self._make = make
        self._clock = clock
        self._chance = chance
        self._listed = listed
        self._providers: dict[str, Provider] = {}
        self._lines: dict[str, Line] = {}
        self._cached: dict[str, OrderedDict[str, Answer]] = {}

    async def answer(
        self,
        llm: Llm,
        request: Request,
        *,
        key: Hashable,
        tell: Tell | None = None,
        again: Again | None = None,
        waited: Waited | None = None,
    ) -> Answer:
        """See ports.llm.Llms."""
        how = _How(key, tell, again, waited)
        failures: list[tuple[Llm, LlmFailure]] = []
        for one in self._in_turn(llm):
            try:
                if failures:
                    await _once_more(failures[-1][1], again)
                return await self._by(one, request, how)
            except LlmFailure as failure:
                failures.append((one, failure))
                if isinstance(failure, _Told):
                    break
        raise _error(llm, failures)

    def reserve_for(self, llm: Llm, request: Request) -> tuple[float | None, int]:
        """See ports.llm.Llms."""
        sent = tokens_in(request)
        costs = [self._cost_of(one, sent, request.max_tokens) for one in self._in_turn(llm)]
        known = [cost for cost in costs if cost is not None]
        return max(known) if len(known) == len(costs) else None, sent + request.max_tokens

    def _cost_of(self, llm: Llm, tokens_in: int, tokens_out: int) -> float | None:
        """By the declared price, else by the list; None where neither knows."""
        if llm.price is not None:
            return llm.price.of(tokens_in, tokens_out)
        return 0.0 if llm.target == LOCAL else self._listed(llm, tokens_in, tokens_out)

    async def close(self) -> None:
        """See ports.llm.Llms."""
        for provider in self._providers.values():
            await provider.close()
        self._providers.clear()

    def _in_turn(self, llm: Llm) -> Iterator[Llm]:
        yield llm
        yield from (self._design.get(Llm, name) for name in llm.fallbacks)

    async def _by(self, llm: Llm, request: Request, how: _How) -> Answer:
        """The answer of one model, from its cache, or by asking it as often as may be."""
        if not llm.cache:
            return await self._insist(llm, request, how)
        cached = self._cached.setdefault(llm.name, OrderedDict())
        name = sha256(canonical_request(llm, request)).hexdigest()
        if name in cached:
            cached.move_to_end(name)
            found = replace(cached[name], usd=0.0, tokens_in=0, tokens_out=0, first=0.0, took=0.0)
            if how.tell is not None and found.text:
                how.tell(found.text)
            return found
        answer = cached[name] = await self._insist(llm, request, how)
        if len(cached) > CACHED:
            cached.popitem(last=False)
        return answer

    async def _insist(self, llm: Llm, request: Request, how: _How) -> Answer:
        for attempt in range(1, llm.attempts + 1):
            try:
                return await self._once(llm, request, how)
            except _Told:
                raise
            except LlmFailure as failure:
                if failure.lasting or attempt == llm.attempts:
                    raise
                backoff = BACKOFF.wait_before(attempt + 1, self._chance.random())
                await self._clock.wait(max(min(failure.wait, WAIT_MAX), backoff))
                await _once_more(failure, how.again)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, llm: Llm, request: Request, how: _How) -> Answer:
        """Ask once, when it is the key's turn, and for no longer than the model may take."""
        told = _Telling(how.tell) if how.tell is not None else None
        line = self._lines.setdefault(llm.name, Line(llm.concurrency, llm.per_minute, self._clock))
        waited = await line.enter(how.key)
        if how.waited is not None:
            how.waited(waited)
        try:
            async with asyncio.timeout(llm.timeout) as limit:
                answer = await self._provider(llm).answer(llm, request, tell=told)
        except TimeoutError as late:
            if not limit.expired():
                raise
            said = f"`{llm.name}` did not answer within {duration_text(llm.timeout)}"
            raise _kind(told)("P701", said, fix="raise timeout=, or ask for less", paid=True) from late
        except LlmFailure as failure:
            if told is not None and told.any:
                raise _Told(
                    failure.code, failure.what, lasting=failure.lasting, fix=failure.fix, paid=True
                ) from failure
            raise
        finally:
            line.leave()
        if llm.price is not None:
            answer = replace(answer, usd=llm.price.of(answer.tokens_in, answer.tokens_out))
        return answer

    def _provider(self, llm: Llm) -> Provider:
        if llm.name not in self._providers:
            self._providers[llm.name] = self._make(llm)
        return self._providers[llm.name]


class _Told(LlmFailure):
    """It failed after a part of its answer was told: asking again would tell another beginning."""


class _Telling:
    """Tells, and remembers that it did."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.any = False

    def __call__(self, piece: str) -> None:
        self.any = True
        self._tell(piece)


async def _once_more(failure: LlmFailure, again: Again | None) -> None:
    """A request is about to follow one that failed."""
    if failure.paid and again is not None:
        await again()


def _kind(told: _Telling | None) -> type[LlmFailure]:
    return _Told if told is not None and told.any else LlmFailure


def _error(llm: Llm, failures: list[tuple[Llm, LlmFailure]]) -> LlmError:
    """What is told of all who did not answer; the code and the way out are those of the first."""
    first = failures[0][1]
    said = "; ".join(f"`{one.name}`: {failure.what}" for one, failure in failures)
    error = LlmError(first.code, said, place=llm.place, fix=first.fix or "try again later, or declare fallbacks=")
    error.paid = failures[-1][1].paid
    return error
