"""A run in a real browser: its waterfall, its details, what is masked in it, and what may be done to it; and its story."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from desks import MARKUP
from systems import System
from windows import NARROW, Window

Opened = Callable[..., Window]

MODEL = "async id => (await import('/-/board/api.js')).ask('run', { id })"


def seen(window: Window, id: str, rest: str = "") -> None:
    """Open a run and wait until its waterfall is drawn."""
    window.open(f"#/runs/{quote(id, safe='')}{rest}")
    window.page.wait_for_selector(".waterfall [role=option]")
    window.page.wait_for_selector(".standing.live")


def ran(window: Window, system: System, part: str = "decide", state: str = "done", **claim: str) -> str:
    """The run of a claim that is published now."""
    system.publish("claims", dict(claim))
    return window.run(key=claim["id"], part=part, state=state)


def test_the_rows_of_a_run_under_load_add_up_to_its_wall_time(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="light")
    id = window.run(part="answer", state="done")
    seen(window, id)
    window.keep("run-light")
    model = window.page.evaluate(MODEL, id)
    assert sum(model["shares"].values()) == pytest.approx(model["wall_seconds"], rel=0.01)
    shown = window.page.inner_text(".waterfall .sum")
    together, wall = (shown.partition(": the wall time is ")[index].strip(" .") for index in (0, 2))
    assert together == f"All rows together {wall}"
    assert window.illegible() == []
    window.page.emulate_media(color_scheme="dark")
    window.page.wait_for_selector("html[data-theme=dark]")
    window.keep("run-dark")
    assert window.illegible() == []


def test_time_in_line_own_time_and_unexplained_time_have_rows_of_their_own(archive: System, opened: Opened) -> None:
    window = opened(archive)
    id = ran(window, archive, id="many-of-them", plan="many")
    seen(window, id)
    rows = window.page.eval_on_selector_all("[role=option]", "rows => rows.map(row => row.dataset.row)")
    model = window.page.evaluate(MODEL, id)
    told = [what for what in ("in_line", "own", "backoff", "dead", "unexplained") if model["shares"][f"{what}_seconds"]]
    assert rows[: len(told) + 2] == ["run", *told, "0"] and "own" in told


def test_a_run_of_thousands_of_entries_is_bounded(archive: System, opened: Opened) -> None:
    window = opened(archive)
    seen(window, ran(window, archive, id="many-too", plan="many"))
    page = window.page
    assert page.locator("[role=option]").count() == 150
    page.wait_for_selector(".sum:has-text('entries are left out')")
    page.click(".waterfall .more button")
    page.wait_for_selector("[role=option] >> nth=740")
    page.click("[data-row='700']")
    page.wait_for_selector(".details h2 a:text-is('look')")
    assert page.evaluate("document.querySelectorAll('*').length") < 12_000


def test_a_bar_is_chosen_with_keyboard_or_pointer_and_stands_in_the_address(archive: System, opened: Opened) -> None:
    window = opened(archive)
    id = ran(window, archive, "send", id="chosen")
    seen(window, id)
    page = window.page
    page.click("[data-row='0']")
    page.wait_for_selector(".details h2 a:text-is('post')")
    assert page.url.endswith("?row=0")
    assert page.eval_on_selector_all(".details h3", "all => all.map(one => one.textContent)") == ["Given", "Answered"]
    page.keyboard.press("z")
    window.until("document.querySelector('.acts .small:last-child').disabled === false")
    page.keyboard.press("0")
    page.reload()
    page.wait_for_selector(".details h2 a:text-is('post')")
    page.keyboard.press("w")
    page.keyboard.press("Home")
    page.wait_for_selector(".details[aria-label='About the run']")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("[data-row='in_line'][aria-selected=true], [data-row='own'][aria-selected=true]")
    page.keyboard.press("End")
    page.wait_for_selector("[role=option]:last-child[aria-selected=true]")


def test_a_masked_field_is_shown_only_to_who_gives_a_name(archive: System, opened: Opened) -> None:
    window = opened(archive)
    seen(window, ran(window, archive, id="masked", name="Mara Masked"))
    page = window.page
    assert "Mara" not in page.content()
    page.click("button[aria-label='Show /name']")
    page.wait_for_selector("dialog[open] >> text=Who are you?")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert "Mara" not in page.content()
    page.click("button[aria-label='Show /name']")
    page.fill("#prompt-text", MARKUP)
    page.keyboard.press("Enter")
    page.wait_for_selector(".details .told:has-text('Mara Masked')")
    window.keep("run-revealed")
    assert page.locator("img[src=x]").count() == 0
    page.click("text=Hide")
    page.wait_for_selector(".told", state="detached")
    assert "Mara" not in page.inner_text("main")
    page.click("button[aria-label='Show /name']")
    page.wait_for_selector(".told")
    assert MARKUP in page.inner_text(".person")


def test_a_value_of_a_hundred_kilobytes_is_cut_and_its_masked_fields_can_still_be_shown(
    archive: System, opened: Opened
) -> None:
    window = opened(archive)
    seen(window, ran(window, archive, id="large", note="x" * 100_000, name="Lara Large"))
    page = window.page
    page.wait_for_selector(".details:has-text('more characters are not shown')")
    assert len(page.inner_text(".details")) < 2_000
    page.click("text=/all 65,536 characters/")
    window.until("document.querySelector('.details .string').textContent.length === 65536")
    assert page.locator(".lost button").count() == 1 and "Lara" not in page.content()


def test_a_dead_run_says_why_and_is_retried_and_the_page_follows_it(archive: System, opened: Opened) -> None:
    window = opened(archive, color_scheme="light")
    id = ran(window, archive, state="dead", id="retried", plan="fetch")
    seen(window, id)
    page = window.page
    fault = page.inner_text(".fault >> nth=0")
    assert "P302" in fault and MARKUP in fault and "app.py" in fault
    page.wait_for_selector(".happenings .attempt >> text=P302")
    page.click("[role=option]:has-text('fetch')")
    page.wait_for_selector(".details .fault:has-text('P302')")
    window.keep("run-dead")
    assert window.illegible() == [] and page.locator("img[src=x]").count() == 0
    (archive.folder / "closed").unlink()
    try:
        page.click("button:text-is('Retry')")
        page.click("dialog[open] .primary")
        page.wait_for_selector(".head .state:text-is('done')")
        page.wait_for_selector("[data-row=dead]")
    finally:
        (archive.folder / "closed").touch()
    assert page.locator(".head .primary").count() == 0


def test_an_open_run_is_followed_and_cancelled_only_after_a_yes(archive: System, opened: Opened) -> None:
    window = opened(archive)
    seen(window, ran(window, archive, state="waiting", id="cancelled", plan="ask", name="Olga Open"))
    page = window.page
    page.wait_for_selector("[role=option]:has-text('clerk')")
    page.wait_for_selector(".happenings .question:has-text('Pay ••• for cancelled? <img')")
    first = page.inner_text("[data-row=run] .figure >> nth=0")
    window.until(f"document.querySelector('[data-row=run] .figure').textContent !== {first!r}")
    page.click("text=Cancel the run")
    page.wait_for_selector("dialog[open]")
    window.keep("run-cancel")
    page.keyboard.press("Enter")  # the focus is on "Leave it"
    page.wait_for_selector("dialog", state="detached")
    assert page.inner_text(".head .state") == "waiting"
    page.click("text=Cancel the run")
    page.click("dialog[open] .grave")
    page.wait_for_selector(".head .state:text-is('cancelled')")


def test_labels_that_a_run_has_read_are_told(archive: System, opened: Opened) -> None:
    window = opened(archive)
    seen(window, ran(window, archive, id="tainted"))
    window.page.wait_for_selector(".happenings .taint:has-text('PII')")


def test_what_a_gate_masked_on_the_way_out_is_told_without_its_value(archive: System, opened: Opened) -> None:
    window = opened(archive)
    seen(window, ran(window, archive, "send", id="gated", name="Gwen Green"))
    page = window.page
    page.wait_for_selector(".happenings .gate .state:text-is('mask')")
    assert "letters.to" in page.inner_text(".happenings .masks")
    page.click("[role=option]:has-text('post')")
    page.wait_for_selector(".details h2 a:text-is('post')")
    window.keep("run-gate")
    assert "Gwen" not in page.content()


def test_a_story_leads_from_the_call_to_the_last_letter_and_back(archive: System, opened: Opened) -> None:
    window = opened(archive, color_scheme="light")
    token = {"authorization": "Bearer none"}
    httpx.post(f"{archive.url}/claims/told", params={"name": "Tess Tall"}, headers=token).raise_for_status()
    last = window.run(key="told", part="send", state="done")
    seen(window, last)
    page = window.page
    page.click(".around a.code")
    page.wait_for_selector("h1:has-text('decide:')")
    page.wait_for_selector(".around li li a.code")
    page.keyboard.press("s")
    page.wait_for_selector("h1:text-is('From a call of file')")
    told = page.eval_on_selector_all(".story a.to", "links => links.map(link => link.textContent)")
    assert told == ["file", "claims", "decide", "letters", "send"]
    assert page.get_attribute(".story a[aria-current=true]", "href").startswith("#/runs/decide")  # type: ignore[union-attr]
    window.keep("story-light")
    assert window.illegible() == []
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('file:')")
    assert "Tess" not in page.content()
    page.go_back()
    page.click(".story a.to b:text-is('send')")
    page.wait_for_selector(f"h1:text-is('{last}')")


def test_a_run_that_there_is_not_says_so(archive: System, opened: Opened) -> None:
    window = opened(archive)
    window.forgive = ("404",)
    for hash in (f"#/runs/{quote(MARKUP, safe='')}", f"#/story/{quote(MARKUP, safe='')}"):
        window.open(hash)
        window.page.wait_for_selector(".notice .wrong:has-text('P308')")
        assert window.page.locator("img[src=x]").count() == 0


def test_a_run_and_a_story_fit_a_narrow_window(archive: System, opened: Opened) -> None:
    window = opened(archive, viewport=NARROW)
    id = ran(window, archive, state="dead", id="narrow", plan="fetch")
    seen(window, id)
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.keep("run-narrow")
    window.open(f"#/story/{quote(id, safe='')}")
    window.page.wait_for_selector(".story .line")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
