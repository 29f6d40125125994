"""A language model may propose wordings: it sees what went wrong, and what loses a variable is discarded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_apps import parti
from prompting_apps import CLEARER, DESK, PRESENT, asked_of, kind_of, taught

from parti.ports.llm import Answer, LlmFailure, Request
from parti.testing import Script, said

Answered = Callable[[Any], Script]


def coached(*texts: Any) -> Callable[[Request], Any]:
    """Sorts like `taught`, and proposes these texts one after the other; `seen` are the requests."""
    waiting = list(texts)

    def play(request: Request) -> Any:
        asked = asked_of(request)
        if asked is None:
            return taught(request)
        seen.append(asked)
        text = waiting.pop(0)
        return text if isinstance(text, Exception | Answer) else said({"instructions": text})

    seen: list[Any] = []
    play.seen = seen  # type: ignore[attr-defined]
    return play


def search(*options: str) -> Any:
    found = parti("optimize", "prompt", "right", "--by", "coach", "--json", *options)
    assert found.code == 0, found.err
    return found.json


def test_a_proposal_that_helps_is_found_and_written(desk: Path, answered_by: Answered) -> None:
    answered_by(coached("Sort fast, {tone}.", CLEARER.strip()))
    found = search("--proposals", "2", "--examples-max", "0")
    assert [row["wording"] for row in found["tried"]] == ["present", "proposal 1", "proposal 2"]
    assert (found["better"], found["best"]["wording"]) == (True, "proposal 2")
    assert (desk / "prompts" / "sorter.best.md").read_text(encoding="utf-8") == CLEARER


def test_it_is_shown_the_text_the_worst_cases_with_their_reasons_and_what_was_proposed(
    desk: Path, answered_by: Answered
) -> None:
    play = coached("Sort fast, {tone}.", CLEARER)
    script = answered_by(play)
    found = search("--proposals", "2", "--examples-max", "0")
    first, second = play.seen  # type: ignore[attr-defined]
    assert (first["instructions"], first["variables"]) == (PRESENT, ["tone"])
    assert first["went_wrong"]
    for case in first["went_wrong"]:
        number = int(case["input"].split()[1])
        assert (case["score"], case["expected"], case["output"]) == (0, kind_of(number), {"label": "bill"})
        assert case["why"] == f"bill, expected {kind_of(number)}"
    assert first["proposed_before"] == []
    assert second["proposed_before"] == [{"instructions": "Sort fast, {tone}.\n", "refused": ""}]
    drawn = [request.messages[-1].text for request in script.asked[: found["drawn"]]]
    assert {case["input"] for case in first["went_wrong"]} <= set(drawn), "none of them scores a candidate"


def test_a_proposal_that_does_not_fit_is_discarded_and_said(desk: Path, answered_by: Answered) -> None:
    answered_by(coached("Sort.", "Sort {tone} {now}.", PRESENT, "  ", "Sort {tone", CLEARER))
    found = search("--proposals", "6", "--examples-max", "0")
    assert {one["name"]: one["why"] for one in found["discarded"]} == {
        "proposal 1": "the variable {tone} is lost",
        "proposal 2": "it names {now}, which is no variable",
        "proposal 3": "it says what another wording says",
        "proposal 4": "`coach` gave no text",
        "proposal 5": "its braces do not match: expected '}' before end of string",
    }
    assert found["best"]["wording"] == "proposal 6"
    answered_by(coached("Sort."))
    told = parti("optimize", "prompt", "right", "--by", "coach", "--proposals", "1", "--examples-max", "0")
    assert "proposal 1 discarded: the variable {tone} is lost" in told.out


def test_a_model_that_gives_no_valid_proposal_is_no_end_of_the_search(desk: Path, answered_by: Answered) -> None:
    answered_by(coached(said("no"), said("JSON"), said("at all"), CLEARER))
    found = search("--proposals", "2", "--examples-max", "0")
    assert [one["name"] for one in found["discarded"]] == ["proposal 1"]
    assert found["best"]["wording"] == "proposal 2"


def test_proposals_are_not_paid_twice_when_the_search_goes_on(desk: Path, answered_by: Answered) -> None:
    play = coached("Sort fast, {tone}.", LlmFailure("P701", "down", lasting=True), CLEARER)
    answered_by(play)
    told = parti("optimize", "prompt", "right", "--by", "coach", "--proposals", "2", "--json")
    assert (told.code, told.error) == (2, "P701")
    assert search("--proposals", "2")["best"]["wording"] == "proposal 2"
    assert len(play.seen) == 3, "the first was answered and is not asked again"  # type: ignore[attr-defined]


def test_a_model_that_does_not_exist_is_refused_before_anything_is_asked(desk: Path, answered_by: Answered) -> None:
    script = answered_by(taught)
    assert parti("optimize", "prompt", "right", "--by", "nobody", "--json").error == "P308"
    assert script.asked == []


def test_proposals_are_paid_out_of_the_same_budget(desk: Path, answered_by: Answered) -> None:
    """The proposer may not take what proving takes: it is refused, and the search goes on with the wordings that there are."""
    app = (desk / "app.py").read_text(encoding="utf-8")
    dear = 'coach = desk.llm("local", name="coach", price=Price(0, 1_000), max_tokens=1_000)'
    app = app.replace('coach = desk.llm("local", name="coach")', dear).replace("import Case", "import Case, Price")
    (desk / "app.py").write_text(app, encoding="utf-8")
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    play = coached(CLEARER)
    answered_by(play)
    found = search("--budget", "0.9", "--wording", "clearer.md", "--examples-max", "0")
    assert (found["cut"], found["usd"], found["better"]) == (True, 0.0, True)
    assert play.seen == [], "a call that may cost a dollar was not made"  # type: ignore[attr-defined]


SECRET = "the key of everything"
LEAKY = DESK.replace(
    "class Tone(BaseModel):\n    tone: str\n",
    'SECRET = "the key of everything"\n\n\nclass Mood(BaseModel):\n    name: str\n\n'
    "    def louder(self) -> str:\n        return self.name\n\n\nclass Tone(BaseModel):\n    tone: Mood\n",
).replace('{"tone": "plain"}', '{"tone": {"name": "plain"}}')


@pytest.mark.parametrize(
    ("proposed", "why"),
    [
        ("Sort, {tone.louder.__globals__[SECRET]}", "'__globals__' of {tone.louder.__globals__[SECRET]} begins with _"),
        ("Sort, {tone:>3000000000}", "is wider than 1,000 characters"),
        ("Sort, {tone!r}", "it writes {tone!r}, which the present prompt does not"),
        ("Sort, {tone!s:>900}", "it writes {tone!s:>900}, which the present prompt does not"),
        ("Sort, {tone} {tone.name}", "it writes {tone.name}, which the present prompt does not"),
    ],
)
def test_a_proposal_names_nothing_that_the_present_prompt_does_not(
    desk: Path, answered_by: Answered, proposed: str, why: str
) -> None:
    """What a proposal names would be sent to the model that wrote it, and to whoever serves it."""
    (desk / "app.py").write_text(LEAKY, encoding="utf-8")
    text = (desk / "whole.jsonl").read_text(encoding="utf-8")
    (desk / "whole.jsonl").write_text(text.replace('"tone": "plain"', '"tone": {"name": "plain"}'), encoding="utf-8")
    script = answered_by(lambda request: said({"instructions": proposed}) if asked_of(request) else taught(request))
    options = ("--by", "coach", "--proposals", "1", "--examples-max", "0")
    found = parti("optimize", "prompt", "whole", "--json", *options)
    assert found.code == 0, found.err
    assert why in found.json["discarded"][0]["why"]
    assert [row["wording"] for row in found.json["tried"]] == ["present"]
    assert not any(SECRET in message.text for request in script.asked for message in request.messages)  # type: ignore[union-attr]
    assert (desk / "prompts" / "sorter.md").read_text(encoding="utf-8") == PRESENT
