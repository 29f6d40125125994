"""`parti questions`: what people are asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, again, target_of
from parti.cli.output import compact, moment, plain, print_json, print_table, say, say_next

if TYPE_CHECKING:
    from parti.ports.store import QuestionRecord


def questions(
    who: Annotated[str, typer.Option("--who", help="Only what this person is asked.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 100,
    app: AppOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the questions that wait for an answer, oldest first."""
    from parti.verbs.questions import questions as verb  # noqa: PLC0415 help and completion do without

    found = asyncio.run(verb(target_of(app, store), who=who, state="" if every else "open", limit=limit))
    if as_json:
        print_json(found)
        return
    if not found:
        say("nobody is asked anything")
        return
    headers = ("question", "who", "text", "asked", "until", "answer")
    print_table(headers, map(_row, found))
    first = next((question for question in found if question.state == "open"), None)
    if first is not None:
        say_next(again(f"answer '{first.id}' {_example(first)}", app, store))


def _row(question: QuestionRecord) -> tuple[str, ...]:
    said = f"{compact(plain(question.answer))} by {question.by}" if question.state == "answered" else question.state
    return (
        question.id,
        question.who,
        compact(question.text, 120),
        moment(question.asked),
        moment(question.deadline),
        said,
    )


def _example(question: QuestionRecord) -> str:
    """What an answer looks like."""
    schema = plain(question.schema)
    return "yes" if schema.get("type") == "boolean" or schema.get("title") == "InDoubt" else "VALUE"
