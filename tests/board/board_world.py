"""A board in front of a system that does nothing, in virtual time, and a browser's requests to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel

from parti import System
from parti.adapters.virtual import SeededChance, VirtualStore, run_virtual
from parti.board import Board, Shown
from parti.design.graph import Design
from parti.drawings import draw_svg, page_stylesheet
from parti.ports.clock import Clock
from parti.serve import http_app

TOKEN = "a-long-token"
HOST = "http://127.0.0.1:8000"
CHANGE = {"content-type": "application/json", "parti-board": "1"}
SAME = {"sec-fetch-site": "same-origin", "origin": HOST}


@dataclass
class Quiet:
    """A running system, as far as looking at it goes."""

    design: Design
    clock: Clock
    chance: SeededChance = field(default_factory=lambda: SeededChance("board"))
    store: Any = None


class Order(BaseModel):
    id: str


def quiet_design() -> Design:
    """One topic whose name would be markup, were it not escaped."""
    desk = System("quiet <b>desk</b>")
    desk.topic("orders", Order, key="id")
    return desk.design


class Browser:
    """Sends requests to one board, with the cookies that it was given."""

    def __init__(self, clock: Clock, *, everybody: bool = True, token: str = TOKEN) -> None:
        design = quiet_design()
        self.system = Quiet(design, clock, store=VirtualStore(clock, SeededChance("board")))
        shown = Shown(self.system, draw_svg(design, styled=False), page_stylesheet())  # type: ignore[arg-type]
        self.board = Board(shown, token=token, everybody=everybody)
        hosts = {"127.0.0.1"} if everybody else None
        app = http_app(self.system, token=token, design_json=dict, hosts=hosts, beside=self.board)  # type: ignore[arg-type]
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(f"/-/board{path}", headers=named)

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        sent = {**CHANGE, **SAME} if headers is None else headers
        return await self.client.post(f"/-/board/api/{path}", json=body, headers=sent)


def visited(visit: Callable[[Browser], Awaitable[None]], *, everybody: bool = True) -> None:
    """Play a visit in a world of its own."""

    async def main(clock: Clock) -> None:
        await visit(Browser(clock, everybody=everybody))

    run_virtual(main)
