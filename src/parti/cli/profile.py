"""`parti profile`: what each part takes, measured under load or read from traffic."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parti.cli.failures import FINDINGS
from parti.cli.live import Counter
from parti.cli.options import AppArgument, JsonOption, StoreOption, target_of
from parti.cli.output import counted, lasting, moment, print_json, print_line, print_table, say, say_next
from parti.units import seconds

if TYPE_CHECKING:
    from parti.planning.drift import Drift, Drifted
    from parti.planning.profile import PartProfile, Profile, Service
    from parti.planning.sampled import Sampled
    from parti.verbs.target import Target


def profile(
    app: AppArgument = None,
    store: StoreOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the profile is kept.", show_default="beside the store")
    ] = None,
    traffic: Annotated[
        bool, typer.Option("--traffic", help="Measure nothing: read the journal's latest runs.")
    ] = False,
    stored: Annotated[bool, typer.Option("--stored", help="Show the kept profile.")] = False,
    drift: Annotated[bool, typer.Option("--drift", help="Compare the kept profile with recent traffic.")] = False,
    since: Annotated[str, typer.Option("--since", help="Traffic: only runs created within this time: 1h, 7d.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Traffic: runs of each part.")] = 2000,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--inputs", metavar="PART=FILE", help="Call this part with the lines of a file.", show_default=False
        ),
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option("--part", "-p", help="Measure only this part, and these.", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=5, help="Calls of each part, alone and in turn.")] = 100,
    for_seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="For how long each part is called at most.")
    ] = 10.0,
    paid: Annotated[bool, typer.Option("--paid", help="Also ask language models that cost money.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what each part takes, without effects outside, and keep it. Exits with 1 where contention ruined it."""
    if traffic + stored + drift > 1:
        raise typer.BadParameter("--traffic, --stored and --drift exclude each other")
    target = target_of(app, store)
    if drift:
        _drift(target, out, _moment_since(since), limit, as_json=as_json)
        return
    if stored:
        found, path = _stored(target, out), None
    elif traffic:
        found, path = _from_traffic(target, out, _moment_since(since), limit)
    else:
        found, path = _measured(target, out, _files(inputs or []), part or [], samples, for_seconds, paid=paid)
    if as_json:
        print_json(_facts(found))
    else:
        _print(found)
    if path is not None:
        say(f"kept in {path}")
    if found.contention is not None and found.contention.found:
        raise typer.Exit(FINDINGS)
    if not as_json:
        where = f" --store {store}" if store else ""
        say_next(f"parti profile {app or 'app.py'}{where}" + (" --drift" if found.source == "load" else ""))


def _files(texts: list[str]) -> dict[str, str]:
    """Each ``PART=FILE``."""
    pairs = [text.partition("=") for text in texts]
    if not all(name and file for name, _, file in pairs):
        raise typer.BadParameter("--inputs takes PART=FILE")
    return {name: file for name, _, file in pairs}


def _moment_since(text: str) -> float:
    from parti.verbs.target import now  # noqa: PLC0415 see below

    return now() - seconds(text) if text else 0.0


def _stored(target: Target, out: Path | None) -> Profile:
    from parti.verbs.profile import stored_profile  # noqa: PLC0415 help and completion do without

    return stored_profile(target, out)


def _from_traffic(target: Target, out: Path | None, since: float, limit: int) -> tuple[Profile, Path]:
    from parti.verbs.profile import profile_from_traffic, save  # noqa: PLC0415 see above

    found = asyncio.run(profile_from_traffic(target, since=since, limit=limit))
    return found, save(found, target, out)


def _measured(
    target: Target,
    out: Path | None,
    files: dict[str, str],
    parts: list[str],
    samples: int,
    longest: float,
    *,
    paid: bool,
) -> tuple[Profile, Path]:
    from parti.planning.measuring import Amount  # noqa: PLC0415 see above
    from parti.verbs.profile import Options, profile_under_load, save  # noqa: PLC0415 see above

    amount = Amount(samples=samples, seconds=longest)
    options = Options(only=tuple(parts), files=files, paid=paid, amount=amount)
    with Counter("measuring: ", "calls") as counter:
        found = asyncio.run(profile_under_load(target, options, progress=counter.show))
    return found, save(found, target, out)


def _drift(target: Target, out: Path | None, since: float, limit: int, *, as_json: bool) -> None:
    from parti.verbs.profile import profile_drift  # noqa: PLC0415 see above

    found = asyncio.run(profile_drift(target, out, since=since, limit=limit))
    if as_json:
        print_json(found)
    else:
        _print_drift(found)
    if found.moved:
        raise typer.Exit(FINDINGS)


def _print_drift(found: Drifted) -> None:
    rows = [
        (one.part, _of(one), _triple(one, one.stored), _triple(one, one.recent), f"{one.ratio:.2f}", f"{one.count:,}")
        for one in found.moved
    ]
    if rows:
        print_table(("part", "of", "kept", "recent", "ratio", "calls"), rows, numbers=(2, 3, 4, 5))
    print_line(f"{len(found.moved)} of {counted(len(found.drifts), 'figure')} moved")
    for names, word in ((found.only_stored, "was not at work"), (found.only_recent, "was not measured before")):
        for name in names:
            print_line(f"  {name}: {word}")
    for caveat in found.caveats:
        print_line(f"  note: {caveat}")


def _of(one: Drift) -> str:
    more = [one.variant, f"batch {one.batch}" if one.batch > 1 else "", f"by {one.caller}" if one.caller else ""]
    return " ".join([one.of, *filter(None, more)])


def _triple(one: Drift, values: tuple[float, float, float]) -> str:
    show = lasting if one.of == "seconds" else lambda value: f"{value:.3g}"
    return f"{show(values[0])} ({show(values[1])} to {show(values[2])})"


def _print(found: Profile) -> None:
    how = "measured under load" if found.source == "load" else f"from traffic, {counted(found.covers, 'run')}"
    print_line(f"{found.system}  {how}  {moment(found.at)}", "bold")
    if found.machine.cores:
        here = found.machine
        print_line(f"  {here.cpu}, {here.cores} cores, Python {here.python}, score {here.score:.1f}")
    rows = [_row(part, service) for part in found.parts for service in part.services]
    headers = ("part", "kind", "variant", "batch", "calls", "own", "95 %", "p99", "cpu", "in line")
    print_table(headers, rows, numbers=range(3, 10))
    for seen in found.arrivals:
        print_line(f"  {seen.entry}: {seen.per_second:.3g}/s arrived, cv {seen.cv:.2g}")
    for one in found.unmeasured:
        print_line(f"  {one.part}: {one.why}")
    if found.other_code:
        print_line(f"  {counted(found.other_code, 'run')} ran by another design than today's")
    if found.at_once > 2:
        print_line(
            f"  {found.at_once:.0f} runs were at work at once: own times hold turns of the event loop and of threads"
        )
    for why in found.contention.why if found.contention else ():
        print_line(f"  contention: {why}", "bold red")
    if found.contention is not None and found.contention.found:
        print_line("  predictions must not rest on this profile: measure again on a quiet machine")


def _row(part: PartProfile, service: Service) -> tuple[str, ...]:
    return (
        part.part, part.kind, service.variant, str(service.batch), f"{service.seconds.count:,}",
        lasting(service.seconds.mean), f"{lasting(service.seconds.low)} to {lasting(service.seconds.high)}",
        lasting(service.seconds.quantile(0.99)), "" if service.cpu is None else lasting(service.cpu),
        "" if service.waited is None else lasting(service.waited.mean),
    )  # fmt: skip


def _facts(found: Profile) -> dict[str, Any]:
    """What JSON says of a profile: all but the quantiles, of which three are told; the file has them."""
    return {
        "system": found.system, "design": found.design, "source": found.source, "at": found.at, "since": found.since,
        "until": found.until, "covers": found.covers, "other_code": found.other_code, "at_once": found.at_once, "machine": found.machine,
        "contention": found.contention, "parts": [_part(part) for part in found.parts], "graphs": found.graphs,
        "arrivals": found.arrivals, "unmeasured": found.unmeasured,
    }  # fmt: skip


def _part(part: PartProfile) -> dict[str, Any]:
    return {
        "part": part.part, "kind": part.kind, "outcomes": part.outcomes, "latency": _sampled(part.latency),
        "services": [
            {
                "variant": one.variant, "batch": one.batch, "cpu": one.cpu,
                **{name: _sampled(getattr(one, name)) for name in ("seconds", "waited", "alone", "together")},
            }
            for one in part.services
        ],
        "tokens": [
            {
                "variant": one.variant, "growth": one.growth, "usd": one.usd, "cached": one.cached, "fit": one.fit,
                "prefill_seconds": one.prefill_seconds, "prefill_seconds_per_token": one.prefill_seconds_per_token,
                "step_seconds": one.step_seconds,
                **{name: _sampled(getattr(one, name)) for name in ("prompt", "output", "first", "decode")},
            }
            for one in part.tokens
        ],
    }  # fmt: skip


def _sampled(one: Sampled | None) -> dict[str, float] | None:
    if one is None:
        return None
    levels = {"p50": one.quantile(0.5), "p95": one.quantile(0.95), "p99": one.quantile(0.99)}
    return {"count": one.count, "mean": one.mean, "low": one.low, "high": one.high, **levels}
