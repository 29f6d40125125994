"""`parti eval`: parts are tried on cases, and scored."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parti.cli.failures import FINDINGS
from parti.cli.live import Counter
from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import counted, lasting, moment, print_json, print_line, print_table, say_next

if TYPE_CHECKING:
    from parti.mlops.evaluation.comparing import Comparison
    from parti.mlops.evaluation.results import Result, Scored, Summary
    from parti.verbs.evaluate import Evaluated, Options
    from parti.verbs.target import Target

SHOWN = 5
"""Cases with the lowest scores that are shown."""


def eval(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The evaluation.", show_default="all of the app's")] = "",
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Only the first cases.")] = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, max=100, help="Try each case so often.")] = 1,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=256, help="Cases at once.")] = 8,
    compare: Annotated[
        list[str] | None,
        typer.Option("--compare", help="A stored version, or `previous`; twice: compare the two and try nothing."),
    ] = None,
    stored: Annotated[bool, typer.Option("--stored", help="List stored results and try nothing.")] = False,
    record: Annotated[Path | None, typer.Option("--record", help="Keep all answers of models in this folder.")] = None,
    replay: Annotated[Path | None, typer.Option("--replay", help="Answer from this folder, ask no model.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Try agents, models, handlers or endpoints on cases, without effects outside. Exits with 1 under a gate."""
    from parti.verbs.evaluate import Options  # noqa: PLC0415 help and completion do without
    from parti.wiring import Tape  # noqa: PLC0415 see above

    versions = compare or []
    _refuse(name, versions, record, replay)
    target = target_of(app, store)
    names = [name] if name else [evaluation.name for evaluation in target.design.evaluations]
    if stored:
        _list(target, names, as_json=as_json)
        return
    if len(versions) == 2:
        _compare(target, name, versions, as_json=as_json)
        return
    tape = Tape(record, play=False) if record else Tape(replay, play=True) if replay else None
    options = Options(
        limit=limit, repeat=repeat, concurrency=concurrency, tape=tape, compare=versions[0] if versions else ""
    )
    done = [_evaluate(target, one, options, token, as_json=as_json) for one in names]
    if as_json:
        print_json([_facts(one) for one in done])
    elif done:
        say_next(again(f"eval {done[-1].result.name} --stored", app, store))
    else:
        print_line("the app declares no evaluation")
    if not all(one.passed for one in done):
        raise typer.Exit(FINDINGS)


def _refuse(name: str, versions: list[str], record: Path | None, replay: Path | None) -> None:
    if record and replay:
        raise typer.BadParameter("--record and --replay exclude each other")
    if versions and not name:
        raise typer.BadParameter("--compare needs the name of an evaluation")
    if len(versions) > 2:
        raise typer.BadParameter("--compare is given once or twice")


def _evaluate(target: Target, name: str, options: Options, token: str, *, as_json: bool) -> Evaluated:
    """One evaluation, with its progress, and its tables unless JSON is wanted."""
    from parti.verbs.evaluate import evaluate  # noqa: PLC0415 see above

    with Counter(f"{name}: ", "cases") as counter:
        done = asyncio.run(evaluate(target, name, options, token=token, progress=counter.show))
    if not as_json:
        _print(done)
    return done


def _print(done: Evaluated) -> None:
    result = done.result
    made = "".join(f"  {word} {what}" for word, what in (("prompt", result.prompt), ("llm", result.llm)) if what)
    print_line(f"{result.name}  {result.of} version {result.version}{made}", "bold")
    headers = ("cases", "tag", "score", "95 %", "failed", "usd", "tokens", "p50", "p95")
    print_table(headers, map(_row, done.summaries), numbers=(0, 2, 4, 5, 6, 7, 8))
    for case in _lowest(result):
        print_line(f"  line {case.line}  {case.score:.2f}  {case.error or case.why}".rstrip())
    if result.usd_checking:
        print_line(f"checking took ${result.usd_checking:.4f} more")
    if result.gate is not None:
        low = done.summaries[0].interval.low
        close = ", and these cases do not prove it" if done.passed and low < result.gate else ""
        print_line(f"the gate of {result.gate:g} {'holds' if done.passed else 'does not hold'}{close}")
    if done.comparison:
        _print_comparison(done.comparison)


def _row(summary: Summary) -> tuple[str, ...]:
    low, high = summary.interval
    return (
        str(summary.cases), summary.tag or "(all)", f"{summary.mean:.3f}", f"{low:.3f} to {high:.3f}",
        str(summary.failed), f"{summary.usd:.4f}", str(summary.tokens), lasting(summary.p50), lasting(summary.p95),
    )  # fmt: skip


def _lowest(result: Result) -> list[Scored]:
    """The cases that went worst, if they went wrong at all."""
    return sorted((case for case in result.cases if case.score < 1), key=lambda case: case.score)[:SHOWN]


def _compare(target: Target, name: str, versions: list[str], *, as_json: bool) -> None:
    from parti.verbs.evaluate import compared  # noqa: PLC0415 see above

    found = asyncio.run(compared(target, name, *versions))
    if as_json:
        print_json(found)
    else:
        _print_comparison(found)


def _print_comparison(found: Comparison) -> None:
    low, high = found.interval
    print_line(f"{found.after} against {found.before}, {counted(found.cases, 'case')}", "bold")
    print_line(
        f"  {found.mean_after:.3f} after {found.mean_before:.3f}: {found.difference:+.3f} ({low:+.3f} to {high:+.3f})"
    )
    print_line(f"  {found.better} better, {found.worse} worse, p = {found.p:.3g}")
    if found.left_out:
        print_line(f"  {counted(found.left_out, 'case')} left out, since only one version was tried on them")
    print_line(f"  {found.note}")


def _list(target: Target, names: list[str], *, as_json: bool) -> None:
    from parti.verbs.evaluate import stored  # noqa: PLC0415 see above

    found = [result for name in names for result in asyncio.run(stored(target, name))]
    if as_json:
        print_json([{**_summary(result), "cases": len(result.cases)} for result in found])
        return
    rows = [
        (one.name, one.version, one.prompt, one.llm, str(len(one.cases)), f"{one.mean:.3f}", moment(one.at))
        for one in found
    ]
    print_table(("evaluation", "version", "prompt", "llm", "cases", "score", "when"), rows, numbers=(4, 5))


def _summary(result: Result) -> dict[str, Any]:
    named = ("name", "version", "of", "prompt", "llm", "at", "gate", "mean", "passed")
    return {name: getattr(result, name) for name in named}


def _facts(done: Evaluated) -> dict[str, Any]:
    """What JSON says of one evaluation."""
    result = done.result
    return {
        **_summary(result),
        "usd_checking": result.usd_checking,
        "tags": done.summaries,
        "cases": result.cases,
        "comparison": done.comparison,
    }
