"""The plan in a real browser: the drawing, what happens in it, and every way to move about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from desks import MARKUP
from systems import System
from windows import NARROW, Window

from parti.declare.loading import load
from parti.drawings import draw_svg

Opened = Callable[..., Window]

TRANSFORM = "document.querySelector('.stage .camera').getAttribute('transform')"


def test_the_plan_shows_the_design_where_parti_draw_puts_it(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="light")
    page = window.plan()
    page.wait_for_selector(".part.busy .words")
    shapes = page.eval_on_selector_all(
        ".stage .part",
        "parts => parts.map(part => [part.dataset.part, part.querySelector('.shape').getAttribute('d')])",
    )
    drawn = draw_svg(load(lending.folder / "app.py").design)
    assert shapes == [list(pair) for pair in re.findall(r'(?s)data-part="(\w+)".*?class="shape" d="([^"]+)"', drawn)]
    window.keep("plan-light")
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    window.keep("plan-dark")


def test_figures_appear_on_parts_and_arrows_while_events_flow(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.plan()
    page.wait_for_selector("#part-decide.busy .words:has-text('/s')")
    window.until(
        "[...document.querySelectorAll('.stage .arrow.busy .words')].some(words => /\\/s/.test(words.textContent))"
    )
    assert "/s" in (page.locator("#part-decide").get_attribute("aria-label") or "")


def test_looking_at_a_part_shows_its_neighbourhood_and_fades_the_rest(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="dark")
    page = window.plan()
    page.hover("#part-decide .name")
    page.wait_for_selector(".card h2:text-is('decide')")
    near = page.eval_on_selector_all(".stage .part.near", "parts => parts.map(part => part.dataset.part).sort()")
    assert near == ["applications", "book", "decide", "decisions", "risk", "underwriter"]
    window.until("getComputedStyle(document.querySelector('#part-llm')).opacity < 0.2")
    window.keep("plan-neighbourhood")
    page.mouse.move(700, 860)
    page.wait_for_selector(".card", state="detached")


def test_a_click_leads_to_the_part_and_back_again(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.plan()
    page.click("#part-decide .name")
    page.wait_for_selector("h1:text-is('decide')")
    assert page.url.endswith("#/parts/decide")
    window.keep("part")
    page.go_back()
    page.wait_for_selector(".stage .part")


def test_everything_can_be_done_with_the_keyboard(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.plan()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    chosen = page.evaluate("document.activeElement.dataset.part")
    assert chosen == "applications"
    page.keyboard.press("Escape")
    page.wait_for_selector(".card", state="detached")
    page.keyboard.press("/")
    page.keyboard.type("under")
    assert page.locator(".stage .found").count() == 1
    page.keyboard.press("Enter")
    window.until("document.activeElement.dataset.part === 'underwriter'")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('underwriter')")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_selector(".stage .part")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] >> text=Show all")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_the_drawing_zooms_at_the_pointer_moves_and_fits_again(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.plan()
    first = page.evaluate(TRANSFORM)
    box = page.locator("#part-decide .shape").bounding_box()
    assert box is not None
    page.mouse.move(box["x"], box["y"])
    page.mouse.wheel(0, -400)
    window.until(f"{TRANSFORM} !== {first!r}")
    zoomed = page.locator("#part-decide .shape").bounding_box()
    assert zoomed is not None
    assert zoomed["width"] > box["width"] and abs(zoomed["x"] - box["x"]) < 2
    page.mouse.move(720, 780)
    page.mouse.down()
    page.mouse.move(820, 700, steps=4)
    page.mouse.up()
    moved = page.locator("#part-decide .shape").bounding_box()
    assert moved is not None
    assert abs(moved["x"] - zoomed["x"] - 100) < 6 and "#/plan" in page.url
    page.keyboard.press("0")
    window.until(f"{TRANSFORM} === {first!r}")


def test_sixty_parts_can_be_read(sixty: System, opened: Opened) -> None:
    window = opened(sixty, color_scheme="light")
    page = window.plan()
    assert page.locator(".stage .part").count() >= 60
    assert page.locator(".stage .part .name").first.bounding_box()["height"] >= 9  # type: ignore[index]
    window.keep("sixty")
    page.keyboard.press("0")
    inside = page.eval_on_selector_all(
        ".stage .part .shape",
        "shapes => shapes.every(shape => { const at = shape.getBoundingClientRect(); return at.left >= 0 && at.right <= innerWidth })",
    )
    assert inside
    window.keep("sixty-all-light")
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    window.keep("sixty-all-dark")


def test_the_plan_fits_a_narrow_window(lending: System, opened: Opened) -> None:
    window = opened(lending, viewport=NARROW, has_touch=True)
    page = window.plan()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.keep("plan-narrow")


def test_what_just_failed_pulses_but_not_for_who_wants_less_motion(hostile: System, opened: Opened) -> None:
    moving = "document.getAnimations().some(one => one.animationName === 'failed')"
    window, calm = opened(hostile), opened(hostile, reduced_motion="reduce")
    for one in (window, calm):
        one.plan()
    hostile.publish(quote(MARKUP, safe=""), {"id": "a"})
    window.until(moving)
    calm.page.wait_for_selector("#part-fail.failing")
    assert not calm.page.evaluate(moving)


def test_the_theme_can_be_turned_and_is_remembered(lending: System, opened: Opened) -> None:
    page = opened(lending, color_scheme="light").plan()
    page.keyboard.press("t")
    page.keyboard.press("t")
    page.wait_for_selector("html[data-theme=dark]")
    shape = "getComputedStyle(document.querySelector('#part-decide .shape')).fill"
    assert page.evaluate(shape) == "rgb(25, 33, 45)"
    page.reload()
    page.wait_for_selector("html[data-theme=dark]")
