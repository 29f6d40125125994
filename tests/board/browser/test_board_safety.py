"""What may never happen: markup that runs, a stranger who looks, a page that dies, grows, or holds up the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from desks import MARKUP, SIXTY
from systems import TOKEN, System
from windows import Window

Opened = Callable[..., Window]
Started = Callable[..., System]

TAB = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Hides the tab, or shows it."""


def test_names_keys_payloads_and_errors_are_shown_as_text(hostile: System, opened: Opened) -> None:
    window = opened(hostile)
    page = window.plan()
    hostile.publish(quote(MARKUP, safe=""), {"id": MARKUP})
    page.wait_for_selector("#part-fail.failing")
    page.hover("#part-fail .name")
    page.wait_for_selector(".card .wrong")
    assert MARKUP in page.inner_text(".brand")
    assert page.locator("img[src=x]").count() == 0 and page.evaluate("window.pwned") is None
    window.keep("hostile")
    for rest in (MARKUP, "fail", "javascript:alert(1)", "%", "%E0%A4%A"):
        window.open(f"#/parts/{rest if '%' in rest else quote(rest, safe='')}")
        page.wait_for_selector("main.parts h1, main.parts .notice:has-text('No part')")
        assert page.locator("img[src=x]").count() == 0 and page.evaluate("window.pwned") is None


def test_a_page_can_publish_an_event_and_retry_its_run(hostile: System, opened: Opened) -> None:
    window = opened(hostile)
    page = window.plan()
    change = "async ([name, body]) => (await import('/-/board/api.js')).change(name, body)"
    ask = "async ([name, words]) => (await import('/-/board/api.js')).ask(name, words)"
    done = page.evaluate(change, ["publish", {"topic": MARKUP, "payload": {"id": "again"}, "key": "once"}])
    assert done == page.evaluate(change, ["publish", {"topic": MARKUP, "payload": {"id": "again"}, "key": "once"}])
    dead = f"({ask})(['runs', {{ state: 'dead', key: 'again' }}]).then(found => found.runs.length === 1)"
    window.until(dead)
    [line] = page.evaluate(ask, ["runs", {"state": "dead", "key": "again"}])["runs"]
    assert page.evaluate(change, ["retry", {"run": line["id"]}])["id"] == line["id"]
    window.until(dead)


def test_scripts_that_somehow_got_into_the_page_do_not_run(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.plan()
    window.forgive = ("Content Security Policy", "TrustedHTML", "TrustedScript")
    page.evaluate(
        "() => { const one = document.createElement('script'); try { one.text = 'window.pwned = 1' } catch {} document.body.append(one) }"
    )
    page.evaluate(
        "() => { try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.pwned=1>') } catch {} }"
    )
    assert page.evaluate("window.pwned") is None


def test_on_another_address_nothing_is_seen_before_the_token_is_given(started: Started, opened: Opened) -> None:
    system = started(SIXTY, "--host", "0.0.0.0")
    system.url = system.url.replace("0.0.0.0", "127.0.0.1")
    window = opened(system)
    window.forgive = ("401",)
    page = window.open()
    page.wait_for_selector("h1:text-is('Sign in to the board')")
    window.keep("sign-in")
    page.fill("#token", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(".wrong:has-text('not the token')")
    assert "sixty" not in page.content()
    page.fill("#token", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector(".stage .part")
    page.wait_for_selector(".standing.live")
    assert TOKEN not in json.dumps(page.context.cookies()) and page.evaluate("document.cookie") == ""
    page.reload()
    page.wait_for_selector(".standing.live")
    page.context.clear_cookies()
    page.evaluate(TAB, True)
    page.wait_for_selector(".standing.resting")
    page.evaluate(TAB, False)
    page.fill("#token", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector(".standing.live")
    page.click("text=Sign out")
    page.wait_for_selector("#token")


def test_a_page_finds_its_server_again_after_a_restart(started: Started, opened: Opened) -> None:
    system = started(SIXTY)
    window = opened(system)
    window.forgive = (
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
        "ERR_CONNECTION_RESET",
        "ERR_EMPTY_RESPONSE",
        "503",
    )
    page = window.plan()
    took = system.stop()
    page.wait_for_selector(".standing.lost")
    system.start()
    page.wait_for_selector(".standing.live")
    assert page.locator(".stage .part").count() >= 60
    assert took < 5.0, "a page that looks must not hold up the end"


def test_a_page_that_shows_thousands_of_pictures_does_not_grow(lending: System, opened: Opened) -> None:
    """An hour of pictures, as fast as the page takes them: as many nodes as before, and no larger a heap."""
    page = opened(lending).plan()
    page.hover("#part-decide .name")
    page.wait_for_selector(".card")
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")

    def size() -> tuple[int, int]:
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        return page.evaluate("document.querySelectorAll('*').length"), heap

    show = """async ({ count }) => {
        const { picture, show } = await import("/-/board/live.js");
        for (let number = 0; number < count; number++) {
            const now = structuredClone(picture.value);
            for (const one of [...now.parts, ...now.arrows]) Object.assign(one, { rate_per_second: number % 977, queue: number % 31, failed: number % 3 });
            show(now);
            if (number % 100 === 0) await new Promise(requestAnimationFrame);
        }
    }"""
    page.evaluate(show, {"count": 500})
    nodes, heap = size()
    page.evaluate(show, {"count": 3600})
    more_nodes, more_heap = size()
    assert abs(more_nodes - nodes) < 40
    assert more_heap < heap + 1_500_000
