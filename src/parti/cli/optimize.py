"""`parti optimize`: better prompts are searched, and proved on cases that the search has not seen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.failures import Verb
from parti.cli.live import Counter
from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import counted, print_json, print_line, print_table, say_next

if TYPE_CHECKING:
    from parti.verbs.prompt_search import Optimized, Row

optimize = typer.Typer(
    name="optimize", help="Search better prompts, and prove that they are better.", no_args_is_help=True
)


@optimize.command("prompt", cls=Verb)
def prompt(
    evaluation: Annotated[str, typer.Argument(metavar="EVALUATION", help="The evaluation to search against.")],
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    agent: Annotated[str, typer.Option("--agent", help="Whose prompt, where several agents have one.")] = "",
    wording: Annotated[
        list[Path] | None,
        typer.Option("--wording", help="Another text to try: a file, or a folder of *.md. Repeatable."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="LLM", help="The language model that proposes wordings.", show_default="none")
    ] = "",
    proposals: Annotated[int, typer.Option("--proposals", min=1, max=50, help="Wordings that it proposes.")] = 4,
    examples_max: Annotated[int, typer.Option("--examples-max", min=0, max=20, help="Examples in a prompt.")] = 4,
    trials: Annotated[int, typer.Option("--trials", min=2, max=1000, help="Candidates to try.")] = 20,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of the split of the cases, and of the search.")
    ] = 0,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, metavar="USD", help="The most that the search may cost.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Replace the prompt's file by a better one.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Only the first cases.")] = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, max=100, help="Try each case so often.")] = 1,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=256, help="Cases at once.")] = 8,
    record: Annotated[Path | None, typer.Option("--record", help="Keep all answers of models in this folder.")] = None,
    replay: Annotated[Path | None, typer.Option("--replay", help="Answer from this folder, ask no model.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Search wordings and examples that make an agent's prompt better. Writes only what is proved to be better."""
    from parti.verbs.optimize import optimize_prompt  # noqa: PLC0415 help and completion do without
    from parti.verbs.prompt_search import Options  # noqa: PLC0415 see above
    from parti.wiring import Tape  # noqa: PLC0415 see above

    if record and replay:
        raise typer.BadParameter("--record and --replay exclude each other")
    tape = Tape(record, play=False) if record else Tape(replay, play=True) if replay else None
    options = Options(
        trials=trials, examples_max=examples_max, seed=seed, agent=agent, wordings=tuple(wording or ()), by=by,
        proposals=proposals, budget=budget, write=write, limit=limit, repeat=repeat, concurrency=concurrency, tape=tape,
    )  # fmt: skip
    with Counter(f"{evaluation}: ", "candidates") as counter:
        found = asyncio.run(
            optimize_prompt(target_of(app, store), evaluation, options, token=token, progress=counter.show)
        )
    if as_json:
        print_json(found)
    else:
        _print(found)
        compare = " --compare previous" if found.better else ""
        say_next(again(f"eval {found.evaluation}{compare}", app, store))


def _print(found: Optimized) -> None:
    print_line(f"{found.agent}  {found.prompt} against {found.evaluation}", "bold")
    print_line(
        f"{counted(found.choosing, 'case')} to choose by, {found.held_out} held out, {found.drawn} to draw examples from"
        + (f" ({found.examples} fit)" if found.drawn else "")
    )
    for count, why in ((found.repeated, "say what another says"), (found.shown, "stand in a prompt already")):
        if count:
            print_line(f"{counted(count, 'case')} left out: {why}")
    for one in found.discarded:
        print_line(f"{one.name} discarded: {one.why}")
    headers = ("score", "95 %", "cases", "usd", "wording", "examples")
    rows = sorted(found.tried, key=lambda row: (not row.stopped, row.score), reverse=True)
    print_table(headers, map(_row, rows), numbers=(0, 2, 3))
    for row in rows:
        if row.failed:
            shown = f" with {counted(len(row.examples), 'example')}" if row.examples else ""
            print_line(f"{row.wording}{shown}: {row.failed} of {counted(row.cases, 'case')} failed: {row.error}")
    _print_verdict(found)
    print_line(f"the search took ${found.usd:.4f}")


def _row(row: Row) -> tuple[str, ...]:
    low, high = row.interval
    examples = ", ".join(f"line {line}" for line in row.examples) or "none"
    return (
        f"{row.score:.3f}", f"{low:.3f} to {high:.3f}", f"{row.cases}{', stopped' if row.stopped else ''}",
        f"{row.usd:.4f}", row.wording, examples,
    )  # fmt: skip


def _print_verdict(found: Optimized) -> None:
    if found.comparison is not None:
        one, (low, high) = found.comparison, found.comparison.interval
        print_line(
            f"held out: {one.mean_after:.3f} after {one.mean_before:.3f}: {one.difference:+.3f} ({low:+.3f} to {high:+.3f})"
        )
        print_line(f"  {one.better} better, {one.worse} worse, p = {one.p:.3g}")
    print_line(found.note, "bold")
    if not found.better:
        print_line("nothing was written")
        return
    print_line(f"{found.prompt} was replaced" if found.replaced else f"written to {found.written}")
    if not found.replaced:
        print_line(f"to use it: mv {found.written} {found.prompt}")
    if found.best.examples:
        lines = ", ".join(map(str, found.best.examples))
        word = "lines" if len(found.best.examples) > 1 else "line"
        print_line(
            f"its examples are cases of the data ({word} {lines}): take them out there, or `parti eval` flatters it"
        )
