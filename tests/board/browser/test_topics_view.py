"""Topics in a real browser: the live tail, a look into an event, publishing one, and dead letters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from desks import MARKUP
from insurance import claim
from systems import System, application
from windows import NARROW, Window

Opened = Callable[..., Window]
Started = Callable[..., System]

AWAY = (
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "503",
)
FIRST = "document.querySelector('.events tbody tr a')?.textContent"


def latest(system: System, topic: str) -> dict[str, object]:
    """The payload of the latest event."""
    found = httpx.get(f"{system.url}/-/board/api/tail", params={"topic": topic, "limit": "1"}).json()
    return found["events"][0]["payload"]["value"]  # type: ignore[no-any-return]


def test_topics_show_what_they_keep_and_how_far_behind_their_handlers_are(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="dark")
    page = window.open("#/topics")
    page.wait_for_selector("td strong:text-is('decisions')")
    window.keep("topics-dark")
    page.click("td strong:text-is('applications')")
    page.wait_for_selector("dt:text-is('Lag of decide')")
    page.click(".tabs a:has-text('Partitions')")
    page.wait_for_selector("meter.lag")
    window.keep("partitions-dark")
    page.click("td a:text-is('0')")
    page.wait_for_selector(".strip:has-text('Partition 0, around')")
    page.wait_for_selector(".events tr.at")


def test_the_tail_moves_and_can_be_held_while_an_event_is_looked_into(lending: System, opened: Opened) -> None:
    window = opened(lending, color_scheme="light")
    page = window.open("#/topics/decisions")
    page.wait_for_selector(".events tbody tr")
    before = page.evaluate(FIRST)
    window.until(f"{FIRST} !== {before!r}")
    page.keyboard.press(".")
    page.wait_for_selector("text=The tail is held")
    held = page.evaluate(FIRST)
    lending.publish("applications", application("hmda-7"))
    page.keyboard.press("j")
    page.wait_for_selector(".event .handled li:has-text('answer')")
    page.wait_for_selector(".event dt:text-is('Caused by') + dd a")
    assert page.evaluate(FIRST) == held and held is not None and held in page.inner_text("#event-title")
    window.keep("event-light")
    page.keyboard.press("Escape")
    page.wait_for_selector(".event", state="detached")


def test_an_event_is_published_by_a_form_made_from_the_schema_of_its_topic(insurance: System, opened: Opened) -> None:
    """Nested models, lists, maps, enumerations, dates, moments, and what may be left out."""
    window = opened(insurance, color_scheme="light", timezone_id="Europe/Berlin", locale="en-GB")
    window.forgive = ("422",)
    page = window.open("#/topics/claims?tab=publish")
    page.click(".publish .primary")
    page.wait_for_selector(
        "[id='publish-claims-items-wrong']:has-text('Field required'), [id='publish-claims-items-wrong']:has-text('at least 1')"
    )
    window.until("document.activeElement.id === 'publish-claims-id'")
    assert page.locator("[id='publish-claims-seen_on-wrong']").count() == 1
    page.fill("[id='publish-claims-id']", MARKUP)
    page.click(".options label:has-text('basic')")
    for name, worth in (("lamp", "120.50"), ("rug", "x")):
        page.click("text=Add to items")
        at = "0" if name == "lamp" else "1"
        page.fill(f"[id='publish-claims-items/{at}/name']", name)
        page.fill(f"[id='publish-claims-items/{at}/worth']", worth)
    page.fill("[id='publish-claims-seen_on']", "2026-05-04")
    page.fill("[id='publish-claims-told_at']", "2026-05-04T12:30:15")
    page.click("text=Add witness")
    page.fill("[id='publish-claims-witness/name']", "clock")
    page.fill("[id='publish-claims-witness/worth']", "3")
    page.click("text=Add marks")
    page.fill("[aria-label='A name in marks']", "dents")
    page.keyboard.press("Enter")
    page.fill("[id='publish-claims-marks/dents']", "4")
    page.select_option("[id='publish-claims-paid-which']", label="Transfer")
    page.fill("[id='publish-claims-paid/parts/0']", "2")
    page.fill("[id='publish-claims-paid/parts/1']", "halves")
    page.click(".publish .primary")
    page.wait_for_selector("[id='publish-claims-paid/iban-wrong']:has-text('Field required')")
    page.wait_for_selector("[id='publish-claims-items/1/worth-wrong']")
    window.until("document.activeElement.id === 'publish-claims-items/1/worth'")
    window.keep("publish-refused")
    page.fill("[id='publish-claims-paid/iban']", "DE00")
    page.click("[aria-label='Take items 2 away']")
    page.keyboard.press("Escape")
    page.click(".publish .primary")
    page.wait_for_selector(".done:has-text('Published as claims')")
    window.keep("publish-light")
    assert latest(insurance, "claims") == {
        "id": MARKUP, "holder": "•••", "cover": "basic", "items": [{"name": "lamp", "worth": "120.5"}],
        "seen_on": "2026-05-04", "told_at": "2026-05-04T10:30:15Z", "witness": {"name": "clock", "worth": "3"},
        "marks": {"dents": 4}, "paid": {"way": "transfer", "iban": "DE00", "parts": [2, "halves"]}, "urgent": False, "note": None, "asks": "yes or no",
    }  # fmt: skip
    page.click(".done a")
    page.wait_for_selector(".event .handled li:has-text('settle')")
    assert MARKUP in page.inner_text(".event .pairs") and page.evaluate("window.pwned") is None


def test_json_is_the_other_way_in_and_says_what_does_not_fit(insurance: System, opened: Opened) -> None:
    window = opened(insurance, color_scheme="dark")
    window.forgive = ("422",)
    page = window.open("#/topics/notes?tab=publish")
    page.fill("[id='publish-notes-id']", "json-1")
    page.click(".ways label:has-text('JSON')")
    assert '"id": "json-1"' in page.input_value("textarea")
    page.fill("textarea", '{"id": "json-1", ')
    page.click(".publish .primary")
    page.wait_for_selector(".wrong:has-text('not JSON')")
    page.fill("textarea", '{"id": 5}')
    page.click(".publish .primary")
    page.wait_for_selector(".misfits li:has-text('id')")
    window.keep("publish-json")
    page.fill("textarea", '{"id": "json-1", "text": "by hand"}')
    page.click(".publish .primary")
    page.wait_for_selector(".done:has-text('Published as notes')")
    assert latest(insurance, "notes") == {"id": "json-1", "text": "by hand"}
    page.click(".ways label:has-text('Form')")
    assert page.input_value("[id='publish-notes-text']") == "by hand"


def test_an_event_that_is_published_while_the_server_restarts_arrives_once(insurance: System, opened: Opened) -> None:
    window = opened(insurance)
    window.forgive = AWAY
    page = window.open("#/topics/notes?tab=publish")
    page.fill("[id='publish-notes-id']", "over-a-restart")
    page.wait_for_selector(".standing.live")
    insurance.kill()
    page.click(".publish .primary")
    page.wait_for_selector(".waits")
    insurance.start()
    page.wait_for_selector(".done:has-text('Published as notes')")
    page.wait_for_selector(".standing.live")
    found = httpx.get(f"{insurance.url}/-/board/api/tail", params={"topic": "notes"}).json()["events"]
    assert sum(one["key"] == "over-a-restart" for one in found) == 1


def test_dead_letters_are_shown_with_their_errors_and_started_again_one_or_all(
    insurance: System, opened: Opened
) -> None:
    broken = Path(insurance.folder) / "broken"
    broken.touch()
    insurance.publish("notes", *({"id": f"dead-{n}", "text": MARKUP} for n in range(5)))
    window = opened(insurance, color_scheme="light")
    page = window.open("#/dead-letters?topic=notes")
    window.until(
        "import('/-/board/api.js').then(api => api.ask('dead-letters', {topic: 'notes'})).then(page => page.letters.length === 5)"
    )
    page.click("text=Read again")
    page.wait_for_selector(".letter:nth-child(5)")
    assert MARKUP in page.inner_text(".letter") and page.evaluate("window.pwned") is None
    page.click(".letter summary")
    page.wait_for_selector(".letter details:has-text('is called again from its first line')")
    window.keep("dead-letters-light")
    broken.unlink()
    page.click(".letter button:has-text('Retry')")
    page.wait_for_selector(".letter:has-text('started again')")
    page.click("text=Retry all")
    page.wait_for_selector("dialog:has-text('Start all of them again?')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.locator(".account").count() == 0, "a no changes nothing"
    page.click("text=Retry all")
    page.click("dialog .primary")
    page.wait_for_selector(".account:has-text('4 started again.')")
    page.wait_for_selector(".notice:has-text('There is none.')")
    done = "import('/-/board/api.js').then(api => api.ask('runs', {part: 'shelve', state: 'done', limit: 200})).then(page => page.runs.filter(run => run.key.startsWith('dead-')).length === 5)"
    window.until(done)


def test_topics_fit_a_narrow_window_and_say_what_is_missing(insurance: System, opened: Opened) -> None:
    insurance.publish("claims", claim("narrow-topic", note="x" * 5000))
    window = opened(insurance, viewport=NARROW)
    page = window.page
    for hash, there in (
        ("#/topics", "td strong:text-is('claims')"), ("#/topics/claims", ".events tbody tr"), ("#/topics/claims?tab=publish", ".publish"),
        ("#/topics/claims?event=0:0", ".event .pairs"), ("#/dead-letters", "h1:text-is('Dead letters')"),
    ):  # fmt: skip
        window.open(hash)
        page.wait_for_selector(there)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), hash
    window.open("#/topics/claims")
    page.wait_for_selector(".events tbody tr")
    window.keep("tail-narrow")
    window.open("#/topics/no-such")
    page.wait_for_selector("text=No topic is named no-such")
    window.forgive = ("404",)
    window.open("#/topics/claims?event=0:99999")
    page.wait_for_selector(".event .wrong:has-text('there is no event')")
    window.open("#/dead-letters?topic=no-such")
    page.wait_for_selector(".wrong:has-text('nothing handles')")
