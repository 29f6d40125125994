"""`parti plan`: the cheapest deployment that keeps the promises, and what follows from it."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.failures import FINDINGS
from parti.cli.live import Screen
from parti.cli.options import AppArgument, JsonOption, StoreOption, target_of
from parti.cli.output import print_json, print_line, say, say_next
from parti.errors import UsageError
from parti.units import HOURS_A_MONTH, seconds

if TYPE_CHECKING:
    from parti.design.goals import Slo
    from parti.verbs.plan import Options
    from parti.verbs.target import Target

OUT = Path("plan.json")


def plan(
    app: AppArgument = None,
    store: StoreOption = None,
    load: Annotated[
        list[str] | None,
        typer.Option(
            "--load", "-l", help='What comes in: 120/s, "120/s cv=4", a file of times, journal*1.5, ENTRY=30/s.'
        ),
    ] = None,
    p99: Annotated[str, typer.Option("--p99", help="Promise this latency.", show_default="as declared")] = "",
    quality: Annotated[
        float | None, typer.Option("--quality", min=0, max=1, help="Promise this quality.", show_default="as declared")
    ] = None,
    usd_per_month: Annotated[
        float | None, typer.Option("--budget", min=0, help="USD a month at most.", show_default="as declared")
    ] = None,
    of: Annotated[
        list[str] | None,
        typer.Option("--of", help="Promise it of runs of this part, not of all they cause.", show_default=False),
    ] = None,
    profile: Annotated[
        Path | None, typer.Option("--profile", help="What was measured.", show_default="beside the store, else traffic")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option("--prices", help="A price list in TOML.", show_default="the one that comes along")
    ] = None,
    cloud: Annotated[str, typer.Option("--cloud", help="Whose machines to try where none are named.")] = "aws",
    fixed: Annotated[
        Path | None, typer.Option("--fixed", help="Predict this plan, and search for none.", show_default=False)
    ] = None,
    what_if: Annotated[
        Path | None, typer.Option("--what-if", help="Compare this plan with that of --fixed.", show_default=False)
    ] = None,
    one_process: Annotated[
        bool, typer.Option("--one-process", help="Predict all parts in one process here, as `parti up` runs them.")
    ] = False,
    failures: Annotated[
        str, typer.Option("--failures", help="How often a machine fails, and for how long: 30d/5m.", show_default=False)
    ] = "",
    limit: Annotated[str, typer.Option("--time", help="How long to search; proofs may need more.")] = "15s",
    requests: Annotated[
        int, typer.Option("--requests", min=1000, help="About so many requests are simulated at a time.")
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where chance begins: the same seed, the same plan.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Where the plan is written.")] = OUT,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw cost against p99 here.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the cheapest deployment that keeps its promises under a load, prove it, and try it on fresh samples."""
    from parti.verbs.plan import Options  # noqa: PLC0415 help and completion do without

    if what_if is not None and fixed is None:
        raise UsageError("P504", "--what-if compares with the plan of --fixed", fix="give both")
    if one_process and fixed is not None:
        raise UsageError("P504", "--one-process is a plan, and --fixed names another", fix="give one of them")
    target = target_of(app, store)
    options = Options(
        loads=tuple(load or ()), slo=_slo(target, p99, quality, usd_per_month), of=tuple(of or ()), profile=profile,
        prices=prices, cloud=cloud, seed=seed, requests=requests, seconds=seconds(limit), failures=failures,
    )  # fmt: skip
    if fixed is not None and what_if is not None:
        _compare(target, options, fixed, what_if, as_json=as_json)
    elif fixed is not None or one_process:
        _predict(target, options, fixed, as_json=as_json)
    else:
        _plan(target, options, out, svg, as_json=as_json)


def _slo(target: Target, p99: str, quality: float | None, usd_per_month: float | None) -> Slo | None:
    """What options promise, over what the design does; None where no option says anything."""
    from parti.design.goals import Slo  # noqa: PLC0415 see above

    declared = target.design.slo
    if not p99 and quality is None and usd_per_month is None:
        return None
    if declared is None and not p99:
        raise UsageError("P835", "no latency is promised", fix="give --p99 too, or declare System(slo=…)")
    return Slo(
        p99=p99 or (declared.p99 if declared else 0.0),
        availability=declared.availability if declared else 0.999,
        quality=quality if quality is not None else (declared.quality if declared else None),
        combine=declared.combine if declared else None,
        usd_per_month=usd_per_month if usd_per_month is not None else (declared.usd_per_month if declared else None),
    )


def _plan(target: Target, options: Options, out: Path, svg: Path | None, *, as_json: bool) -> None:
    from parti.cli.planned import print_planned  # noqa: PLC0415 see above
    from parti.drawings.front import draw_front  # noqa: PLC0415 see above
    from parti.planning.plan_file import plan_json, refuse_unwritable, write_plan  # noqa: PLC0415 see above
    from parti.verbs.plan import planned as verb  # noqa: PLC0415 see above

    for path in filter(None, (out, svg)):
        refuse_unwritable(path)
    with Screen() as screen:
        asked, found, rests_on = asyncio.run(verb(target, options, say=screen.tell))
    facts = {**plan_json(asked, found), "profile": asdict(rests_on)}
    write_plan(out, facts)
    if svg is not None:
        points = [(point.usd_per_hour, point.p99, point.quality) for point in found.front]
        svg.write_text(draw_front(points, (found.usd_per_hour, found.prediction.p99.mean), asked.slo.p99), "utf-8")
    if as_json:
        print_json(facts)
    else:
        print_planned(asked, found, rests_on)
    if not found.kept:
        raise typer.Exit(FINDINGS)
    if as_json:
        return
    say(f"written to {out}" + (f", drawn in {svg}" if svg else ""))
    say_next(_again(target, options, out))


def _again(target: Target, options: Options, out: Path) -> str:
    """The command that predicts the plan under the same load and promise."""
    words = ["parti", "plan", str(target.app or ""), "--fixed", str(out)]
    for option, values in (("--load", options.loads), ("--of", options.of)):
        words += [word for value in values for word in (option, value)]
    for option, value, usual in (
        ("--failures", options.failures, ""), ("--profile", options.profile, None), ("--prices", options.prices, None),
        ("--cloud", options.cloud, "aws"), ("--seed", options.seed, 1), ("--requests", options.requests, 10_000),
    ):  # fmt: skip
        words += [option, str(value)] if value != usual else []
    if options.slo is not None:
        words += ["--p99", f"{options.slo.p99:g}s"]
        for option, most in (("--quality", options.slo.quality), ("--budget", options.slo.usd_per_month)):
            words += [option, f"{most:g}"] if most is not None else []
    return shlex.join(word for word in words if word)


def _predict(target: Target, options: Options, fixed: Path | None, *, as_json: bool) -> None:
    from parti.cli.planned import print_notes, print_prediction, print_provenance  # noqa: PLC0415 see above
    from parti.verbs.plan import predicted as verb  # noqa: PLC0415 see above

    found = asyncio.run(verb(target, options, fixed))
    if as_json:
        usd = {"usd_per_hour": found.usd_per_hour, "usd_per_month": found.usd_per_hour * HOURS_A_MONTH}
        facts = {"prediction": found.prediction, **usd, "quality": found.quality, "broken": found.broken}
        facts |= {"profile": found.provenance, "notes": found.notes}
        print_json({**facts, "kept": not found.broken})
    else:
        print_line(f"{found.asked.design.name}  ${found.usd_per_hour * HOURS_A_MONTH:,.2f} a month", "bold")
        print_provenance(found.provenance)
        print_prediction(found.asked, found.prediction)
        print_notes(found.notes)
        for broken in found.broken:
            print_line(broken, "bold red")
    if found.broken:
        raise typer.Exit(FINDINGS)


def _compare(target: Target, options: Options, fixed: Path, other: Path, *, as_json: bool) -> None:
    from parti.cli.planned import print_comparison  # noqa: PLC0415 see above
    from parti.verbs.plan import compared as verb  # noqa: PLC0415 see above

    _, found = asyncio.run(verb(target, options, fixed, other))
    if as_json:
        print_json(found)
    else:
        print_comparison(found, str(fixed), str(other))
