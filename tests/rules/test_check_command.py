"""`parti check` as a command: exit codes, JSON, SARIF, explanations, and that it says the same each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from parti.cli import app
from parti.rules.listing import RULES

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "rules"
BAD = GOLDEN / "trifecta" / "bad_reads_and_sends.py"
SCHEMA = ROOT / "tests" / "golden" / "sarif-2.1.0.json"
RUN = CliRunner()

CLEAN = """
from parti import System

desk = System("desk")


@desk.every("1h")
async def tick() -> None: ...
"""


def check(*arguments: object) -> tuple[int, str]:
    said = RUN.invoke(app, ["check", *map(str, arguments)])
    return said.exit_code, said.stdout


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    file = tmp_path / "clean.py"
    file.write_text(CLEAN, encoding="utf-8")
    return file


def test_a_sound_system_exits_with_0(clean: Path) -> None:
    code, said = check(clean)
    assert (code, said) == (0, "desk: 0 findings\n")


def test_a_finding_exits_with_1_and_is_told_with_its_place_way_and_fix() -> None:
    code, said = check(BAD)
    assert code == 1
    assert "R101 trifecta (critical)" in said
    assert f"  {BAD.name}:36: `clerk` reads what strangers wrote and what is pii, and may call `send`" in said
    assert f"    {BAD.name}:41: `read.mail.body` goes to `clerk`" in said
    assert "  try: give one of the three to another agent" in said


def test_an_app_that_cannot_be_read_exits_with_2(tmp_path: Path) -> None:
    assert check(tmp_path / "none.py")[0] == 2


def test_json_tells_the_same(clean: Path) -> None:
    code, said = check(BAD, "--json")
    found = json.loads(said)
    assert code == 1
    first = found["findings"][0]
    assert (first["code"], first["rule"], first["severity"], first["on"]) == ("R101", "trifecta", "critical", "clerk")
    assert [stage["place"] for stage in first["path"]][-1] == f"{BAD.name}:32"
    assert json.loads(check(clean, "--json")[1]) == {
        "name": "desk", "findings": [], "accepted": [], "opaque": [], "unsaid": [], "guarded": [], "void": []
    }  # fmt: skip


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*/bad_*.py")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_sarif_is_valid_and_has_every_finding(file: Path) -> None:
    text = check(file, "--sarif", "-")[1]
    sarif = json.loads(text)
    errors = [error.message for error in VALIDATOR.iter_errors(sarif)]
    assert errors == []
    results = sarif["runs"][0]["results"]
    rules = sarif["runs"][0]["tool"]["driver"]["rules"]
    assert results
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    assert len([one for one in results if "suppressions" not in one]) == len(
        json.loads(check(file, "--json")[1])["findings"]
    )


VALIDATOR = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


LOUD = """
print("hello")
from typing import Annotated
from parti import Label, System

desk = System("desk", responsible="me")


@desk.tool(effect="write", key="to", idempotent=True, control=["to", "cents"])
async def pay(to: str, cents: str) -> None: ...


@desk.post("/pay", labels=Label.UNTRUSTED)
async def paying(to: str, cents: str) -> str:
    await pay(to, cents)
    return ""
"""


def loud(folder: Path, more: str = "") -> Path:
    """An app that prints, in a folder with a blank in its name."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "my app.py"
    file.write_text(LOUD + more, encoding="utf-8")
    return file


def results(file: Path) -> list[dict[str, Any]]:
    sarif = json.loads(check(file, "--sarif", "-")[1])
    assert [error.message for error in VALIDATOR.iter_errors(sarif)] == []
    assert "%SRCROOT%" in sarif["runs"][0]["originalUriBaseIds"]
    return list(sarif["runs"][0]["results"])


def test_what_an_app_prints_while_it_is_loaded_does_not_stand_in_the_results(tmp_path: Path) -> None:
    file = loud(tmp_path)
    assert json.loads(check(file, "--json")[1])["findings"]
    assert results(file)
    assert json.loads(check("--explain", "R102", file, "--json")[1])["findings"]


def test_sarif_names_files_from_the_root_of_the_repository_as_uris(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (one, *_) = results(loud(tmp_path / "services" / "a desk"))
    file = one["locations"][0]["physicalLocation"]["artifactLocation"]
    assert file == {"uri": "services/a%20desk/my%20app.py", "uriBaseId": "%SRCROOT%"}


def marks(file: Path) -> list[str]:
    return sorted(one["partialFingerprints"]["parti/v2"] for one in results(file) if one["ruleId"] == "R102")


def test_a_fingerprint_stays_while_the_way_changes_or_an_acceptance_ends(tmp_path: Path) -> None:
    """A way that is shorter is shown instead, but it is the same argument of the same tool."""
    shorter = """

@desk.post("/a", labels=Label.UNTRUSTED)
async def a(to: str, cents: str) -> str:
    await pay(to, cents)
    return ""
"""
    over = '\ndesk.accept("R102", on=pay, reason="It is small.", until="2020-01-01")\n'
    known = marks(loud(tmp_path))
    assert len(set(known)) == 2
    assert marks(loud(tmp_path, shorter)) == known
    assert marks(loud(tmp_path, over)) == known


def test_sarif_goes_to_a_file_and_the_findings_to_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "found.sarif"
    code, said = check(BAD, "--sarif", file)
    assert code == 1 and "R101" in said
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert check(BAD, "--sarif", tmp_path)[0] == 2


def test_the_schema_refuses_what_is_no_sarif() -> None:
    assert list(VALIDATOR.iter_errors({"version": "2.1.0", "runs": [{"results": []}]}))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_explained(rule: object) -> None:
    code, said = check("--explain", rule.code.lower())  # type: ignore[attr-defined]
    assert code == 0
    assert said.startswith(f"{rule.code} {rule.name}") and "try: " in said  # type: ignore[attr-defined]


def test_a_rule_that_there_is_not_exits_with_2() -> None:
    assert check("--explain", "R999")[0] == 2


def test_an_explanation_is_json_too() -> None:
    assert json.loads(check("--explain", "R101", "--json")[1])["name"] == "trifecta"


def test_the_same_app_gives_the_same_report() -> None:
    assert check(BAD, "--json") == check(BAD, "--json")


@pytest.mark.parametrize("example", ["lending", "helpdesk", "inbox"])
def test_an_example_is_clean(example: str) -> None:
    code, said = check(ROOT / "examples" / example / "app.py", "--json")
    assert json.loads(said)["findings"] == []
    assert code == 0


INBOX = ROOT / "examples" / "inbox" / "app.py"


def test_what_a_gate_guards_is_told_with_the_gate() -> None:
    _, said = check(INBOX)
    assert ": guarded by the system's gate before `pay`, which asks owner about what cannot be traced" in said
    assert said.endswith("inbox: 0 findings, 3 accepted, 5 guarded\n")
    guarded = json.loads(check(INBOX, "--json")[1])["guarded"]
    assert {(one["code"], one["on"]) for one in guarded} == {("R102", "send"), ("R102", "pay"), ("R102", "share")}
    assert all("asks owner" in one["guarded_by"] for one in guarded)


def test_an_explanation_with_an_app_shows_what_is_found_in_it_and_what_a_gate_guards() -> None:
    code, said = check(INBOX, "--explain", "R102")
    assert code == 0
    assert "`helper` goes to `pay`\n    guarded by the system's gate before `pay`" in said
    assert said.endswith("inbox: 0 findings, 5 guarded\n")
    facts = json.loads(check(BAD, "--explain", "R101", "--json")[1])
    assert [one["code"] for one in facts["findings"]] == ["R101"] and facts["guarded"] == []


def test_a_gate_that_does_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBOX_DEFENCE", "none")
    code, said = check(INBOX)
    assert code == 1
    assert said.count("may come from strangers") == 5
    assert "no gate: `inbox` declares one, but no labels are held while it runs (labels=)" in said
