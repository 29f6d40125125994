"""What looking costs, and how soon one sees: the board in a real browser, beside the engine at work. It needs Chromium.

    python -m bench.board              about four minutes on a quiet machine
    python -m bench.board --quick      the smallest case of each: it shows that all of it runs

Writes board.json and board.md into bench/results.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import httpx

from bench.board_desk import PROBES
from bench.live import Live, up
from bench.machine import machine, warnings
from bench.timing import percentile
from bench.venv import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TOKEN: Final = "a-token-of-the-benchmark"
RATE: Final = 1000
"""Events a second while page loads and updates are timed."""

EVERY: Final = 0.05
"""Seconds between two publications of the load."""

IDLE_SECONDS: Final = 12.0
"""How long nothing happens before the probes: a picture covers ten seconds."""

FIRST: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WATCH: Final = """() => {
    window.seen = {};
    const look = () => {
        for (const part of document.querySelectorAll('.stage .part.busy'))
            if (!(part.dataset.part in window.seen)) requestAnimationFrame(() => (window.seen[part.dataset.part] ??= Date.now() / 1000));
    };
    new MutationObserver(look).observe(document.querySelector('.stage'), { subtree: true, attributes: true, attributeFilter: ['class'] });
}"""
"""Notes when each part is first drawn as one through which something goes."""


class Desk:
    """The running system, as its benchmark uses it."""

    def __init__(self, live: Live) -> None:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-ndjson"}
        self.live = live
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{live.port}", headers=headers, timeout=60)
        self.sent = 0

    def publish(self, topic: str, count: int) -> None:
        """Publish that many events under fresh keys; returns when they are on disk."""
        lines = [json.dumps({"id": str(self.sent + number), "amount": number}) for number in range(count)]
        self.sent += count
        self.client.post(f"/-/topics/{topic}", content="\n".join(lines)).raise_for_status()

    def decided(self) -> int:
        """How many decisions there are."""
        topics = self.client.get("/-/board/api/topics").raise_for_status().json()
        return next(int(one["events"]) for one in topics if one["topic"] == "decisions")

    def throughput(self, count: int) -> dict[str, float]:
        """Publish `count` events, and wait until all are decided: events a second, and CPU of the event loop an event."""
        before, loop, began = self.decided(), self.live.loop_seconds(), time.perf_counter()
        for _ in range(count // 500):
            self.publish("orders", 500)
        while self.decided() < before + count:
            time.sleep(0.1)
        took = time.perf_counter() - began
        return {
            "events_per_second": count / took,
            "loop_us_per_event": 1e6 * (self.live.loop_seconds() - loop) / count,
        }

    @contextmanager
    def load(self, rate: int) -> Iterator[None]:
        """`rate` events a second in the background, for as long as the block runs."""
        over = threading.Event()

        def send() -> None:
            loader, due = Desk(self.live), time.perf_counter()
            loader.sent = 10_000_000
            while not over.is_set():
                loader.publish("orders", max(1, int(rate * EVERY)))
                due += EVERY
                over.wait(max(0.0, due - time.perf_counter()))

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(60)


def opened(browser: Browser, desk: Desk) -> tuple[Page, dict[str, float]]:
    """A fresh page on the plan: when it was first painted, and when figures lay on the drawing, in ms from navigation."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{desk.live.port}/-/board/")
    page.wait_for_selector(".stage .part")
    drawn = time.perf_counter()
    page.wait_for_selector(".summary")
    figures = time.perf_counter()
    painted = float(page.evaluate(FIRST))
    return page, {
        "first_paint_ms": painted,
        "plan_ms": 1000 * (drawn - began),
        "figures_ms": 1000 * (figures - began),
    }


def looked_at(browser: Browser, desk: Desk, pairs: int, events: int) -> dict[str, Any]:
    """Throughput without and with a page open, in pairs whose order takes turns."""
    desk.throughput(events)  # warms up
    found: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    for pair in range(pairs):
        for which in ("without", "with") if pair % 2 == 0 else ("with", "without"):
            page = opened(browser, desk)[0] if which == "with" else None
            found[which].append(desk.throughput(events))
            if page is not None:
                page.context.close()
                time.sleep(1.0)  # until the server has noticed
    slower = [
        100 * (1 - seen["events_per_second"] / unseen["events_per_second"])
        for seen, unseen in zip(found["with"], found["without"], strict=True)
    ]
    more = [
        100 * (seen["loop_us_per_event"] / unseen["loop_us_per_event"] - 1)
        for seen, unseen in zip(found["with"], found["without"], strict=True)
    ]
    return {
        "events": events,
        "pairs": found,
        "slower_percent": slower,
        "slower_percent_median": median(slower),
        "loop_more_percent": more,
        "loop_more_percent_median": median(more),
    }


def paints(browser: Browser, desk: Desk, times: int) -> dict[str, Any]:
    """How soon a page is painted: at rest, and at RATE events a second."""

    def some() -> list[dict[str, float]]:
        found = []
        for _ in range(times):
            page, took = opened(browser, desk)
            page.context.close()
            found.append(took)
        return found

    at_rest = some()
    with desk.load(RATE):
        return {"at_rest": at_rest, "under_load": some()}


def updates(browser: Browser, desk: Desk, probes: int) -> dict[str, Any]:
    """From the moment that an event is sent until the page has drawn it, at RATE events a second, in ms, ascending."""
    time.sleep(IDLE_SECONDS)
    with desk.load(RATE):
        page, _ = opened(browser, desk)
        page.wait_for_selector("#part-decide.busy")
        page.evaluate(WATCH)
        sent: dict[str, float] = {}
        for number in range(probes):
            time.sleep(0.731)  # no multiple of the pulse, so that all of its phases are met
            sent[f"probe_{number}"] = time.time()
            desk.publish(f"probes-{number}", 1)
        for _ in range(200):
            seen = page.evaluate("window.seen")
            if all(name in seen for name in sent):
                break
            page.wait_for_timeout(50)
        page.context.close()
    took = sorted(1000 * (seen[name] - at) for name, at in sent.items() if name in seen)
    return {"probes": probes, "unseen": probes - len(took), "took_ms": took}


def measured(asked: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """All of it, on one system."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("the benchmark of the board needs Chromium: apt-get install chromium")
    scratch = Path(tempfile.mkdtemp(prefix="parti-board-", dir=asked.directory))
    try:
        facts = machine(scratch)
        pairs, events, times, probes = (1, 2_000, 2, 4) if asked.quick else (asked.pairs, 20_000, 10, PROBES)
        with (
            up(ROOT / "bench" / "board_desk.py", scratch, {}, "--token", TOKEN) as live,
            sync_playwright() as playwright,
        ):
            desk = Desk(live)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            say("throughput without and with a page")
            looked = looked_at(browser, desk, pairs, events)
            say("first paint")
            painted = paints(browser, desk, times)
            say("updates")
            updated = updates(browser, desk, probes)
            version = browser.version
            browser.close()
        return {
            "version": 1, "when": datetime.now(UTC).isoformat(timespec="seconds"), "quick": asked.quick, "machine": facts,
            "warnings": warnings(facts), "chromium": version, "throughput": looked, "paint": painted, "update": updated,
        }  # fmt: skip
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def markdown(found: dict[str, Any]) -> str:
    """The results as a page."""
    looked, updated, facts = found["throughput"], found["update"], found["machine"]
    unseen, seen = (median(one["events_per_second"] for one in looked["pairs"][which]) for which in ("without", "with"))
    lines = [
        "# The board: what looking costs, and how soon one sees",
        "",
        f"{found['when']}, {facts['processor']}, {facts['cores']} cores, Chromium {found['chromium']} on the same cores."
        + (" A quick run: it says nothing, but that all of it runs." if found["quick"] else ""),
        *[f"\n**{warning}**" for warning in found["warnings"]],
        "",
        "| what | figure |",
        "| --- | ---: |",
        f"| events/s decided, no page (median of {len(looked['slower_percent'])}) | {unseen:,.0f} |",
        f"| events/s decided, a page open | {seen:,.0f} |",
        f"| slower with a page, median of pairs (all) | {looked['slower_percent_median']:.1f} % ({_span(looked['slower_percent'])}) |",
        f"| CPU of the event loop an event, more with a page | {looked['loop_more_percent_median']:.1f} % ({_span(looked['loop_more_percent'])}) |",
    ]
    for which, words in (("at_rest", "at rest"), ("under_load", f"at {RATE:,} events/s")):
        for figure, name in (("first_paint_ms", "first paint"), ("figures_ms", "figures on the plan")):
            took = sorted(one[figure] for one in found["paint"][which])
            lines.append(
                f"| {name}, {words}: median (slowest of {len(took)}) | {median(took):,.0f} ms ({took[-1]:,.0f}) |"
            )
    took = updated["took_ms"]
    if took:
        lines.append(
            f"| from an event to the page at {RATE:,} events/s: median / p95 / slowest of {len(took)} "
            f"| {median(took):,.0f} / {percentile(took, 0.95):,.0f} / {took[-1]:,.0f} ms |"
        )
    if updated["unseen"]:
        lines.append(f"| events that the page did not show within 10 s | {updated['unseen']} |")
    return "\n".join(lines) + "\n"


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.board", description="What looking at the board costs.")
    parser.add_argument("--quick", action="store_true", help="the smallest case of each")
    parser.add_argument("--pairs", type=int, default=6, help="pairs of throughput without and with a page (6)")
    parser.add_argument("--directory", type=Path, help="where the store lies for a while")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results")
    asked = parser.parse_args(words)
    found = measured(asked, lambda what: print(f"{what} ...", flush=True))
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "board.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = markdown(found)
    (asked.results / "board.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
