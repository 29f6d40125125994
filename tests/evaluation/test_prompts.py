"""Prompts are files with typed variables: proved when they are declared, and put in for each task."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cli_apps import parti

from parti import PartiError
from parti.declare.loading import load
from parti.design.agent import Agent
from parti.testing import Script, running

APP = """from pydantic import BaseModel

from parti import Prompt, System

desk = System("desk")


class Tone(BaseModel):
    tone: str
    words: int = 100


poet = desk.agent("poet", llm=desk.llm("local"), instructions=Prompt("prompts/poet.md", {types}))


@desk.post("/poem")
async def poem(task: str, variables: dict[str, object]) -> str:
    return await poet.run(task, variables=variables)


@desk.post("/both")
async def both() -> list[str]:
    return [await poet.run("Sing", variables={{"tone": tone}}) for tone in ("low", "high", "low")]
"""


def app(folder: Path, text: str, types: str = "Tone") -> Path:
    (folder / "prompts" / "poet.md").write_text(text, encoding="utf-8")
    (folder / "app.py").write_text(APP.format(types=types), encoding="utf-8")
    return folder / "app.py"


def called(file: Path, endpoint: str, *arguments: Any, **options: Any) -> tuple[Any, Script]:
    """What an endpoint answers, and the script that answered for the model."""
    script = Script(lambda request: request.messages[0].text)

    async def main() -> Any:
        async with running(load(file), script=script, **options) as live:
            return (await live.call(endpoint, list(arguments))).result

    return asyncio.run(main()), script


def test_variables_are_put_in_and_defaults_hold(desk: Path) -> None:
    file = app(desk, "Be {tone}, in {words} words. Braces: {{}}.\n")
    result, _ = called(file, "poem", "Sing", {"tone": "low"})
    assert result == b'"Be low, in 100 words. Braces: {}.\\n"'


def test_a_dict_of_types_will_do(desk: Path) -> None:
    result, _ = called(app(desk, "Be {tone:>5}.", '{"tone": str}'), "poem", "Sing", {"tone": "low"})
    assert result == b'"Be   low."'


@pytest.mark.parametrize("replay_each", [False, True])
def test_one_task_with_other_variables_is_other_work(desk: Path, replay_each: bool) -> None:
    result, script = called(app(desk, "{tone} {words}"), "both", replay_each=replay_each)
    assert result == b'["low 100","high 100","low 100"]'
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("Hi\n\nBe {tune}{words}{tone}.", "prompts/poet.md:3", "P105 the variable {tune} is not declared"),
        ("Be {tone}.", "prompts/poet.md:1", "P105 the variable `words` is declared and nowhere used"),
        ("Be {}.", "prompts/poet.md:1", "P105 the variable {} is not declared"),
        ("{tone}\n{words}\n{", "prompts/poet.md:3", "P105 Single '{' encountered"),
    ],
)
def test_what_does_not_fit_names_the_file_and_the_line(desk: Path, text: str, place: str, what: str) -> None:
    app(desk, text)
    assert f"{place}: {what}" in parti("draw").err


def test_a_missing_file_names_the_declaration(desk: Path) -> None:
    file = app(desk, "{tone}")
    (desk / "prompts" / "poet.md").unlink()
    with pytest.raises(PartiError) as caught:
        load(file)
    assert str(caught.value).startswith("app.py:13: P105 the prompt prompts/poet.md of `poet` cannot be read")


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({}, "its variables: tone of Tone: Field required"),
        ({"tone": "low", "tune": "high"}, "it has no variable 'tune'"),
        ({"tone": "low", "words": "many"}, "its variables: words of Tone: Input should be a valid integer"),
    ],
)
def test_variables_that_do_not_fit_fail_the_run_before_the_model_is_asked(
    desk: Path, variables: dict[str, Any], what: str
) -> None:
    with pytest.raises(PartiError) as caught:
        called(app(desk, "{tone} {words}"), "poem", "Sing", variables)
    assert caught.value.code == "P402"
    assert what in caught.value.what


def test_an_agent_without_a_prompt_takes_no_variables(desk: Path) -> None:
    file = app(desk, "x")
    text = file.read_text(encoding="utf-8").replace('Prompt("prompts/poet.md", Tone)', '"Sing."')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PartiError) as caught:
        called(file, "poem", "Sing", {"tone": "low"})
    assert caught.value.code == "P402"


def test_the_version_is_that_of_the_text(desk: Path) -> None:
    versions = [load(app(desk, text)).design.get(Agent, "poet").version for text in ("{tone}{words}", "{words}{tone}")]
    assert versions[0] != versions[1]
    assert versions[0] == load(app(desk, "{tone}{words}")).design.get(Agent, "poet").version


def test_an_agent_that_needs_variables_cannot_be_called_by_another(desk: Path) -> None:
    file = app(desk, "{tone} {words}")
    boss = 'boss = desk.agent("boss", llm=desk.llm("local", name="other"), tools=[poet])\n'
    file.write_text(file.read_text(encoding="utf-8") + boss, encoding="utf-8")
    assert "P106 `boss` cannot call `poet`, whose prompt needs tone" in parti("draw").err
    file.write_text(file.read_text(encoding="utf-8").replace("tone: str", 'tone: str = "low"'), encoding="utf-8")
    assert load(file).design.get(Agent, "poet").instructions == "low 100"
