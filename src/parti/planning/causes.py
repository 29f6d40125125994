"""Causes: how often each runner runs, when runs cause others by the events that they publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parti.errors import PlanError
from parti.extras import need
from parti.planning.profile import Profile


@dataclass(frozen=True, slots=True)
class Cause:
    """A run of `runner` causes `mean` runs of `handler`, by what it publishes."""

    runner: str
    handler: str
    mean: float


def causes(profile: Profile) -> tuple[Cause, ...]:
    """All that a profile has seen, of handlers that it has seen at work."""
    known = {graph.caller for graph in profile.graphs}
    return tuple(
        Cause(graph.caller, handler, published.count / max(1, graph.runs))
        for graph in profile.graphs
        for published in graph.published
        for handler in published.handlers
        if published.count and handler in known
    )


def run_rates(found: Sequence[Cause], entering: Mapping[str, float]) -> dict[str, float]:
    """Runs a second of each runner, from those that what arrives begins: the traffic equations. Raises P831 where runs cause each
    other as often or more often, so that there would be more and more of them."""
    np = need("numpy", extra="plan", purpose="planning")
    reached = _reached(found, entering)
    number = {name: at for at, name in enumerate(reached)}
    moves = np.zeros((len(number), len(number)))
    for cause in found:
        if cause.runner in number:
            moves[number[cause.handler], number[cause.runner]] += cause.mean
    endless = _endless(np, moves)
    if endless:
        named = ", ".join(f"`{reached[at]}`" for at in endless)
        what = f"runs of {named} cause " + ("each other" if len(endless) > 1 else "others of it") + " without end"
        raise PlanError("P831", what, fix="plan with a profile in which it ends")
    enter = np.array([entering.get(name, 0.0) for name in reached])
    rates = np.linalg.solve(np.eye(len(number)) - moves, enter)
    return {name: max(0.0, float(rates[at])) for name, at in number.items()}


def _reached(found: Sequence[Cause], entering: Mapping[str, float]) -> list[str]:
    """What comes to run at all, in the order in which it is met."""
    reached = list(entering)
    for name in reached:  # grows while it is gone through
        reached += dict.fromkeys(one.handler for one in found if one.runner == name and one.handler not in reached)
    return reached


def _endless(np: Any, moves: Any) -> list[int]:
    """Those that cause each other, all of them together at least as many as they are: a circle whose spectral radius is 1 or more."""
    paths = (moves > 0).astype(np.int64)
    for _ in range(len(moves).bit_length()):
        paths = ((paths + paths @ paths) > 0).astype(np.int64)
    found: list[int] = []
    for at in range(len(moves)):
        circle = np.flatnonzero(paths[at] & paths[:, at])
        if at in circle and abs(np.linalg.eigvals(moves[np.ix_(circle, circle)])).max() >= 1.0 - 1e-9:
            found.append(at)
    return found
