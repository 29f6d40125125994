"""`parti optimize prompt`: the planted best prompt is found and proved; nothing worse is ever written."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_apps import lines, parti
from prompting_apps import CLEARER, DESK, PRESENT, kind_of, taught, ticket, unteachable, wanted

from parti.declare.loading import load
from parti.design.agent import Agent
from parti.ports.llm import Answer, LlmFailure, Request
from parti.testing import Script, said

Answered = Callable[[Any], Script]


def search(*options: str, of: str = "whole") -> Any:
    """What a search found, as JSON."""
    found = parti("optimize", "prompt", of, "--json", *options)
    assert found.code == 0, found.err
    return found.json


def test_the_planted_wording_and_example_are_found_proved_and_written_beside(desk: Path, answered_by: Answered) -> None:
    """Only the clearer wording together with one wish as an example is right everywhere."""
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    found = search("--wording", "clearer.md")
    best = found["best"]
    assert (best["wording"], best["score"], len(best["examples"])) == ("clearer.md", 1.0, 1)
    assert kind_of(best["examples"][0] - 1) == "wish"
    assert found["comparison"]["note"] == "better, and hardly by chance"
    assert (found["better"], found["written"], found["replaced"]) == (True, "prompts/sorter.best.md", False)
    text = (desk / "prompts" / "sorter.best.md").read_text(encoding="utf-8")
    assert text.startswith(CLEARER) and "{{about}} `wish`" in text
    assert (desk / "prompts" / "sorter.md").read_text(encoding="utf-8") == PRESENT
    assert not list(desk.glob("desk.parti.optimize*"))


def test_the_table_says_what_was_tried_what_was_proved_and_what_to_type_next(desk: Path, answered_by: Answered) -> None:
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    told = parti("optimize", "prompt", "whole", "--wording", "clearer.md", "--examples-max", "0")
    assert told.code == 0
    out = told.out.splitlines()
    assert out[0] == "sorter  prompts/sorter.md against whole"
    assert out[1] == "30 cases to choose by, 30 held out, 0 to draw examples from"
    assert out[3].split()[-2:] == ["clearer.md", "none"]
    assert out[4].split()[-2:] == ["present", "none"]
    assert "on the 30 held-out cases: better, and hardly by chance" in told.out
    assert "to use it: mv prompts/sorter.best.md prompts/sorter.md" in told.out
    assert told.err.splitlines()[-1] == "next: parti eval whole --compare previous"


def test_the_next_command_compares_the_better_prompt_with_what_the_search_stored(
    desk: Path, answered_by: Answered
) -> None:
    """The version that a candidate is shown with is the one that it has once it stands in the file."""
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    found = search("--wording", "clearer.md", "--write")
    assert (found["written"], found["replaced"]) == ("prompts/sorter.md", True)
    after = parti("eval", "whole", "--compare", "previous", "--json").json[0]
    assert after["version"] == found["best"]["version"]
    assert after["comparison"]["before"] == found["tried"][0]["version"]
    assert after["comparison"]["note"] == "better, and hardly by chance"
    assert after["comparison"]["cases"] == 60


def test_a_handler_is_tried_with_the_wordings_of_the_agent_that_it_calls(desk: Path, answered_by: Answered) -> None:
    """Its examples are what the agent was asked and made inside of cases that were right."""
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    found = search("--wording", "clearer.md", "--trials", "5", of="sorted_right")
    assert (found["agent"], found["better"], found["best"]["wording"]) == ("sorter", True, "clearer.md")
    with_examples = [row for row in found["tried"] if row["examples"]]
    assert with_examples
    assert all(kind_of(line - 1) == "bill" for row in with_examples for line in row["examples"])


def test_where_nothing_helps_it_says_so_and_writes_nothing(desk: Path, answered_by: Answered) -> None:
    script = answered_by(unteachable)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    told = parti("optimize", "prompt", "whole", "--wording", "clearer.md", "--write", "--trials", "6")
    assert told.code == 0
    assert "no candidate did better than the present prompt; the 24 held-out cases were not looked at" in told.out
    assert "nothing was written" in told.out
    assert told.err.splitlines()[-1] == "next: parti eval whole"
    assert [file.name for file in (desk / "prompts").iterdir()] == ["sorter.md"]
    assert len({request.messages[-1].text for request in script.asked}) == 36, "the held-out cases were not asked"


def test_a_lucky_candidate_is_not_written_when_the_held_out_cases_do_not_prove_it(
    desk: Path, answered_by: Answered
) -> None:
    """It is right on the cases that it was chosen by, and no better on those that it was not."""
    (desk / "lucky.md").write_text("Try your luck, in a {tone} tone.\n", encoding="utf-8")
    answered_by(unteachable)
    asked = answered_by(unteachable)
    search("--wording", "lucky.md", "--examples-max", "0")
    chosen = {request.messages[-1].text for request in asked.asked}

    def lucky(request: Request) -> Answer:
        instructions, number = wanted(request)
        right = "luck" in instructions and request.messages[-1].text in chosen
        return said({"label": kind_of(number) if right else "bill"})

    answered_by(lucky)
    found = search("--wording", "lucky.md", "--examples-max", "0", "--write")
    assert (found["best"]["wording"], found["best"]["score"]) == ("lucky.md", 1.0)
    assert (found["better"], found["written"]) == (False, "")
    assert found["note"].startswith("on the 30 held-out cases: no difference can be told")
    assert (desk / "prompts" / "sorter.md").read_text(encoding="utf-8") == PRESENT


def test_no_example_scores_itself(desk: Path, answered_by: Answered) -> None:
    """A model that only copies examples gains nothing: no case that is scored ever stands in the text."""

    def copying(request: Request) -> Answer:
        instructions, number = wanted(request)
        shown = f"\n{ticket(number)}\n" in instructions
        leaks.append(shown)
        return said({"label": kind_of(number) if shown else "bill"})

    leaks: list[bool] = []
    answered_by(copying)
    found = search("--trials", "6")
    assert len(found["tried"]) == 6
    assert not any(leaks)
    assert not found["better"]


def test_cases_that_a_wording_shows_already_score_nobody(desk: Path, answered_by: Answered) -> None:
    """A prompt that an earlier search wrote is searched again without the cases that it gives away."""
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    first = search("--wording", "clearer.md", "--write")
    again = search("--seed", "1", "--trials", "4")
    assert again["shown"] == len(first["best"]["examples"]) == 1
    assert again["drawn"] + again["choosing"] + again["held_out"] == 59
    assert not again["better"]


def test_the_same_seed_finds_the_same_and_another_seed_splits_otherwise(desk: Path, answered_by: Answered) -> None:
    script = answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")

    def found(seed: str) -> tuple[Any, list[str]]:
        asked = len(script.asked)
        one = search("--wording", "clearer.md", "--seed", seed, "--trials", "4")
        return one, sorted(
            f"{request.messages[0].text} {request.messages[-1].text}" for request in script.asked[asked:]
        )

    one, again, other = found("3"), found("3"), found("4")
    assert {**one[0], "written": ""} == {**again[0], "written": ""}
    assert again[0]["written"] == "prompts/sorter.best-2.md", "what was written before may be somebody's work"
    assert one[1] == again[1] != other[1]


def test_a_search_that_was_cut_off_goes_on_and_pays_for_nothing_twice(desk: Path, answered_by: Answered) -> None:
    """At whatever call it ends: all calls of all processes together are those of one that was not cut off."""
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    options = ("--wording", "clearer.md", "--trials", "4", "--limit", "30", "--concurrency", "1")
    whole = answered_by(taught)
    expected = search(*options)
    (desk / "prompts" / "sorter.best.md").unlink()
    answered = Counter[str]()
    for last in (5, 20, 35, 50, 10_000):

        def until(request: Request, last: int = last) -> Any:
            if sum(answered.values()) >= last:
                raise LlmFailure("P701", "it is down", lasting=True)
            answered[f"{request.messages[0].text} {request.messages[-1].text}"] += 1
            return taught(request)

        answered_by(until)
        told = parti("optimize", "prompt", "whole", "--json", *options)
        assert (told.code, list(desk.glob("desk.parti.optimize/whole")) != []) == ((2, True), (0, False))[
            last == 10_000
        ]
    assert told.json == expected
    assert answered == Counter(f"{request.messages[0].text} {request.messages[-1].text}" for request in whole.asked)
    assert set(answered.values()) == {1}


def test_answers_can_be_recorded_and_played_back(desk: Path, answered_by: Answered) -> None:
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    options = ("--wording", "clearer.md", "--trials", "4")
    before = search(*options, "--record", "tape")
    script = answered_by(unteachable)
    assert {**search(*options, "--replay", "tape"), "written": before["written"]} == before
    assert script.asked == []
    assert parti("optimize", "prompt", "whole", "--record", "a", "--replay", "b").code == 2


def priced(request: Request) -> Answer:
    return replace(taught(request), usd=0.01)


@pytest.mark.parametrize(("budget", "cut"), [(None, False), ("1.6", True), ("9", False)])
def test_the_budget_bounds_the_search_and_leaves_enough_to_prove_what_it_found(
    desk: Path, answered_by: Answered, budget: str | None, cut: bool
) -> None:
    script = answered_by(priced)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    options = ["--wording", "clearer.md", "--trials", "6", *(["--budget", budget] if budget else [])]
    found = search(*options)
    assert found["cut"] == cut
    assert found["usd"] == pytest.approx(0.01 * len(script.asked))
    assert budget is None or found["usd"] <= float(budget)
    assert found["better"], "what was found before the money was spent is proved all the same"
    assert ("The budget cut the search short" in found["note"]) == cut


def test_a_budget_that_cannot_prove_anything_is_refused_and_more_of_it_goes_on_from_there(
    desk: Path, answered_by: Answered
) -> None:
    script = answered_by(priced)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    told = parti("optimize", "prompt", "whole", "--wording", "clearer.md", "--budget", "0.5", "--json")
    assert (told.code, told.error) == (2, "P722")
    before = len(script.asked)
    assert before == 36, "the present prompt was tried"
    found = search("--wording", "clearer.md", "--budget", "5", "--trials", "4")
    assert found["usd"] == pytest.approx(0.01 * len(script.asked)), "both processes count, and nothing counts twice"


CATCHING = DESK.replace("checks\n", "checks, StepFailed, Price\n").replace(
    'llm = desk.llm("local")', 'llm = desk.llm("local", price=Price(1_000, 1_000), max_tokens=10)'
).replace(
    '    return await sorter.run(ticket.text, variables={"tone": "plain"})',
    """    try:
        return await sorter.run(ticket.text, variables={"tone": "plain"})
    except StepFailed:
        return Label(label="lost")""",
)  # fmt: skip
"""Its handler makes do without the model. A call costs 0.012 dollars, and more than that is set aside for it."""


def test_a_refused_call_that_the_program_catches_scores_nothing(desk: Path, answered_by: Answered) -> None:
    """A candidate is not blamed for what the budget did: its trial ends, and with more money it is tried anew."""
    (desk / "app.py").write_text(CATCHING, encoding="utf-8")
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    script = answered_by(taught)
    told = parti("optimize", "prompt", "sorted_right", "--wording", "clearer.md", "--budget", "0.4", "--json")
    assert (told.code, told.error) == (2, "P722")
    assert 0 < 0.012 * len(script.asked) <= 0.4
    rich = search("--wording", "clearer.md", "--budget", "20", "--trials", "3", of="sorted_right")
    assert (rich["better"], rich["cut"]) == (True, False)
    assert rich["tried"][0]["score"] == pytest.approx(sum(kind == "bill" for kind in chosen(script)) / 24, abs=0.001)


def chosen(script: Script) -> list[str]:
    """The kinds of the cases to choose by: those that the clearer wording was tried on, without the held-out ones."""
    asked = [wanted(request) for request in script.asked]
    careful = list(
        dict.fromkeys(number for instructions, number in asked if instructions == CLEARER.format(tone="plain"))
    )
    return [kind_of(number) for number in careful[:24]]


def test_no_model_is_asked_for_wordings_unless_it_is_named(desk: Path, answered_by: Answered) -> None:
    script = answered_by(taught)
    search("--trials", "2")
    assert not any("You improve" in request.messages[0].text for request in script.asked)


def test_too_few_cases_say_how_many_are_needed(desk: Path, answered_by: Answered) -> None:
    script = answered_by(taught)
    told = parti("optimize", "prompt", "whole", "--limit", "14")
    assert told.code == 2
    assert "P721 14 different cases are too few" in told.err
    assert "try: give at least 15" in told.err
    assert script.asked == []


def test_instructions_in_the_program_are_refused_saying_how_to_move_them(desk: Path, answered_by: Answered) -> None:
    app = DESK.replace('Prompt("prompts/sorter.md", Tone)', '"Sort."').replace(', variables={"tone": "plain"}', "")
    (desk / "app.py").write_text(app, encoding="utf-8")
    told = parti("optimize", "prompt", "sorted_right")
    assert told.code == 2
    assert "P721 the instructions of `sorter` stand in the program" in told.err
    assert 'write instructions=Prompt("prompts/sorter.md")' in told.err


def test_of_several_prompts_one_is_named(desk: Path, answered_by: Answered) -> None:
    answered_by(taught)
    (desk / "prompts" / "other.md").write_text("Say {tone} again.\n", encoding="utf-8")
    other = 'other = desk.agent("other", llm=llm, output=Label, instructions=Prompt("prompts/other.md", Tone))\n\n\n@desk.on('
    app = DESK.replace("@desk.on(", other).replace(
        '    return await sorter.run(ticket.text, variables={"tone": "plain"})',
        '    await other.run(ticket.text, variables={"tone": "plain"})\n'
        '    return await sorter.run(ticket.text, variables={"tone": "plain"})',
    )
    (desk / "app.py").write_text(app, encoding="utf-8")
    told = parti("optimize", "prompt", "sorted_right")
    assert (told.code, "P721 `sort` calls several agents with a prompt: sorter, other" in told.err) == (2, True)
    assert "try: say which, as --agent sorter" in told.err
    found = search("--agent", "other", "--trials", "2", "--examples-max", "1", of="sorted_right")
    assert (found["agent"], found["prompt"]) == ("other", "prompts/other.md")
    assert parti("optimize", "prompt", "sorted_right", "--agent", "nobody", "--json").error == "P308"
    assert parti("optimize", "prompt", "whole", "--agent", "other", "--json").error == "P721"


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        ("Sort.", "P105", "the variable `tone` is declared and nowhere used"),
        ("Sort in a {tone} tune, {when}.", "P105", "the variable {when} is not declared"),
        ("Sort in a {tone.deep} tune.", "P105", "a variable cannot be put in"),
        ("", "P504", "is empty"),
    ],
)
def test_a_wording_that_does_not_fit_is_named_before_anything_is_asked(
    desk: Path, answered_by: Answered, text: str, code: str, what: str
) -> None:
    script = answered_by(taught)
    (desk / "other.md").write_text(text, encoding="utf-8")
    told = parti("optimize", "prompt", "whole", "--wording", "other.md")
    assert told.code == 2
    assert f"{code} " in told.err and what in told.err and "other.md" in told.err
    assert script.asked == []


def test_a_folder_gives_all_its_wordings_and_one_without_any_is_refused(desk: Path, answered_by: Answered) -> None:
    answered_by(taught)
    (desk / "texts").mkdir()
    assert parti("optimize", "prompt", "whole", "--wording", "texts", "--json").error == "P504"
    assert parti("optimize", "prompt", "whole", "--wording", "nowhere.md", "--json").error == "P504"
    for name, text in (("a.md", CLEARER), ("b.md", "Sort in {tone}.\n"), ("c.md", PRESENT)):
        (desk / "texts" / name).write_text(text, encoding="utf-8")
    found = search("--wording", "texts", "--examples-max", "0")
    assert [row["wording"] for row in found["tried"]] == ["present", "texts/a.md", "texts/b.md"]


def test_without_its_package_it_is_refused_before_anything_is_asked(
    desk: Path, answered_by: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = answered_by(taught)
    monkeypatch.setitem(sys.modules, "optuna", None)
    told = parti("optimize", "prompt", "whole")
    assert (told.code, "P110 optimising a prompt needs the package 'optuna'" in told.err) == (2, True)
    assert "try: pip install 'parti[optimize]'" in told.err
    assert script.asked == []


def test_a_prompt_that_somebody_changed_meanwhile_is_not_replaced(desk: Path, answered_by: Answered) -> None:
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")

    def meddling(request: Request) -> Answer:
        (desk / "prompts" / "sorter.md").write_text("Mine, in a {tone} tone.\n", encoding="utf-8")
        return taught(request)

    answered_by(meddling)
    found = search("--wording", "clearer.md", "--examples-max", "0", "--write")
    assert (found["written"], found["replaced"]) == ("prompts/sorter.best.md", False)
    assert (desk / "prompts" / "sorter.md").read_text(encoding="utf-8") == "Mine, in a {tone} tone.\n"


def test_repetitions_of_a_case_count_as_one(desk: Path, answered_by: Answered) -> None:
    script = answered_by(unteachable)
    found = search("--repeat", "2", "--trials", "2", "--examples-max", "0")
    assert found["tried"][0]["cases"] == 30
    assert len(script.asked) == 60


def test_an_agent_reads_as_it_will_once_the_text_stands_in_its_file(desk: Path) -> None:
    before = load(desk / "app.py").design.get(Agent, "sorter")
    (desk / "prompts" / "sorter.md").write_text(CLEARER, encoding="utf-8")
    after = load(desk / "app.py").design.get(Agent, "sorter")
    assert before.reworded(CLEARER) == after
    assert repr(before.reworded(CLEARER)) == repr(after)


def test_an_evaluation_without_an_agent_is_refused(desk: Path) -> None:
    app = DESK.replace('await sorter.run(ticket.text, variables={"tone": "plain"})', 'Label(label="bill")')
    (desk / "app.py").write_text(app, encoding="utf-8")
    told = parti("optimize", "prompt", "sorted_right")
    assert (told.code, "P721 `sorted_right` tries `sort`, and no agent works there" in told.err) == (2, True)
    assert parti("optimize", "prompt", "wrong", "--json").error == "P308"


def test_equal_lines_are_left_out_and_said(desk: Path, answered_by: Answered) -> None:
    answered_by(unteachable)
    text = (desk / "whole.jsonl").read_text(encoding="utf-8")
    lines(desk / "whole.jsonl", *text.splitlines(), *text.splitlines()[:3])
    told = parti("optimize", "prompt", "whole", "--trials", "2", "--examples-max", "0")
    assert "3 cases left out: say what another says" in told.out


def test_a_folder_where_nothing_can_be_written_is_refused_before_anything_is_asked(
    desk: Path, answered_by: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = answered_by(taught)
    monkeypatch.setattr("os.access", lambda path, mode: not str(path).endswith("prompts"))
    told = parti("optimize", "prompt", "whole")
    assert (told.code, "P504 nothing can be written in" in told.err) == (2, True)
    assert script.asked == []


def test_a_prompt_keeps_its_mode_and_no_half_written_file_is_left(desk: Path, answered_by: Answered) -> None:
    answered_by(taught)
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    (desk / "prompts" / "sorter.md").chmod(0o640)
    search("--wording", "clearer.md", "--examples-max", "0", "--write")
    assert [file.name for file in (desk / "prompts").iterdir()] == ["sorter.md"]
    assert (desk / "prompts" / "sorter.md").stat().st_mode & 0o777 == 0o640
