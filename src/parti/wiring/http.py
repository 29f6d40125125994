"""Serving: an engine behind HTTP, with the board beside its endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from parti.adapters.chance import SystemChance
from parti.engine.loop import Engine


@asynccontextmanager
async def serving(
    engine: Engine, *, host: str = "127.0.0.1", port: int = 0, token: str = ""
) -> AsyncIterator[tuple[str, str]]:
    """Serve `engine` over HTTP while the block runs; yields the URL and the token (a random one if none is given).

    Port 0 picks a free one. Raises P501 for an address other than loopback without a token, P505 when it is taken.
    """
    from parti.board import Board, Shown  # noqa: PLC0415 most commands serve nothing
    from parti.drawings import design_json, draw_svg, page_stylesheet  # noqa: PLC0415
    from parti.judging import findings_of  # noqa: PLC0415
    from parti.serve import serve  # noqa: PLC0415
    from parti.serve.security import is_loopback  # noqa: PLC0415

    word = token or SystemChance().token()
    shown = Shown(
        engine, draw_svg(engine.design, styled=False), page_stylesheet(), findings_of(engine.design, engine.clock)
    )
    drawn = partial(design_json, engine.design)
    served = serve(
        engine, host=host, port=port, token=word, token_given=bool(token), design_json=drawn,
        healthy=partial(_trouble, engine), beside=Board(shown, token=word, everybody=is_loopback(host)),
    )  # fmt: skip
    async with served as url:
        yield url, word


def _trouble(engine: Engine) -> str:
    """Why a running system cannot work now; empty when it can."""
    if engine.failure.done():
        return "it ended with an error"
    return engine.trouble or ("" if engine.working else "it is starting")
