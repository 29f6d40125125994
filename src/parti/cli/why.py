"""`parti why`: the account of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, again, target_of
from parti.cli.output import compact, console, lasting, moment, plain, print_json, print_line, print_table, say_next

if TYPE_CHECKING:
    from parti.verbs.why import Moment, Why

_SAID: Final = {
    "fail": "failed",
    "intent": "about to write",
    "done": "written",
    "undone": "not written",
    "attempt": "attempt failed",
    "arrow": "undeclared",
    "taint": "has read",
}
"""Kinds of entries whose own names say too little."""

_RARE: Final = ("in line", "batch")
"""Columns that are shown where a call stood in line before it began, or was served with others."""


def why(
    run: Annotated[str, typer.Argument(help="The run.")],
    app: AppOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all of a run: its steps with what went in and out, what it waited for, where it came from, what it caused.

    Values are shortened; --json has them whole.
    """
    from parti.verbs.why import why as verb  # noqa: PLC0415 help and completion do without

    found = asyncio.run(verb(target_of(app, store), run))
    if as_json:
        print_json(found)
        return
    width = max(20, min(console().width, 160) - 50)
    _head(found, width)
    if found.moments:
        print_line()
        start = found.run.started or found.run.created
        rows = [_row(entry, start, width) for entry in found.moments]
        columns = ("at", "in line", "took", "batch", "try", "what", "part", "values")
        shown = [at for at, name in enumerate(columns) if name not in _RARE or any(row[at] for row in rows)]
        numbers = [shown.index(at) for at in range(5) if at in shown]
        print_table([columns[at] for at in shown], [[row[at] for at in shown] for row in rows], numbers=numbers)
    _tail(found, width)
    _next(found, app, store)


def _head(found: Why, width: int) -> None:
    run, timing = found.run, found.timing
    print_line(f"{run.id}  {run.state}", "bold")
    key = f"key {run.key}  " if run.key else ""
    print_line(f"  {key}attempt {run.attempt}  created {moment(run.created)}")
    waiting, working = lasting(timing.waiting), lasting(timing.working)
    print_line(f"  in line {lasting(timing.in_line)}  at work {working}  waiting {waiting}")
    if found.origin is not None:
        event = found.origin
        print_line(f"  from {event.topic}/{event.partition}@{event.offset}  {compact(plain(event.payload), width)}")
        if event.cause:
            print_line(f"  which came of {event.cause}")
    elif run.topic:
        print_line(f"  from {run.topic}/{run.partition}@{run.offset}, which is not kept any more")
    elif run.arguments:
        print_line(f"  called with {compact(plain(run.arguments), width)}")


def _row(entry: Moment, start: float, width: int) -> tuple[str, ...]:
    what = _SAID.get(entry.kind, entry.kind)
    took = lasting(entry.took) if entry.took else ""
    return (
        f"+{lasting(max(0.0, entry.at - start))}",
        lasting(entry.waited) if entry.waited else "",
        took,
        str(entry.batch or ""),
        str(entry.attempt or ""),
        what,
        entry.part,
        _values(entry, width),
    )


def _values(entry: Moment, width: int) -> str:
    """What went in and what came out."""
    answer = _error(entry.answer) if entry.kind in ("fail", "attempt") else entry.answer
    match entry.kind:
        case "intent":
            return compact(entry.arguments, width)
        case "memory":
            return compact(entry.arguments[:3], width)
        case "put" if answer is None:  # a fact, which is told where it was remembered
            return compact(entry.arguments, width)
        case "put":
            # A row is kept with the digest of its schema before it.
            return f"{compact(entry.arguments, width // 2)}: {compact(answer[1], width // 2)}"
        case "spend":
            return _spending(*answer)
        case "done" | "undone" | "pin" | "now" | "attempt":
            return compact(answer, width)
        case "taint":
            return ", ".join(answer)
        case "gate":
            return compact(_decision(**answer), width)
        case "delete" | "publish" | "arrow":
            return compact(entry.arguments, width)
        case "ask":
            return compact(str(entry.arguments), width)
        case "answer":
            given = answer.get("value") if isinstance(answer, dict) and "value" in answer else "nobody, in time"
            return compact(given, width) + (f" by {entry.arguments}" if entry.arguments else "")
        case "sleep":
            return f"until {moment(float(answer))}"
    return f"{compact(entry.arguments, width // 2)} → {compact(answer, width // 2)}"


def _decision(then: str, why: str, masked: Sequence[dict[str, Any]] = (), **_: Any) -> str:
    """What a gate decided, and which fields it put behind tokens, how often."""
    behind = ", ".join(f"{one['field']} ({one['label']}) {one['times']}x" for one in masked)
    return f"{then}{f' {behind}' if behind else ''}: {why}"


def _spending(nanos: int, tokens: int, steps: int, reserved: int = 0) -> str:
    """What was spent, given back of what was reserved, or `reserved` before a call."""
    parts = [
        f"${nanos / 1e9:g}" if nanos else "",
        f"{tokens} tokens" if tokens else "",
        f"{steps} step" if steps else "",
    ]
    return ("reserved " if reserved else "") + ", ".join(part for part in parts if part)


def _error(facts: Any) -> Any:
    return f"{facts.get('code', '')} {facts.get('error', '')}".strip() if isinstance(facts, dict) else facts


def _tail(found: Why, width: int) -> None:
    lines = list(_endings(found, width))
    if lines:
        print_line()
    for line in lines:
        print_line(line)


def _endings(found: Why, width: int) -> Iterator[str]:
    if found.run.result:
        yield f"result  {compact(plain(found.run.result), width)}"
    if found.run.error:
        facts = plain(found.run.error)
        place = f"{facts['place']}: " if facts.get("place") else ""
        yield f"error   {place}{_error(facts)}"
        if facts.get("try"):
            yield f"try     {facts['try']}"
    for question in found.questions:
        if question.state == "open":
            yield f"waits   for {question.who} since {moment(question.asked)}: {compact(question.text, width)}"
    for one in found.caused:
        event = one.event
        runs = ", ".join(f"{run.id} {run.state}" for run in one.runs)
        yield f"caused  {event.topic}/{event.partition}@{event.offset}{f' → {runs}' if runs else ''}"


def _next(found: Why, app: Any, store: Any) -> None:
    waiting = next((question for question in found.questions if question.state == "open"), None)
    if waiting is not None:
        say_next(again(f"answer '{waiting.id}' VALUE", app, store))
    elif found.run.state == "dead":
        say_next(again(f"retry '{found.run.id}'", app, store))
    elif found.caused and found.caused[0].runs:
        say_next(again(f"why '{found.caused[0].runs[0].id}'", app, store))
    else:
        say_next(again(f"runs --part {found.run.part}", app, store))
