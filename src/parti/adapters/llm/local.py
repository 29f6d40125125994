"""The target `local`: a small model inside the process, with nothing to sign up for and no port open."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from parti.adapters.llm.chat import answer_of, body_of, schema_of
from parti.adapters.llm.runtime import Runtime, borrow, give_back
from parti.adapters.llm.weights import find_weights
from parti.design.llm import Llm
from parti.ports.llm import Answer, Request, Tell

CONTEXT: Final = 4096
"""Tokens of the context window, where the Llm names none: 12 KB of memory each and slot with the default weights."""

_Held = tuple[Path, int, Runtime]


class LocalProvider:
    """Answers by weights in a GGUF file: the default ones, or those that `Llm.model` is the path of.

    Weights are loaded by the first request, once for each process, path and context. `runtime.SLOTS` requests are
    answered at once, others wait. Close it in the event loop that it was used in.
    """

    def __init__(self) -> None:
        self._loads: dict[tuple[str, int], asyncio.Future[_Held]] = {}

    async def answer(self, llm: Llm, request: Request, *, tell: Tell | None = None) -> Answer:
        """See Provider. Texts are told as they are written; where tools could be called, once it is clear that none is.

        Raises P701, P702 and P703. A call that is cancelled ends at its next token, or after `runtime.BATCH` tokens of
        its prompt.
        """
        began = time.monotonic()
        body, schema = body_of(request), schema_of(request)
        path, _, runtime = await self._load(llm)
        call = _Call(None if request.tools else tell)
        try:
            reply = await asyncio.get_running_loop().run_in_executor(
                runtime.work, runtime.generate, body, schema, call.hear
            )
        finally:
            call.over = True
        if call.wrong:
            raise call.wrong
        text, calls, finish = answer_of(request, reply.text, reply.finish)
        if tell and request.tools and text:
            tell(text)
        return Answer(
            text=text,
            calls=calls,
            finish=finish,
            model=path.stem,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            usd=0.0,
            first=max(0.0, reply.first - began),
            took=time.monotonic() - began,
        )

    async def close(self) -> None:
        """Let go of the weights; the last provider that held them frees their memory. Calls under way end first."""
        loads, self._loads = list(self._loads.values()), {}
        for held in await asyncio.gather(*loads, return_exceptions=True):
            if not isinstance(held, BaseException):
                await asyncio.to_thread(give_back, held[0], held[1])

    async def _load(self, llm: Llm) -> _Held:
        """The weights, loaded in a thread. A caller that is cancelled leaves the load to the others."""
        wanted = (llm.model, llm.context or CONTEXT)
        load = self._loads.get(wanted)
        if load is None or (load.done() and (load.cancelled() or load.exception())):
            load = self._loads[wanted] = asyncio.ensure_future(asyncio.to_thread(_hold, *wanted))
        return await asyncio.shield(load)


class _Call:
    """Between the thread that generates and the event loop that waits."""

    def __init__(self, tell: Tell | None) -> None:
        self.over = False
        self.wrong: Exception | None = None
        self._tell = tell
        self._loop = asyncio.get_running_loop()

    def hear(self, piece: str) -> bool:
        """In the thread: pass a piece on; True once nobody waits any more."""
        if self.over:
            return True
        if piece and self._tell:
            self._loop.call_soon_threadsafe(self._pass_on, self._tell, piece)
        return False

    def _pass_on(self, tell: Tell, piece: str) -> None:
        if self.over:
            return
        try:
            tell(piece)
        except Exception as wrong:
            self.wrong, self.over = wrong, True


def _hold(model: str, context: int) -> _Held:
    path = find_weights(model)
    return path, context, borrow(path, context)
