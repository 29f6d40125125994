"""Questions in a real browser: what waits for a person, answering it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from desks import MARKUP
from insurance import claim
from systems import System
from windows import NARROW, Window

Opened = Callable[..., Window]

AWAY = (
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "503",
)


def asked(system: System, window: Window, id: str, **more: object) -> None:
    """Publish a claim, and open the question that it leads to."""
    system.publish("claims", claim(id, **more))
    page = window.open("#/questions")
    page.click(f".asked-list a:has-text('{id}?')")
    page.wait_for_selector(f".asked-words:has-text('{id}?')")


def named(window: Window, name: str = "Ada") -> None:
    """Give the name that is asked for once."""
    window.page.fill("#prompt-text", name)
    window.page.keyboard.press("Enter")


def question(system: System, words: str, state: str = "answered") -> dict[str, object]:
    """What the board says of a question."""
    found = httpx.get(f"{system.url}/-/board/api/questions", params={"state": state}).json()
    return next(one for one in found if words in one["text"]["value"])  # type: ignore[no-any-return]


def test_a_question_of_the_lending_desk_is_answered_with_all_that_is_needed_to_decide(
    undecided: System, opened: Opened
) -> None:
    window = opened(undecided, color_scheme="light")
    page = window.open("#/questions")
    page.wait_for_selector(".asked-words:has-text('Approve hmda-')")
    words = page.inner_text(".asked-words")
    for heading in ("The event", "The run so far"):
        page.wait_for_selector(f".asked h2:has-text('{heading}')")
    assert "risk" in page.inner_text(".so-far")
    window.keep("questions-light")
    page.keyboard.press("a")
    page.keyboard.press("Space")
    page.click(".reply .primary")
    named(window)
    page.wait_for_selector(".outcome:has-text('by Ada')")
    assert "true" in page.inner_text(".outcome")
    window.keep("question-answered")
    told = question(undecided, words)
    assert (told["by"], told["answer"]["value"]) == ("Ada", True)  # type: ignore[index]
    page.click(".tabs a:has-text('Answered')")
    page.wait_for_selector(f".asked-list a:has-text('by Ada'):has-text({words.split(';', 1)[0]!r})")


def test_an_answer_that_is_sent_while_the_server_restarts_arrives_once(undecided: System, opened: Opened) -> None:
    """The form was opened before, what was written into it stays, and the name is asked once."""
    window = opened(undecided)
    window.forgive = AWAY
    page = window.open("#/questions")
    page.wait_for_selector(".asked-words:has-text('Approve hmda-')")
    words = page.inner_text(".asked-words")
    page.click(".reply .options label:has-text('No')")
    undecided.kill()
    page.wait_for_selector(".standing.lost")
    page.click(".reply .primary")
    named(window, "Bea")
    page.wait_for_selector(".waits:has-text('sent as soon as it is back')")
    window.keep("question-waits")
    undecided.start()
    page.wait_for_selector(".outcome:has-text('by Bea')")
    told = question(undecided, words)
    again = {"question": told["id"], "answer": False, "by": "Bea"}
    once_more = "async body => (await import('/-/board/api.js')).change('answer', body).then(told => told.state, wrong => wrong.code)"
    assert page.evaluate(once_more, again) == "answered"
    window.forgive = (*AWAY, "409")
    assert page.evaluate(once_more, {**again, "by": "Cy"}) == "P309"
    assert page.evaluate(once_more, {**again, "answer": True}) == "P309"


@pytest.mark.parametrize(
    ("asks", "fill", "answer"),
    [
        ("a choice", lambda page: page.click(".options label:has-text('later')"), "later"),
        ("a number", lambda page: page.fill(".reply input", "17"), 17),
        ("words", lambda page: page.fill(".reply textarea", f"so be it {MARKUP}"), f"so be it {MARKUP}"),
    ],
)  # fmt: skip
def test_each_type_of_answer_has_its_field(
    asks: str, fill: Callable[[object], None], answer: object, insurance: System, opened: Opened
) -> None:
    window = opened(insurance)
    id = asks.replace(" ", "-")
    asked(insurance, window, id, asks=asks)
    fill(window.page)
    window.page.click(".reply .primary")
    named(window)
    window.page.wait_for_selector(".outcome:has-text('by Ada')")
    assert question(insurance, f"{id}?")["answer"]["value"] == answer  # type: ignore[index]
    assert window.page.evaluate("window.pwned") is None


def test_a_bad_answer_is_refused_at_its_field_and_nothing_written_is_lost(insurance: System, opened: Opened) -> None:
    window = opened(insurance, color_scheme="dark")
    window.forgive = ("422",)
    page = window.page
    asked(insurance, window, "verdict", asks="a verdict")
    page.click(".options label:has-text('pay')")
    page.fill("input.number", "1200")
    page.click("text=Add reasons")
    page.click("text=Add to reasons")
    page.fill("[id$='reasons/0']", "it was insured")
    page.click(".reply .primary")
    named(window)
    page.wait_for_selector("[id$='amount-wrong']:has-text('1000')")
    window.until("document.activeElement.id.endsWith('amount')")
    assert page.get_attribute("input.number", "aria-invalid") == "true"
    window.keep("question-refused")
    page.reload()
    page.wait_for_selector("input.number")
    assert page.input_value("input.number") == "1200", "a reload loses nothing"
    page.fill("input.number", "12e2")
    page.fill("input.number", "120.5")
    page.click(".reply .primary")
    page.wait_for_selector(".outcome:has-text('by Ada')")
    answer = question(insurance, "verdict?")["answer"]["value"]  # type: ignore[index]
    assert answer == {"decision": "pay", "amount": 120.5, "reasons": ["it was insured"]}


def test_a_question_that_somebody_else_settled_says_so_and_markup_in_it_is_text(
    insurance: System, opened: Opened
) -> None:
    window, other = opened(insurance), opened(insurance)
    for one in (window, other):
        asked(insurance, one, "both", asks="yes or no", note=MARKUP)
    assert MARKUP in window.page.inner_text(".asked-words")
    other.page.click(".options label:has-text('No')")
    other.page.click(".reply .primary")
    named(other, MARKUP)
    other.page.wait_for_selector(".outcome")
    window.page.wait_for_selector(f".outcome:has-text({MARKUP!r})")
    for one in (window, other):
        assert one.page.evaluate("window.pwned") is None and one.page.locator("main img").count() == 0


def test_questions_fit_a_narrow_window_and_say_when_there_are_none(insurance: System, opened: Opened) -> None:
    window = opened(insurance, viewport=NARROW)
    asked(insurance, window, "narrow", asks="a verdict")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.keep("questions-narrow")
    window.open("#/questions?state=expired")
    window.page.wait_for_selector("text=No question is expired")
    window.forgive = ("404",)
    window.open("#/questions/no-such")
    window.page.wait_for_selector("text=there is no question")
