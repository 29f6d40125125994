"""A purse: all calls of language models that belong together pay out of it, and none that it may not hold enough for is made."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Hashable, Iterable
from math import inf, isfinite
from pathlib import Path

from parti.design.llm import Llm
from parti.errors import LlmError
from parti.ports.llm import Again, Answer, Llms, Request, Tell, Waited


class Purse:
    """Asks through another for as long as no more than `limit` dollars are spent. Implements ports.llm.Llms.

    The most that a call may cost is set aside before it, and written to the file `ledger` together with what was spent;
    a process that takes the search up begins with that, so what was under way at a crash counts in full. A call for which
    only the money of calls under way would do waits until one of them has settled.
    """

    def __init__(self, inner: Llms, ledger: Path, limit: float = inf) -> None:
        self._inner = inner
        self._ledger = ledger
        self.limit = limit
        self.spent = _read(ledger)
        """Dollars so far, those of earlier processes included."""
        self._holds: dict[object, float] = {}
        """Dollars set aside for each call under way."""
        self._waiting: set[asyncio.Future[None]] = set()
        self.refused = False
        """Whether a call was not made since `limit` was last set."""

    @property
    def held(self) -> float:
        """Dollars set aside for calls under way."""
        return sum(self._holds.values())

    def allow(self, limit: float) -> None:
        """From now on `limit` dollars may be spent in all."""
        self.limit, self.refused = limit, False
        self._look_again()

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
        """See ports.llm.Llms. Raises LlmError: P722 where the call may cost more than is left, P710 where nobody knows."""
        most, call = self._most(llm, request), object()
        await self._hold(call, llm, most)

        async def once_more() -> None:
            """The request before may have been paid: it counts in full."""
            self._settle(call, most)
            await self._hold(call, llm, most)
            if again is not None:
                await again()

        cost: float | None = None
        try:
            answer = await self._inner.answer(llm, request, key=key, tell=tell, again=once_more, waited=waited)
            cost = answer.usd or 0.0
        except LlmError as error:
            cost = None if error.paid else 0.0
            raise
        finally:
            self._settle(call, self._holds.get(call, 0.0) if cost is None else cost)
        return answer

    def reserve_for(self, llm: Llm, request: Request) -> tuple[float | None, int]:
        """See ports.llm.Llms."""
        return self._inner.reserve_for(llm, request)

    async def close(self) -> None:
        """Nothing: several engines ask through it, one after the other. See `shut`."""

    async def shut(self) -> None:
        """Close what it asks through."""
        await self._inner.close()

    def refuse_unpriced(self, llms: Iterable[Llm]) -> None:
        """Raise P710 for the first of `llms` whose calls cannot be bounded, before any is made; without a limit all can."""
        for llm in llms:
            self._most(llm, Request(()))

    def _most(self, llm: Llm, request: Request) -> float:
        """The most that a call may cost; without a limit it does not matter whether anybody knows."""
        most, _ = self._inner.reserve_for(llm, request)
        if most is None and isfinite(self.limit):
            self.refused = True
            what = f"nobody knows what `{llm.name}`, or a fallback of it, costs, and --budget bounds it"
            fix = "declare price=Price(input=…, output=…), of 0 where it costs nothing"
            raise LlmError("P710", what, place=llm.place, fix=fix)
        return most or 0.0

    async def _hold(self, call: object, llm: Llm, most: float) -> None:
        """Set `most` aside for a call, once there is so much. Raises P722 where there will never be."""
        while self._holds and self.spent + most <= self.limit < self.spent + self.held + most:
            await self._settled()
        if self.spent + self.held + most > self.limit:
            self.refused = True
            aside = f", ${self.held:.4f} are set aside for calls under way" if self._holds else ""
            what = f"${self.limit:.4f} may be spent, ${self.spent:.4f} are{aside}, and a call of `{llm.name}` may take ${most:.4f}"
            raise LlmError("P722", what, place=llm.place, fix="raise --budget")
        self._holds[call] = most
        self._write()

    def _settle(self, call: object, cost: float) -> None:
        self._holds.pop(call, None)
        self.spent += cost
        self._write()
        self._look_again()

    async def _settled(self) -> None:
        """Until a call settles, or more may be spent."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    def _look_again(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def _write(self) -> None:
        """What is spent if all that is under way costs what it may. A rename, so that no crash leaves half a number."""
        if not self.spent + self.held:
            return
        fresh = self._ledger.with_suffix(".new")
        fresh.write_text(repr(self.spent + self.held), encoding="utf-8")
        os.replace(fresh, self._ledger)


def _read(ledger: Path) -> float:
    """What earlier processes spent; 0 where none did."""
    try:
        spent = float(ledger.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0
    return spent if isfinite(spent) and spent > 0 else 0.0
