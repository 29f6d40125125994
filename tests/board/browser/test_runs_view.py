"""The list of runs in a real browser: narrowed down, shared by its address, paged, followed, and safe to look at."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from desks import MARKUP
from systems import System
from windows import NARROW, Window

Opened = Callable[..., Window]

IDS = "links => links.map(link => link.textContent)"


def ids(window: Window) -> list[str]:
    return list(window.page.eval_on_selector_all(".rows a.to", IDS))


def test_runs_of_a_system_under_load_are_listed_the_latest_first(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="light")
    window.run(part="answer", state="done")
    page = window.open("#/runs")
    page.wait_for_selector(".rows.runs tbody tr >> nth=5")
    page.wait_for_selector(".standing.live")
    window.keep("runs-light")
    assert window.illegible() == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    window.keep("runs-dark")
    assert window.illegible() == []


def test_every_filter_stands_in_the_address_and_comes_back_with_it(archive: System, opened: Opened) -> None:
    window = opened(archive)
    archive.publish("claims", {"id": "filtered", "plan": "fetch"}, {"id": "other"})
    dead = window.run(key="filtered", state="dead")
    page = window.open("#/runs")
    page.wait_for_selector(".standing.live")
    page.select_option("select[name=state]", "dead")
    window.until("location.hash === '#/runs?state=dead'")
    page.select_option("select[name=part]", "decide")
    page.fill("input[name=key]", "filtered")
    page.keyboard.press("Enter")
    window.until("location.hash === '#/runs?part=decide&state=dead&key=filtered'")
    page.wait_for_selector(f".rows a.to:text-is('{dead}')")
    assert ids(window) == [dead]
    page.wait_for_selector(".rows p.wrong:has-text('the archive is closed')")
    page.reload()
    page.wait_for_selector(f".rows a.to:text-is('{dead}')")
    assert page.input_value("select[name=part]") == "decide" and page.input_value("input[name=key]") == "filtered"
    page.go_back()
    window.until("document.querySelector('input[name=key]').value === ''")


def test_what_is_half_typed_stays_while_the_page_draws_itself_again(archive: System, opened: Opened) -> None:
    window = opened(archive)
    page = window.open("#/runs")
    page.wait_for_selector(".standing.live")
    page.fill("input[name=key]", "half a k")
    page.select_option("select[name=state]", "dead")
    window.until("location.hash === '#/runs?state=dead'")
    page.wait_for_selector("select[name=part] option:text-is('decide')", state="attached")
    page.select_option("select[name=part]", "decide")
    window.until("location.hash === '#/runs?part=decide&state=dead'")
    assert page.input_value("input[name=key]") == "half a k"


def test_a_text_is_looked_for_in_what_is_shown_and_not_in_what_is_masked(archive: System, opened: Opened) -> None:
    window = opened(archive)
    archive.publish("claims", {"id": "texted", "note": "a rare walnut table", "name": "Wanda Walnutt"})
    wanted = window.run(key="texted", part="decide", state="done")
    page = window.open("#/runs")
    page.wait_for_selector(".rows.runs")
    page.fill("input[name=text]", "walnut table")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pages:has-text('1 run')")
    assert ids(window) == [wanted]
    page.fill("input[name=text]", "Walnutt")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice:has-text('fits')")
    page.click("text=Show all runs")
    page.wait_for_selector(".rows.runs")


def test_a_span_of_time_narrows_the_list(archive: System, opened: Opened) -> None:
    window = opened(archive)
    archive.publish("claims", {"id": "timed"})
    window.run(key="timed", part="send", state="done")
    page = window.open("#/runs?until=1000000000")
    page.wait_for_selector(".notice:has-text('No run fits')")
    assert page.input_value("input[name=until]").startswith("2001-09-")
    page.select_option("select[name=within]", "3600")
    page.wait_for_selector(".rows.runs")
    assert page.url.endswith("#/runs?within=3600") and page.locator("input[name=until]").count() == 0
    page.select_option("select[name=within]", "between")
    page.wait_for_selector("input[name=since]")


def test_older_pages_follow_without_gap_or_repetition(archive: System, opened: Opened) -> None:
    window = opened(archive)
    archive.publish("claims", *({"id": f"paged-{number}"} for number in range(60)))
    for number in range(60):
        window.run(key=f"paged-{number}", part="decide", state="done")
    page = window.open("#/runs?part=decide")
    page.wait_for_selector(".rows.runs")
    first = ids(window)
    assert len(first) == 50
    page.click("a[rel=next]")
    window.until(f"document.querySelector('.rows a.to')?.textContent !== {first[0]!r}")
    second = ids(window)
    assert "after=" in page.url and not set(first) & set(second)
    assert len([one for one in first + second if one.startswith("decide:")]) == len(first + second) >= 60
    page.go_back()
    window.until("!location.hash.includes('after')")


def test_the_latest_runs_are_followed_on_demand(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.open("#/runs")
    page.wait_for_selector(".rows.runs")
    page.wait_for_selector(".standing.live")
    page.keyboard.press("f")
    window.until("document.querySelector('.follow input').checked")
    latest = ids(window)[0]
    window.until(f"document.querySelector('.rows a.to').textContent !== {latest!r}")
    assert page.locator(".rows tbody tr").count() <= 50


def test_the_list_can_be_walked_with_the_keyboard(archive: System, opened: Opened) -> None:
    window = opened(archive)
    archive.publish("claims", {"id": "walked"})
    window.run(key="walked", part="send", state="done")
    page = window.open("#/runs?key=walked")
    page.wait_for_selector(".rows tbody tr >> nth=1")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == ids(window)[0]
    page.keyboard.press("Enter")
    page.wait_for_selector("main.runs h1.code")
    page.keyboard.press("u")
    page.wait_for_selector(".rows.runs")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "text"


def test_keys_and_errors_of_strangers_are_text_and_a_wrong_filter_says_why(hostile: System, opened: Opened) -> None:
    window = opened(hostile)
    hostile.publish(quote(MARKUP, safe=""), {"id": MARKUP})
    window.run(key=MARKUP, state="dead")
    page = window.open("#/runs?state=dead")
    page.wait_for_selector(".rows td:text-is('" + MARKUP + "')")
    assert page.locator("img[src=x]").count() == 0 and page.evaluate("window.pwned") is None
    window.forgive = ("404",)
    window.open("#/runs?state=" + quote(MARKUP))
    page.wait_for_selector(".notice .wrong:has-text('no state')")
    assert page.locator("img[src=x]").count() == 0
    window.open("#/runs?after=nonsense")
    page.wait_for_selector(".notice .wrong:has-text('no place in the list')")


@pytest.mark.parametrize("hash", ["#/runs", "#/runs?since=1700000000", "#/runs?state=parked"])
def test_the_list_fits_a_narrow_window(archive: System, opened: Opened, hash: str) -> None:
    window = opened(archive, viewport=NARROW)
    page = window.open(hash)
    page.wait_for_selector(".panel")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
