"""What was predicted and measured, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bench.published import CHAINS, GPUS_SOURCE
from bench.report import machine_text

P99_AIM: Final = 0.10
"""A prediction of p99 is near enough within this share."""

USE_AIM: Final = 0.03

STABLE: Final = 0.9
"""Loads with a busier part than this have no steady state to speak of; they are shown, and counted apart."""

TITLES: Final = {
    "pipeline": "A pipeline of four calibrated parts",
    "lending": "The lending example, without its language model",
}


def markdown(found: Mapping[str, Any]) -> str:
    """The page: machine, verdicts, tables, and where the figures of the simulation come from."""
    lines = ["# Predicted against measured", "", f"Measured {found['when']} on {machine_text(dict(found['machine']))}."]
    lines += ["How: see [bench/README.md](../README.md).", *(f"\n**{warning}**" for warning in found["warnings"])]
    if found["quick"]:
        lines += ["", "**A quick run, with too little of everything: it shows that all of it runs, and nothing else.**"]
    for name, title in TITLES.items():
        if name in found:
            lines += ["", f"## {title}", "", *_section(found[name])]
    if "coarse" in found:
        lines += ["", "## InferLine's claim, in simulation", "", *_coarse(found["coarse"])]
    return "\n".join(lines) + "\n"


def verdict(compared: Sequence[Mapping[str, Any]]) -> str:
    """In how many loads p99 and uses were predicted as near as is aimed at; the profile's drift told apart from the model's error."""
    steady = [one for one in compared if not one["past"]]
    if not steady:
        return "No load was below what the plan can serve."
    near = sum(abs(error(figure(one, "p99"))) <= P99_AIM for one in steady)
    model = sum(abs(error(figure(one, "p99"), "refitted")) <= P99_AIM for one in steady)
    uses = [each for one in steady for each in one["figures"] if each["unit"] == "use"]
    right = sum(abs(error(each)) <= USE_AIM for each in uses)
    return (
        f"Of {len(steady)} loads below what the plans can serve, p99 was predicted within {P99_AIM:.0%} in {near}, and in {model} "
        f"with the service times of the very runs that were measured (what the model itself errs, without the profile's drift). "
        f"Of {len(uses)} uses, {right} were within {100 * USE_AIM:.0f} points."
    )


def figure(compared: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The figure of that name."""
    found: Mapping[str, Any] = next(one for one in compared["figures"] if one["name"] == name)
    return found


def error(figure: Mapping[str, Any], by: str = "predicted") -> float:
    """By how much a prediction is off: a share, of uses the difference."""
    told, seen = figure[by]["mean"], figure["measured"]["mean"]
    return float(told - seen if figure["unit"] == "use" else told / seen - 1)


def _section(section: Mapping[str, Any]) -> Iterator[str]:
    yield verdict(section["compared"])
    why = section["facts"].get("contention", ())
    if why:
        yield f"\n**While it was profiled, {'; '.join(why)}: its service times are too long, and predictions from them too.**"
    yield ""
    heads = ["load", "requests", "failed", "", "measured", "predicted", "off", "with the runs' own times", "off"]
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for one in section["compared"]:
        for number, each in enumerate(one["figures"]):
            first = [_named(one), str(one["requests"]), str(one["failed"])] if number == 0 else ["", "", ""]
            yield _row([*first, _title(each), *_sides(each)])
    yield ""
    for one in section["compared"]:
        drifts = ", ".join(f"`{part}` {share:+.1%}" for part, share in one["drift"].items())
        yield f"- {one['text']}: the event loop is predicted to be busy for {one['loop']:.1%}" + (
            f"; calls took longer than profiled by: {drifts}." if drifts else "."
        )


def _named(one: Mapping[str, Any]) -> str:
    return one["text"] + (" (more than it can serve)" if one["past"] else "")


def _title(each: Mapping[str, Any]) -> str:
    return f"use of {each['name']}" if each["unit"] == "use" else f"{each['name']}, {each['unit']}"


def _sides(each: Mapping[str, Any]) -> list[str]:
    told = [_interval(each[side], each["unit"]) for side in ("measured", "predicted", "refitted")]
    off = [_off(error(each, side), each["unit"]) for side in ("predicted", "refitted")]
    return [told[0], told[1], off[0], told[2], off[1]]


def _interval(value: Mapping[str, float], unit: str) -> str:
    if unit == "use":
        return f"{value['mean']:.1%} ({max(0.0, value['low']):.1%} to {value['high']:.1%})"
    return f"{value['mean']:.1f} ({max(0.0, value['low']):.1f} to {value['high']:.1f})"


def _off(error: float, unit: str) -> str:
    return f"{100 * error:+.1f} points" if unit == "use" else f"{error:+.1%}"


def _coarse(found: Mapping[str, Any]) -> Iterator[str]:
    summary = found["summary"]
    text = (
        f"Of {summary['cases']} cases, the plan made part by part misses its promise in {summary['fine_misses']}, the whole pipeline "
        f"provisioned by the mean rate in {summary['mean_misses']}, by the peak in {summary['peak_misses']}."
    )
    if "peak_cost_median" in summary:
        low, high = summary["peak_cost_range"]
        text += f" By the peak costs {summary['peak_cost_median']:.2f} times the plan in the median ({low:.2f} to {high:.2f})."
    yield text
    yield ""
    heads = ["pipeline", "rate", "cv", "promised p99", "part by part", "by the mean", "by the peak", "gap"]
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for case in found["cases"]:
        plans = [_plan(case[name], case) for name in ("fine", "mean", "peak")]
        gap = "proved*" if case["gap"] == 0 else f"{case['gap']:.0%}*"
        promised = f"{1000 * case['slo']:.0f} ms"
        yield _row([case["chain"], f"{case['rate']:g}/s", f"{case['cv']:g}", promised, *plans, gap])
    yield ""
    yield "Each plan: USD an hour, its p99, for each model replicas, GPU and batch; **bold** where it misses its promise in most fresh runs."
    yield "\\* how far the search for the promise, before its verification, is from a proof, if waiting in one part never helps in another."
    yield "Service times:"
    yield ""
    sources = {model.name: model.source for chain in CHAINS for model in chain.models}
    yield from (f"- {name}: {source}" for name, source in sources.items())
    yield f"- {GPUS_SOURCE}"


def _plan(plan: Mapping[str, Any] | None, case: Mapping[str, Any]) -> str:
    if plan is None:
        return "none"
    text = f"${plan['cost']:.2f}, {1000 * plan['p99']:.0f} ms: {plan['text']}"
    return f"**{text}**" if plan["broken"] > plan["runs"] / 2 else text


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
