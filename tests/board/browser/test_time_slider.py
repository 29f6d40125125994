"""The slider over the last hour: the picture as it was, said plainly, and the way back to now."""

from __future__ import annotations

from collections.abc import Callable

from systems import System
from windows import NARROW, Window

Opened = Callable[..., Window]

AT = "import('/-/board/live.js').then(live => live.picture.value.at)"
LATEST = "import('/-/board/live.js').then(live => live.latest.value.at)"


def test_the_plan_shows_an_earlier_moment_and_comes_back_to_now(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="light")
    page = window.plan()
    page.wait_for_selector("#part-decide.busy")
    assert page.input_value(".time input") == "0"
    page.focus(".time input")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".then:has-text('The past:'):has-text('Queues of then are estimates')")
    then, now = page.evaluate(AT), page.evaluate(LATEST)
    assert 13 < now - then < 60
    window.until(f"{LATEST}.then(at => at > {now})")
    assert page.evaluate(AT) == then, "the stream goes on, and the page stays in the past"
    assert page.get_attribute(".summary", "aria-label") == "The system then"
    assert "?at=" in page.url
    window.keep("past-light")
    page.click("text=Back to now")
    page.wait_for_selector(".then", state="detached")
    window.until(f"Promise.all([{AT}, {LATEST}]).then(([at, latest]) => at === latest)")
    assert "?at=" not in page.url


def test_an_hour_ago_nothing_had_happened_here_and_the_keyboard_leads_there(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="dark")
    page = window.plan()
    page.wait_for_selector("#part-decide.busy")
    page.focus(".time input")
    page.keyboard.press("Home")
    page.wait_for_selector(".then:has-text('60 min ago'):has-text('Queues of then')")
    page.wait_for_selector("#part-decide:not(.busy)")
    window.keep("past-dark")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("]")
    page.wait_for_selector(".then:has-text('59 min ago')")
    page.keyboard.press("n")
    page.wait_for_selector(".then", state="detached")
    page.keyboard.press("[")
    page.wait_for_selector(".then:has-text('1 min ago'), .then:has-text('60 s ago'), .then:has-text('61 s ago')")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_selector("h1:text-is('Topics')")
    assert page.evaluate("import('/-/board/live.js').then(live => live.earlier.value)") is None


def test_what_was_is_what_the_page_showed_when_it_was_now(insurance: System, opened: Opened) -> None:
    """Past and present are one read model: the figures of a moment stay what they were, and its address can be shared."""
    window = opened(insurance)
    page = window.plan()
    insurance.publish("notes", *({"id": f"then-{n}"} for n in range(20)))
    page.wait_for_selector("#part-shelve.busy .words:has-text('/s')")
    figures = f"{AT}.then(async at => [at, (await (await import('/-/board/api.js')).ask('picture', {{ at }})).parts.find(part => part.name === 'shelve').rate_per_second])"
    window.until(f"{figures}.then(([, rate]) => rate === 2)")
    at, rate = page.evaluate(figures)
    assert rate == 2.0, "20 in ten seconds"
    window.open(f"#/plan?at={at}")
    page.reload()
    page.wait_for_selector(".then:has-text('The past:')")
    window.until(f"{AT}.then(then => then === {at})")
    assert page.evaluate(figures) == [at, rate]
    assert "2/s" in (page.text_content("#part-shelve .words") or "")


def test_dragging_asks_once_and_only_for_where_it_ended(insurance: System, opened: Opened) -> None:
    window = opened(insurance, viewport=NARROW)
    page = window.plan()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "picture?at" in request.url else None)
    drag = """() => { const one = document.querySelector('.time input');
        for (let at = -5; at >= -600; at -= 5) { one.value = at; one.dispatchEvent(new Event('input', { bubbles: true })); } }"""
    page.evaluate(drag)
    page.wait_for_selector(".then:has-text('10 min ago'):has-text('Queues of then')")
    assert len(asked) <= 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.keep("past-narrow")
