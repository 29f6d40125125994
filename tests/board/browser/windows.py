"""A window of a real browser, in which nothing may go wrong unseen and no other server be asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

ARTEFACTS = Path(__file__).parents[3] / "artefacts" / "board"
SIZE = {"width": 1440, "height": 900}
NARROW = {"width": 420, "height": 800}


@dataclass
class Window:
    """A page on the board of one system. `forgive` holds words of console errors that a test means to cause."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    forgive: tuple[str, ...] = ()

    def open(self, hash: str = "#/plan") -> Page:
        """Go to a view."""
        self.page.goto(f"{self.url}/-/board/{hash}")
        return self.page

    def plan(self) -> Page:
        """The plan, once a picture is on it."""
        self.open()
        self.page.wait_for_selector(".stage .part")
        self.page.wait_for_selector(".standing.live")
        self.page.wait_for_selector(".summary")
        return self.page

    def until(self, expression: str) -> None:
        """Wait for JavaScript to be true. It is asked from outside: the page's own policy forbids `eval`."""
        for _ in range(400):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never came true: {expression}")

    def keep(self, name: str) -> None:
        """Keep a screenshot as an artefact."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def check(self) -> None:
        """Fail where the console has an error, or another server was asked."""
        unforgiven = [one for one in self.errors if not any(word in one for word in self.forgive)]
        assert not unforgiven, unforgiven
        assert not self.foreign, self.foreign


@contextmanager
def window(browser: Browser, url: str, **options: Any) -> Iterator[Window]:
    """A fresh window, with nothing kept from another; checked at its end."""
    context = browser.new_context(viewport=options.pop("viewport", SIZE), **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    opened = Window(page, url)
    page.on("console", lambda said: opened.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda wrong: opened.errors.append(str(wrong)))

    def stop(route: Route) -> None:
        opened.foreign.append(route.request.url)
        route.abort()

    context.route(re.compile(rf"^(?!data:|{re.escape(url)}/)"), stop)
    try:
        yield opened
        opened.check()
    finally:
        context.close()
