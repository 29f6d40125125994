"""What the program has, the pages have: codes, commands and options, parts, states, routes and public names."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import get_args

import pytest
import typer
from doc_blocks import PAGES, ROOT

import parti
from parti import System
from parti.cli import app
from parti.design.graph import Kind, Part
from parti.errors import CODES
from parti.ports.store import State
from parti.rules.listing import RULES
from parti.serve.refusals import STATUS
from parti.testing.live import running

DOCS = ROOT / "docs"
CLICK = typer.main.get_command(app)
COMMANDS = {
    f"{name} {inner}".strip(): command
    for name, one in CLICK.commands.items()  # type: ignore[attr-defined]
    for inner, command in getattr(one, "commands", {"": one}).items()
}
"""Every command by its name; that of one in a group begins with the group's."""

DECLARING = [name for name, _ in inspect.getmembers(System, inspect.isfunction) if not name.startswith("_")]


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@cache
def sections(name: str, level: int = 2) -> dict[str, str]:
    """The text under each heading of a level, by the heading."""
    _, *parts = re.split(rf"^{'#' * level} ", page(name), flags=re.MULTILINE)
    return {part.split("\n", 1)[0].strip(): part.split("\n", 1)[1] for part in parts}


def test_every_code_is_explained_and_no_other() -> None:
    assert re.findall(r"^### (P\d{3}): ", page("errors.md"), re.MULTILINE) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_its_meaning_an_example_and_a_way_out(code: str) -> None:
    heading, text = next((h, t) for h, t in sections("errors.md", 3).items() if h.startswith(code))
    assert heading == f"{code}: {CODES[code]}"
    assert re.search(rf"```text\n[^`]*{code} ", text) or "Reserved" in text, "show a message as it is printed"
    assert "Way out:" in text


def test_no_page_names_a_code_that_does_not_exist() -> None:
    found = {code for file in PAGES for code in re.findall(r"\bP\d{3}\b", file.read_text(encoding="utf-8"))}
    assert found - set(CODES) == set()


def test_every_command_has_a_section_and_no_other() -> None:
    documented = [heading for heading in sections("cli.md") if heading.startswith("`parti ")]
    assert documented == [f"`parti {name}`" for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_explained(name: str) -> None:
    text = sections("cli.md")[f"`parti {name}`"]
    shared = sections("cli.md")["Options that many commands share"]
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert f"`{parameter.opts[0]}" in text + shared, f"{parameter.opts[0]} of {name}"
    mentioned = set(re.findall(r"`(--[a-z0-9-]+)", text))
    assert mentioned <= {option for parameter in COMMANDS[name].params for option in parameter.opts}


def test_every_kind_of_part_state_and_arrow_is_in_the_glossary() -> None:
    terms = {term.strip("`") for term in re.findall(r"^- \*\*(.+?)\*\*", page("glossary.md"), re.MULTILINE)}
    parts = {_spaced(kind.__name__) for kind in get_args(Part)}
    assert parts | set(State) | set(get_args(Kind)) <= terms


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def test_the_glossary_is_sorted_and_says_each_word_once() -> None:
    for heading, text in sections("glossary.md").items():
        terms = re.findall(r"^- \*\*(.+?)\*\*", text, re.MULTILINE)
        assert terms == sorted(set(terms)), heading


@pytest.mark.parametrize("name", DECLARING)
def test_every_declaration_is_explained_with_its_options(name: str) -> None:
    text = sections("parts.md")[f"`{name}`"]
    for option in list(inspect.signature(getattr(System, name)).parameters)[1:]:
        assert re.search(rf"`{option}\b", text), f"{option} of {name}"


@pytest.mark.parametrize("name", parti.__all__)
def test_every_public_name_is_explained(name: str) -> None:
    texts = "\n".join(file.read_text(encoding="utf-8") for file in DOCS.glob("*.md"))
    assert re.search(rf"`(parti\.)?{name}\b", texts), name


def test_every_status_of_http_is_explained() -> None:
    rows = re.findall(r"^\| (P\d{3}) \| (\d{3}) \|", page("http.md"), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == STATUS


def test_every_route_of_the_operator_is_explained() -> None:
    source = (ROOT / "src" / "parti" / "serve" / "admin.py").read_text(encoding="utf-8")
    routes = {f"`{method} /-/{path}`" for method, path in re.findall(r'\("([A-Z]+)", "([^"]+)", ', source)}
    assert routes, "the table of routes moved: read it from where it is now"
    assert {route for route in routes if route not in page("http.md")} == set()


def test_every_option_of_running_is_explained() -> None:
    for option in inspect.signature(running).parameters:
        assert f"`{option}" in page("testing.md"), option


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in sorted(DOCS.glob("*.md")) if f"docs/{file.name}" not in readme] == []


def test_a_news_fragment_is_one_line_and_named_by_the_scheme() -> None:
    fragments = [file for file in sorted((ROOT / "changes").iterdir()) if file.name != "README.md"]
    assert fragments
    for file in fragments:
        assert re.fullmatch(r"\d+\.[a-z][a-z-]*\.md", file.name), file.name
        text = file.read_text(encoding="utf-8")
        assert text.count("\n") == 1 and text.endswith(".\n"), f"{file.name}: one sentence on one line"


def test_every_rule_of_check_is_in_the_table_as_it_is() -> None:
    rows = [line for line in page("check.md").splitlines() if line.startswith("| R")]
    assert rows == [f"| {r.code} | {r.name} | {r.severity} | {r.says} | {r.standard} |" for r in RULES]


def test_no_page_names_a_rule_that_there_is_not() -> None:
    named = {code for file in PAGES for code in re.findall(r"\bR\d{3}\b", file.read_text(encoding="utf-8"))}
    assert named <= {rule.code for rule in RULES}
