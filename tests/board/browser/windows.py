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


ILLEGIBLE = """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
    const behind = element => {
        if (!element) return [255, 255, 255, 1];
        const own = rgba(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own : over(own, behind(element.parentElement));
    };
    const light = ([r, g, b]) => [r, g, b].map(one => one / 255).map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
        .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || element.closest("svg, option, :disabled, noscript, script") || !element.checkVisibility()) continue;
        const style = getComputedStyle(element), ground = behind(element);
        const [one, other] = [light(over(rgba(style.color), ground)), light(ground)].sort((a, b) => b - a);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        const ratio = (one + 0.05) / (other + 0.05);
        if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
    }
    return found;
}"""


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

    def run(self, **words: str) -> str:
        """The id of the latest run that the words fit, once there is one: ``run(key="a", state="dead")``."""
        for _ in range(400):
            found = self.page.request.get(f"{self.url}/-/board/api/runs", params={**words, "limit": "1"}).json()["runs"]
            if found:
                return str(found[0]["id"])
            self.page.wait_for_timeout(50)
        raise AssertionError(f"no run ever fitted {words}")

    def illegible(self) -> list[str]:
        """Texts on the page whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3), 3 to 1 where they are large."""
        return list(self.page.evaluate(ILLEGIBLE))

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
