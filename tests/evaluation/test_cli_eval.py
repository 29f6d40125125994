"""`parti eval`: parts are tried on cases without effects, scored, stored by version, and compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_apps import lines, parti
from evaluation_apps import DESK, obedient, stubborn

from parti.declare.loading import load
from parti.ports.llm import LlmFailure, Request, Said
from parti.testing import Script, running
from parti.testing import said as says

Answered = Callable[[Any], Script]


def test_a_gate_that_holds_exits_with_0_and_tells_each_tag(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    said = parti("eval", "right")
    assert said.code == 0
    table = [line.split() for line in said.out.splitlines()]
    assert table[2][:3] == ["4", "(all)", "1.000"]
    assert table[3][:3] == ["2", "bad", "1.000"]
    assert table[4][:3] == ["2", "good", "1.000"]
    assert "the gate of 0.7 holds, and these cases do not prove it" in said.out
    assert "right: 4 of 4 cases" in said.err


def test_a_gate_that_does_not_hold_exits_with_1_and_shows_the_worst_cases(desk: Path, answered_by: Answered) -> None:
    answered_by(stubborn)
    said = parti("eval", "right")
    assert said.code == 1
    assert "the gate of 0.7 does not hold" in said.out
    assert "  line 2  0.00" in said.out
    facts = parti("eval", "right", "--json").json[0]
    assert (facts["mean"], facts["passed"]) == (0.5, False)


def test_all_evaluations_are_tried_where_none_is_named(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    app = DESK.replace('desk.evaluation("again"', '# desk.evaluation("again"')
    (desk / "app.py").write_text(app, encoding="utf-8")
    said = parti("eval", "--json")
    assert [one["name"] for one in said.json] == ["right", "charged", "field"]
    assert said.code == 0


def test_a_handler_is_tried_without_effects_and_its_writes_are_shown_to_the_checker(desk: Path) -> None:
    facts = parti("eval", "charged", "--repeat", "2", "--json").json[0]
    assert facts["mean"] == 1.0, facts["cases"]
    assert len(facts["cases"]) == 4
    assert not (desk / "charged.txt").exists()
    assert parti("runs", "--json").json == []
    assert parti("topics", "--json").json[0]["events"] == 0


def test_a_write_whose_answer_nobody_knows_is_refused_before_anything_is_asked(desk: Path) -> None:
    (desk / "app.py").write_text(DESK.replace('instead={charge: lambda order: "recorded"}, ', ""), encoding="utf-8")
    said = parti("eval", "charged")
    assert said.code == 2
    assert "P105 `charge` is not called in an evaluation, and nothing says what it returns there" in said.err


def test_a_person_without_a_stand_in_is_refused_before_anything_is_asked(desk: Path) -> None:
    app = DESK.replace("Score, System", "Score, System, ask").replace(
        "receipt = await charge", 'await ask("boss", "Well?")\n    receipt = await charge'
    )
    (desk / "app.py").write_text(app, encoding="utf-8")
    said = parti("eval", "charged")
    assert (said.code, "P106 `decide` asks boss" in said.err) == (2, True)
    stand_in = '\n@desk.stand_in("boss", after="1ms")\ndef boss(question: object) -> bool:\n    return True\n'
    (desk / "app.py").write_text(app + stand_in, encoding="utf-8")
    assert parti("eval", "charged").code == 0


def test_results_are_stored_by_version_and_compared_case_by_case(desk: Path, answered_by: Answered) -> None:
    answered_by(stubborn)
    before = parti("eval", "right", "--json").json[0]
    (desk / "prompts" / "writer.md").write_text("Be {tone}, and just.\n", encoding="utf-8")
    answered_by(obedient)
    after = parti("eval", "right", "--compare", "previous", "--json").json[0]
    assert before["version"] != after["version"]
    assert before["prompt"] != after["prompt"]
    comparison = after["comparison"]
    assert (comparison["before"], comparison["better"], comparison["worse"]) == (before["version"], 2, 0)
    assert comparison["note"] == "no difference can be told with 4 cases: only 2 of them changed"
    listed = parti("eval", "right", "--stored", "--json").json
    assert [one["version"] for one in listed] == [before["version"], after["version"]]
    said = parti("eval", "right", "--compare", before["version"], "--compare", after["version"])
    assert said.out.splitlines()[0] == f"{after['version']} against {before['version']}, 4 cases"
    assert "no difference can be told" in said.out
    assert parti("eval", "right", "--compare", "nonsense", "--json").error == "P308"


def test_an_answer_is_the_same_version_wherever_its_agent_stands_in_the_file(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    parti("eval", "right")
    (desk / "app.py").write_text(DESK.replace("llm = desk", "\n\n\nllm = desk"), encoding="utf-8")
    parti("eval", "right")
    assert len({one["version"] for one in parti("eval", "right", "--stored", "--json").json}) == 1


def test_an_evaluation_that_was_cut_off_asks_no_answered_case_again(desk: Path, answered_by: Answered) -> None:
    asked: list[str] = []

    def out_at(last: str) -> Callable[[Request], Any]:
        def answer(request: Request) -> Any:
            task = request.messages[-1]
            assert isinstance(task, Said)
            asked.append(task.text)
            if task.text == last:
                raise LlmFailure("P701", "it is down", lasting=True)
            return obedient(request)

        return answer

    answered_by(out_at("no c"))
    said = parti("eval", "right", "--concurrency", "1", "--json")
    assert (said.code, said.error) == (2, "P701")
    assert list(desk.glob("desk.parti.eval/right-*"))
    answered_by(out_at("nothing"))
    assert parti("eval", "right", "--concurrency", "1", "--json").json[0]["mean"] == 1.0
    assert asked == ["yes a", "no b", "no c", "no c", "yes d"]
    assert not list(desk.glob("desk.parti.eval*"))


def test_a_checker_that_raises_names_the_case_and_its_line_and_mending_it_asks_nothing_again(
    desk: Path, answered_by: Answered
) -> None:
    script = answered_by(obedient)
    broken = DESK.replace("return output.verdict == case.expected", "return 1 / (len(case.expected) - 3)")
    (desk / "app.py").write_text(broken, encoding="utf-8")
    said = parti("eval", "right", "--concurrency", "1", "--json")
    assert (said.code, said.error) == (2, "P720")
    facts = json.loads(said.err.splitlines()[-1])
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if "return 1 /" in text)
    assert facts["place"] == f"app.py:{line}"
    assert "could not check the case at letters.jsonl:1: ZeroDivisionError: division by zero" in facts["error"]
    (desk / "app.py").write_text(DESK, encoding="utf-8")
    assert parti("eval", "right").code == 0
    assert len(script.asked) == 4


def test_a_checker_that_gives_no_score_is_told_so(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    app = DESK.replace("return output.verdict == case.expected", "return 7")
    (desk / "app.py").write_text(app, encoding="utf-8")
    assert "a number from 0 to 1 or a Score, not 7" in parti("eval", "right").err


def test_an_agent_that_stops_has_failed_the_case(desk: Path, answered_by: Answered) -> None:
    answered_by(lambda request: "no JSON at all")
    facts = parti("eval", "right", "--json").json[0]
    assert facts["mean"] == 0.0
    assert facts["cases"][0]["error"].startswith("P705 `writer` stopped after 3 turns")
    assert facts["tags"][0]["failed"] == 4


def test_the_limit_takes_the_first_cases(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    facts = parti("eval", "right", "--limit", "1", "--json").json[0]
    assert [case["line"] for case in facts["cases"]] == [1]


@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        ("{", "P405", "this is not JSON"),
        ('{"expected": "yes"}', "P402", "input of CaseLine: Field required"),
        ('{"input": 7}', "P402", "the value of str"),
        ('{"input": "a", "variables": {"tone": "plain"}, "expected": 7}', "P402", "the value of str"),
        ('{"input": "a", "variables": {"tune": "plain"}}', "P402", "it has no variable 'tune'"),
        ('{"input": "a"}', "P402", "tone of Tone: Field required"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_asked(
    desk: Path, answered_by: Answered, line: str, code: str, what: str
) -> None:
    script = answered_by(obedient)
    lines(desk / "letters.jsonl", {"input": "yes a", "variables": {"tone": "plain"}}, line)
    said = parti("eval", "right", "--json")
    facts = json.loads(said.err.splitlines()[-1])
    assert (said.code, facts["code"], facts["place"]) == (2, code, "letters.jsonl:2")
    assert what in facts["error"]
    assert script.asked == []


def test_cases_may_stand_in_a_table(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    (desk / "app.py").write_text(DESK.replace("letters.jsonl", "letters.csv"), encoding="utf-8")
    text = 'input,expected,variables.tone,tags\nyes a,yes,plain,"x, y"\nno b,no,plain,y\n'
    (desk / "letters.csv").write_text(text, encoding="utf-8")
    facts = parti("eval", "right", "--json").json[0]
    assert [tag["tag"] for tag in facts["tags"]] == ["", "x", "y"]


def test_no_data_and_no_such_evaluation_are_misuse(desk: Path, answered_by: Answered) -> None:
    (desk / "letters.jsonl").unlink()
    assert parti("eval", "right", "--json").error == "P504"
    (desk / "letters.jsonl").write_text("", encoding="utf-8")
    assert parti("eval", "right", "--json").error == "P504"
    assert parti("eval", "wrong", "--json").error == "P308"
    assert parti("eval", "--compare", "previous").code == 2


def test_cases_may_be_what_past_runs_got_and_gave(desk: Path, answered_by: Answered) -> None:
    async def live() -> None:
        async with running(load(desk / "app.py"), desk / "desk.parti", script=Script(obedient)) as desk_live:
            await desk_live.call("write", ["yes a", "plain"])
            await desk_live.call("write", ["no b", "warm"])

    asyncio.run(live())
    answered_by(stubborn)
    facts = parti("eval", "again", "--json").json[0]
    assert sorted(case["score"] for case in facts["cases"]) == [0.0, 1.0]


def test_what_models_said_can_be_recorded_and_played_back(desk: Path, answered_by: Answered) -> None:
    answered_by(obedient)
    assert parti("eval", "right", "--record", "tape").code == 0
    script = answered_by(stubborn)
    assert parti("eval", "right", "--replay", "tape").code == 0
    assert script.asked == []
    (desk / "prompts" / "writer.md").write_text("Be {tone}.\n", encoding="utf-8")
    assert parti("eval", "right", "--replay", "tape", "--json").error == "P706"


def test_a_judge_is_a_model_of_the_app_and_what_it_takes_is_told_apart(desk: Path, answered_by: Answered) -> None:
    def play(request: Request) -> Any:
        system = request.messages[0]
        assert isinstance(system, Said)
        if "You grade" in system.text:
            return replace(says({"reason": "it is curt", "grade": 3}), usd=0.25)
        return replace(obedient(request), usd=0.5)

    judged = 'desk.evaluation("judged", of=writer, data="letters.jsonl", check=checks.judge(llm, "Is it warm?"))\n'
    (desk / "app.py").write_text(DESK + judged, encoding="utf-8")
    answered_by(play)
    facts = parti("eval", "judged", "--json").json[0]
    assert (facts["mean"], facts["usd_checking"], facts["tags"][0]["usd"]) == (0.5, 1.0, 2.0)
    assert facts["cases"][0]["why"] == "it is curt"
    assert "checking took $1.0000 more" in parti("eval", "judged").out


def test_meanings_are_compared_by_the_embedding_model(desk: Path, answered_by: Answered) -> None:
    pytest.importorskip("tokenizers")
    app = DESK + 'desk.evaluation("alike", of=writer, data="letters.jsonl", check=checks.similar(0.9, "verdict"))\n'
    (desk / "app.py").write_text(app, encoding="utf-8")
    answered_by(obedient)
    assert parti("eval", "alike", "--limit", "1", "--json").json[0]["mean"] == 1.0


def test_a_case_that_takes_too_long_has_failed(desk: Path) -> None:
    app = DESK.replace("receipt = await charge(order)", "await asyncio.Event().wait()\n    receipt = ''")
    app = app.replace("gate=1)", 'gate=1, timeout="50ms")').replace("from pathlib", "import asyncio\nfrom pathlib")
    (desk / "app.py").write_text(app, encoding="utf-8")
    facts = parti("eval", "charged", "--json").json[0]
    assert [case["error"] for case in facts["cases"]] == ["P303 it took longer than 50ms"] * 2


def test_stored_results_are_listed(desk: Path, answered_by: Answered) -> None:
    assert parti("eval", "right", "--stored", "--json").json == []
    answered_by(obedient)
    parti("eval", "right")
    row = parti("eval", "right", "--stored").out.splitlines()[1].split()
    assert (row[0], row[3], row[4], row[5]) == ("right", "local", "4", "1.000")
