"""`parti audit`: what is declared of a system is tried out, in a world of its own."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.failures import FINDINGS, Verb
from parti.cli.options import AppArgument, JsonOption, StoreOption, target_of
from parti.cli.output import counted, print_json, print_line, say_next

if TYPE_CHECKING:
    from parti.auditing.judging import Finding
    from parti.auditing.report import Audit

audit = typer.Typer(name="audit", help="Try out what is declared, with nothing outside called.", no_args_is_help=True)


@audit.callback()
def group() -> None:
    """Try out what is declared, with nothing outside called."""


@audit.command("labels", cls=Verb)
def labels(
    app: AppArgument = None,
    store: StoreOption = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--inputs", metavar="PART=FILE", help="What this topic, endpoint or tool is given.", show_default="made up"
        ),
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option("--answers", metavar="TOOL=FILE", help="What this tool answers.", show_default="made up"),
    ] = None,
    real: Annotated[
        list[str] | None,
        typer.Option("--real", metavar="TOOL", help="Call this tool. Repeatable.", show_default="none"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of the marks, and of chance.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Plant marks wherever strangers may write, and look for them in what is trusted. Exits with 1 when one is found."""
    from parti.verbs.audit import Options, audit_labels  # noqa: PLC0415 help and completion do without
    from parti.verbs.audit_inputs import values_in  # noqa: PLC0415 see above

    given, said = values_in(_pairs(inputs, "--inputs")), values_in(_pairs(answers, "--answers"))
    options = Options(seed=seed, inputs=given, answers=said, real=frozenset(real or ()))
    with redirect_stdout(sys.stderr):  # the program's own functions run, and may print
        found = audit_labels(target_of(app, store), options)
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
        say_next("parti audit labels --help" if found.empty else f"parti check {app or ''}".rstrip())
    if not found.clean:
        raise typer.Exit(FINDINGS)


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or ()]
    if not all(name and file for name, _, file in pairs):
        raise typer.BadParameter(f"{option} takes a name, =, and a file")
    return {name: file for name, _, file in pairs}


def _show(found: Audit) -> None:
    for finding in found.findings:
        _show_finding(finding)
    for title, unsaid in (
        ("not marked", found.unmarked), ("not read", found.unread), ("not seen", found.unseen), ("went wrong", found.failed)
    ):  # fmt: skip
        for one in unsaid:
            print_line(f"{title}: {one.what}: {one.why}", style="dim")
    if found.empty:
        print_line("no run read a mark: this audit shows nothing", style="bold")
    print_line(
        f"{found.name}: {counted(len(found.findings), 'finding')}; marks in {counted(len(found.read), 'field')} were read "
        f"by {counted(found.runs, 'run')} (seed {found.seed})"
    )


def _show_finding(finding: Finding) -> None:
    print_line(f"{finding.place}: {finding.what}", style="bold")
    run = ""
    for stage in finding.path:
        if stage.run != run:
            run = stage.run
            print_line(f"  in {run}", style="dim")
        print_line(f"    {stage.place}: {stage.text}", style="dim")
    print_line(f"  try: {finding.fix}")
    print_line()
