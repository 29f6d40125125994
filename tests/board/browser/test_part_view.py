"""A part's page and the findings of `parti check` in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from desks import MARKUP
from systems import System
from windows import NARROW, Window

Opened = Callable[..., Window]


def test_a_model_shows_its_versions_with_metrics_its_latencies_and_where_it_is_written(
    lending: System, opened: Opened
) -> None:
    window = opened(lending, color_scheme="light")
    window.run(part="decide", state="done")
    page = window.open("#/parts/risk")
    page.wait_for_selector("#versions")
    assert "v1" in page.inner_text("section[aria-labelledby=versions]")
    assert "auc" in page.inner_text(".pairs >> nth=0")
    page.wait_for_selector(".histogram .bars i")
    assert "app.py" in page.inner_text("#source") and "def train" in page.inner_text(".source")
    page.wait_for_selector(".rows.runs a.to")
    page.wait_for_selector(".standing.live")
    window.keep("part-model-light")
    assert window.illegible() == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    window.keep("part-model-dark")
    assert window.illegible() == []


def test_every_part_of_the_lending_desk_has_a_page(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.plan()
    names = page.eval_on_selector_all(".stage .part", "parts => parts.map(part => part.dataset.part)")
    for name in names:
        window.open(f"#/parts/{quote(name, safe='')}")
        page.wait_for_selector(f"h1:text-is('{name}')")
        page.wait_for_selector("#now")
        window.until("!document.querySelector('.notice')")


def test_errors_are_grouped_by_cause_and_lead_to_their_latest_run(archive: System, opened: Opened) -> None:
    window = opened(archive)
    archive.publish("claims", *({"id": f"grouped-{number}", "plan": "fetch"} for number in range(3)))
    for number in range(3):
        window.run(key=f"grouped-{number}", state="dead")
    page = window.open("#/parts/decide")
    page.wait_for_selector(".causes a.to")
    assert page.locator(".causes tbody tr").count() == 1
    assert int(page.inner_text(".causes .figure >> nth=1")) >= 3 and MARKUP[:10] in page.inner_text(".causes a.to")
    assert page.locator("img[src=x]").count() == 0
    window.keep("part-errors")
    page.focus(".causes a.to")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('decide:claims')")
    page.wait_for_selector(".head .state:text-is('dead')")
    page.go_back()
    page.click("text=All dead runs of decide")
    page.wait_for_selector(".rows.runs")
    assert page.url.endswith("#/runs?part=decide&state=dead")


def test_labels_schema_options_and_arrows_are_told(archive: System, opened: Opened) -> None:
    window = opened(archive)
    page = window.open("#/parts/claims")
    page.wait_for_selector("section[aria-labelledby=labels] >> text=PII")
    assert "properties" in page.inner_text("section[aria-label=Schema]")
    assert "key" in page.inner_text("section[aria-labelledby=options]")
    page.wait_for_selector(".joined a:text-is('decide')")
    page.click(".joined a:text-is('decide')")
    page.wait_for_selector("h1:text-is('decide')")


def test_findings_are_on_the_plan_on_the_part_and_in_a_list_of_their_own(archive: System, opened: Opened) -> None:
    window = opened(archive, color_scheme="light")
    page = window.plan()
    page.wait_for_selector("#part-claims.found-high .on-corner .words:has-text('⚑')")
    page.hover("#part-claims .name")
    page.wait_for_selector(".card .found:has-text('R203') .way li")
    window.keep("plan-findings")
    window.until("document.querySelector('#part-claims').getAttribute('aria-label').includes('finding')")
    page.click(".summary a")
    page.wait_for_selector("h1:text-is('Findings')")
    page.click(".findings a.on:text-is('claims') >> nth=0")
    page.wait_for_selector("h1:text-is('claims')")
    told = page.inner_text(".findings li.high >> nth=0")
    assert "R203" in told and "`claims.name` is pii" in told and "Try:" in told
    assert window.illegible() == []


def test_what_somebody_accepted_is_told_with_the_reason_and_marks_nothing(lending: System, opened: Opened) -> None:
    window = opened(lending)
    page = window.open("#/parts/decide")
    page.wait_for_selector(".findings .accepted:has-text('R207') >> text=/Until 20\\d\\d/")
    window.plan()
    assert page.locator(".on-corner").count() == 0


def test_a_part_fits_a_narrow_window(archive: System, opened: Opened) -> None:
    window = opened(archive, viewport=NARROW)
    page = window.open("#/parts/file")
    page.wait_for_selector("#options")
    page.wait_for_selector(".findings")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.keep("part-narrow")
