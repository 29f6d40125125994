"""`parti check`: what is wrong with the architecture of a system, before it runs."""

from __future__ import annotations

import contextlib
import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parti.cli.against import next_of, show_against
from parti.cli.failures import FINDINGS
from parti.cli.options import AppArgument, JsonOption, StoreOption, target_of
from parti.cli.output import counted, plain, print_json, print_line, say, say_next
from parti.errors import UsageError

if TYPE_CHECKING:
    from parti.rules.base import Finding, Rule
    from parti.rules.checking import Report
    from parti.verbs.target import Target


def check(
    app: AppArgument = None,
    sarif: Annotated[str, typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0; - is stdout.")] = "",
    explain: Annotated[
        str,
        typer.Option("--explain", metavar="CODE", help="Explain a rule, with what it finds in an app that is named."),
    ] = "",
    against: Annotated[
        str,
        typer.Option("--against", metavar="REV-OR-DIR", help="Compare with another version, and judge work in flight."),
    ] = "",
    replay: Annotated[
        bool, typer.Option("--replay", help="With --against: replay each run by the present code.")
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", "-n", min=0, help="With --against: so many of the latest ended runs, and all open ones."
        ),
    ] = 200,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove where data may go, and find mistakes of the architecture before they run. Exits with 1 when it finds some."""
    from parti.verbs import check as verb  # noqa: PLC0415 help and completion do without

    if explain:
        rule = verb.explain(explain)
        _explain(rule, verb.check(_loaded(app, store)) if app else None, as_json)
        return
    target, compared = _loaded(app, store), None
    if against:
        from parti.verbs.against import against as compare  # noqa: PLC0415 see above

        compared = compare(target, against, limit=limit, replay=replay)
    elif replay:
        raise UsageError("P504", "--replay needs another version", fix="write --against main --replay")
    report = verb.check(target, before=compared.changes if compared else None)
    if sarif:
        text = json.dumps(verb.sarif(target, report), indent=2) + "\n"
        _write(sarif, text)
    if as_json:
        print_json({**_facts(report), **({"against": compared.as_json()} if compared else {})})
    elif sarif != "-":
        _show(report)
        if compared:
            show_against(compared, against)
        first = report.findings[0].code if report.findings else ""
        say_next(
            next_of(compared, app, against)
            or (f"parti check --explain {first}" if first else f"parti up {app or ''}".rstrip())
        )
    if report.findings or not (compared is None or compared.all_resume):
        raise typer.Exit(FINDINGS)


def _loaded(app: Path | None, store: Path | None) -> Target:
    """The target with its app. What that prints while it is loaded is no result, and goes to stderr."""
    target = target_of(app, store)
    with contextlib.redirect_stdout(sys.stderr):
        _ = target.design
    return target


def _facts(report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "findings": [finding.as_json() for finding in report.findings],
        "accepted": [
            {**one.finding.as_json(), "reason": one.acceptance.reason, "until": str(one.acceptance.until)}
            for one in report.accepted
        ],
        "opaque": [{"part": o.part, "place": str(o.place), "why": o.why} for o in report.opaque],
        "unsaid": plain(report.unsaid),
        "guarded": [_guarded_facts(finding) for finding in report.guarded],
        "void": plain(report.void),
    }


def _guarded_facts(finding: Finding) -> dict[str, Any]:
    return {**finding.as_json(), "guarded_by": finding.guarded_by}


def _show(report: Report) -> None:
    for _, group in groupby(report.findings, key=lambda finding: finding.code):
        findings = list(group)
        first = findings[0]
        print_line(f"{first.code} {first.rule} ({first.severity})", style="bold")
        for finding in findings:
            _show_finding(finding)
        print_line(f"  why: {first.why}")
        print_line(f"  see: {first.standard}", style="dim")
        print_line(f"  try: {first.fix}")
        print_line()
    for one in report.accepted:
        until = f"accepted until {one.acceptance.until}: {one.acceptance.reason}"
        print_line(f"{one.finding.code} {one.finding.place}: {one.finding.what}: {until}", style="dim")
    for finding in report.guarded:
        print_line(f"{finding.code} {finding.place}: {finding.what}: guarded by {finding.guarded_by}", style="dim")
    for name in report.void:
        print_line(f"no gate: `{name}` declares one, but no labels are held while it runs (labels=)", style="dim")
    for spot in report.opaque:
        print_line(f"not analysed: {spot.place}: {spot.why}", style="dim")
    for name in report.unsaid:
        print_line(
            f"not said: which arguments of `{name}` decide; it may be given what strangers wrote (control=)",
            style="dim",
        )
    print_line(f"{report.name}: {counted(len(report.findings), 'finding')}{_rest(report)}")


def _rest(report: Report) -> str:
    more = [(len(report.accepted), "accepted"), (len(report.guarded), "guarded"), (len(report.opaque), "not analysed")]
    return "".join(f", {count:,} {word}" for count, word in more if count)


def _show_finding(finding: Finding) -> None:
    print_line(f"  {finding.place}: {finding.what}")
    for stage in finding.path:
        print_line(f"    {stage.place}: {stage.text}", style="dim")


def _explain(rule: Rule, report: Report | None, as_json: bool) -> None:
    """A rule; and what it finds in an app, and would find there were it not for gates."""
    found = [one for one in report.findings if one.code == rule.code] if report else []
    guarded = [one for one in report.guarded if one.code == rule.code] if report else []
    if as_json:
        names = ("code", "name", "severity", "says", "why", "standard", "fix")
        facts = {
            "findings": [one.as_json() for one in found],
            "guarded": [_guarded_facts(one) for one in guarded],
        }
        print_json({**{name: getattr(rule, name) for name in names}, **(facts if report else {})})
        return
    print_line(f"{rule.code} {rule.name} ({rule.severity})", style="bold")
    print_line(rule.says)
    print_line(f"why: {rule.why}")
    print_line(f"see: {rule.standard}")
    print_line(f"try: {rule.fix}")
    for finding in found:
        _show_finding(finding)
    for finding in guarded:
        _show_finding(finding)
        print_line(f"    guarded by {finding.guarded_by}")
    if report:
        print_line(f"{report.name}: {counted(len(found), 'finding')}, {len(guarded):,} guarded")


def _write(file: str, text: str) -> None:
    if file == "-":
        typer.echo(text, nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as wrong:
        raise UsageError("P504", f"{file} cannot be written: {wrong.strerror}", fix="name another file") from wrong
    say(f"{file} is written")
