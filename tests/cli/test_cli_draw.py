"""`parti draw`, and finding the app."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from cli_apps import parti


def test_the_picture_is_text_by_default_and_ends_with_the_next_command(desk: Path) -> None:
    said = parti("draw")
    assert said.code == 0
    assert "asks boss" in said.out
    assert said.err.endswith("next: parti up\n")


def test_the_app_is_found_by_argument_variable_and_folder(desk: Path) -> None:
    (desk / "app.py").rename(desk / "other.py")
    assert parti("draw", "--json").error == "P101"
    assert parti("draw", "other.py", "--json").json["name"] == "desk"
    assert parti("draw", "--json", env={"PARTI_APP": "other.py"}).json["name"] == "desk"


def test_json_holds_the_whole_design(desk: Path) -> None:
    design = parti("draw", "--json").json
    assert {"source": "decide", "kind": "asks", "target": "boss"}.items() <= {
        key: value for arrow in design["arrows"] if arrow["kind"] == "asks" for key, value in arrow.items()
    }.items()


def test_svg_goes_to_a_file_or_stdout(desk: Path) -> None:
    assert parti("draw", "--svg", "desk.svg").code == 0
    drawn = (desk / "desk.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert parti("draw", "--svg", "-").out == drawn
    assert "P504 missing/desk.svg cannot be written" in parti("draw", "--svg", "missing/desk.svg").err


def test_mermaid_is_a_flowchart(desk: Path) -> None:
    assert parti("draw", "--mermaid").out.startswith("flowchart")


def test_help_names_every_command() -> None:
    said = parti("--help")
    assert said.code == 0
    for command in (
        "up", "draw", "train", "models", "runs", "why", "topics", "publish", "retry", "cancel", "questions", "answer", "verify",
    ):  # fmt: skip
        assert f" {command} " in said.out
        assert "--json" in parti(command, "--help").out


def test_the_version_is_printed() -> None:
    assert parti("--version").out.startswith("parti 0.")
