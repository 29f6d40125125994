"""Examples: pairs of what an agent was given and what it should make of it, as a section of its prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from parti.design.agent import task_text

HEADING: Final = "## Examples"


@dataclass(frozen=True, slots=True)
class Example:
    """A task as the agent reads it, the variables it came with, and an answer that the checker gave the full score.

    `line` is that of its case in the data.
    """

    line: int
    task: str
    answer: str
    variables: str = ""


def example_of(line: int, task: str, output: Any, variables: Any = None) -> Example:
    """The example of a task and an output, a JSON value. A text is shown as it is, all else as the model has to write it."""
    return Example(line, task, task_text(output), json.dumps(variables, ensure_ascii=False) if variables else "")


def section_of(examples: Sequence[Example]) -> str:
    """The Markdown section that shows them, as it stands in a prompt: its braces are doubled. Empty without examples."""
    if not examples:
        return ""
    shown = [_shown(number, example) for number, example in enumerate(examples, 1)]
    return escaped("\n\n".join([HEADING, *shown]) + "\n")


def with_examples(text: str, examples: Sequence[Example]) -> str:
    """The text of a prompt with its examples behind it."""
    return f"{text.rstrip()}\n\n{section_of(examples)}" if examples else text


def is_shown_in(text: str, task: str) -> bool:
    """Whether the text of a prompt has an example with this task already."""
    return escaped(_block("Input", task)) in text


def escaped(text: str) -> str:
    """The text as it must stand in a prompt, where braces enclose variables."""
    return text.replace("{", "{{").replace("}", "}}")


def _shown(number: int, example: Example) -> str:
    blocks = [f"### Example {number}", _block("Input", example.task)]
    if example.variables:
        blocks.append(_block("Variables", example.variables))
    return "\n\n".join([*blocks, _block("Output", example.answer)])


def _block(title: str, text: str) -> str:
    """A fenced block. The fence is longer than any run of backticks inside, so that nothing ends it early."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{title}:\n\n{fence}\n{text}\n{fence}"
