"""The code that a run works by, in two versions: why nothing can be promised without a replay.

Code is compared by prints of all that a function leads to; types, keys and options by what the designs say of the parts
that the run has met.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from parti.design.agent import Agent
from parti.design.diff import labels_alone
from parti.design.llm import Llm
from parti.design.sketch import PartSketch
from parti.engine.verdicts import Concern, Verdict, Work
from parti.journal.entries import Entry

if TYPE_CHECKING:
    from parti.engine.joining import Join

IGNORED: Final = frozenset(
    {
        "requests",
        "about",
        "timeout",
        "retry",
        "cost",
        "concurrency",
        "retain",
        "backlog",
        "dead_letters",
        "labels",
        "clearance",
        "gate",
        "control",
        "runs",
        "principal",
        "undo",
        "use",
        "region",
        "processor",
        "price",
        "attempts",
        "per_minute",
        "purpose",
        "releases",
        "discloses",
        "path",
        "method",
        "expose",
        "body",
        "returns",
        "arguments",
        "parameters",
        "arrow",
    }
)
"""Facts of parts that a run which has begun is not decided by; types of functions are compared where they were used."""

REPLAY: Final = "parti check --against … --replay"
RUNNERS: Final = ("handler", "endpoint", "schedule")


def of_code(join: Join, work: Work, runner: PartSketch) -> Iterator[Concern]:
    """Why nothing can be promised without a replay; nothing where all that decides is as it was."""
    if not work.entries and work.open:
        return  # it begins from its input, by whatever code
    for why in _unsure(join, work, runner):
        yield Concern(Verdict.UNKNOWN, runner.name, why, runner.place, f"replay it: {REPLAY}")
        return


def _unsure(join: Join, work: Work, runner: PartSketch) -> Iterator[str]:
    name, before = runner.name, join.old.parts.get(runner.name)
    if work.record.code != join.old.digest:
        yield "it was begun by another version than the one that is compared"
    if before is None or before.kind != runner.kind:
        yield f"`{name}` is new"
        return
    used = sorted(join.old.used_by(name) | join.new.used_by(name))
    yield from _code_of(join, name)
    for one in used:
        part = join.old.parts.get(one) or join.new.parts.get(one)
        if one != name and part and part.kind in RUNNERS:
            yield from _code_of(join, one)
    if name in join.old.unseen | join.new.unseen:
        yield f"`{name}` uses parts in a way that cannot be read"
    met = {entry.part for entry in work.entries} | {name, work.record.topic} | {_agent_of(e) for e in work.entries}
    yield from _facts(join, sorted(met | {one for one in used if join.is_a(one, "memory")}))
    if any("/" in entry.branch for entry in work.entries):
        for one in used:
            if any(change.fact == "code" for change in join.changes.of(one)):
                yield f"the code of `{one}`, which was under way, changed"


def _agent_of(entry: Entry) -> str:
    return entry.part.partition(":")[2] if entry.part.startswith("session:") else ""


def _code_of(join: Join, name: str) -> Iterator[str]:
    before, now = join.old.parts.get(name), join.new.parts.get(name)
    if before is None or now is None or not before.code or not now.code:
        yield f"code that `{name}` works by cannot be compared"
    elif before.code != now.code:
        yield f"code that `{name}` works by changed"


def _facts(join: Join, names: list[str]) -> Iterator[str]:
    for name in names:
        for change in join.changes.of(name):
            kept = isinstance(join.design.by_name.get(name), Llm | Agent) and change.fact not in (
                "output",
                "sessions",
            )
            if (
                change.how == "changed"
                and not kept
                and not labels_alone(change.before, change.after)
                and (matters(change.fact) or change.fact in ("arguments", "returns"))
            ):
                yield str(change)


def matters(fact: str) -> bool:
    """Whether a fact of a part decides over runs that have begun."""
    return fact not in IGNORED and fact != "code"
