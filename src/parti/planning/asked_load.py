"""Load as it is asked for on the command line: ``120/s``, ``120/s cv=4``, ``mmpp …``, a file of timestamps, the journal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.errors import UsageError
from parti.planning.load import Stream, Workload, scaled
from parti.planning.traces import Traced, read_trace, trace_of
from parti.sim.load import Arrivals, GammaArrivals, Mmpp, Poisson
from parti.units import Seconds, seconds

JOURNAL: Final = "journal"
"""Asks for the arrivals that the journal holds."""

_WAYS: Final = 'write "120/s", "120/s cv=4", "mmpp 20/s:30s 400/s:5s", a file of timestamps, "journal" or "journal*1.5"'
_PER: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_RATE: Final = re.compile(r"([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)/([a-z]+)")
_ENTRY: Final = re.compile(r"\s*((?:[A-Z]+ +)?(?!cv=)[^\s=]+)=")
_SCALED: Final = re.compile(r"(.+?)\*([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)")

Seen = Mapping[str, Sequence[Seconds]]
"""When something arrived from outside at each entry, ascending, in seconds since 1970."""


def needs_journal(texts: Sequence[str]) -> bool:
    """Whether the journal's arrivals are asked for."""
    return any(_unscaled(_named(text)[1])[0] == JOURNAL for text in texts)


def asked_load(
    texts: Sequence[str], design: Design, *, shares: Mapping[str, float], seen: Seen, folder: Path
) -> Workload:
    """The workload that these texts ask for, each ``[ENTRY=]LOAD``; files are named relative to `folder`.

    A load without an entry is shared out by `shares` (of entries, as a profile has seen them); without those, the only entry
    has all of it. `seen` are the journal's arrivals. Raises P825 for what is no load or entry, P826 for a rate that is not
    positive, P827 for times that run backwards, P828 where nothing arrives.
    """
    if not texts:
        raise UsageError("P825", "there is no load to plan for", fix=f"give --load: {_WAYS}")
    streams: list[Stream] = []
    for text in texts:
        entry, load = _named(text)
        name, factor = _unscaled(load)
        if name == JOURNAL:
            streams += _from_journal(design, entry, seen, factor, text)
            continue
        arrivals, traced = _arrivals(load, folder)
        sources = [(_source(design, entry), 1.0)] if entry else _shared(design, shares)
        entries = tuple((_entry(design, source), share) for source, share in sources)
        tokens = (traced.prompt, traced.output) if traced else (None, None)
        streams.append(Stream(arrivals, entries, text, *tokens))
    return Workload(tuple(streams))


def _named(text: str) -> tuple[str, str]:
    """The entry that a load is for ("" for none), and the load."""
    found = _ENTRY.match(text)
    return (found[1], text[found.end() :].strip()) if found else ("", text.strip())


def _unscaled(load: str) -> tuple[str, float]:
    """``journal*1.5`` as the name and the factor. Raises P826."""
    found = _SCALED.fullmatch(load)
    if not found:
        return load, 1.0
    factor = _number(found[2])
    if not 0 < factor < float("inf"):
        raise UsageError("P826", f"a load cannot be scaled by {found[2]}", fix="a factor is positive, such as 1.5")
    return found[1].strip(), factor


def _arrivals(load: str, folder: Path) -> tuple[Arrivals, Traced | None]:
    first, *rest = load.split() or [""]
    if first == "mmpp":
        return _mmpp(rest), None
    if _RATE.fullmatch(first):
        rate = _rate(first)
        return (_renewal(rate, rest, load), None)
    name, factor = _unscaled(load)
    path = folder / name
    if path.suffix.lower() in (".csv", ".json", ".jsonl", ".ndjson", ".txt") or path.is_file():
        traced = read_trace(path)
        return scaled(traced.trace, factor), traced
    raise UsageError("P825", f"{load!r} is no load", fix=_WAYS)


def _renewal(rate: float, options: Sequence[str], load: str) -> Arrivals:
    if not options:
        return Poisson(rate)
    name, _, value = options[0].partition("=")
    cv = _number(value)
    if len(options) > 1 or name != "cv" or isnan(cv):
        raise UsageError("P825", f"{' '.join(options)!r} in {load!r} is not understood", fix=_WAYS)
    if not 0 < cv < float("inf"):
        raise UsageError("P826", f"cv={value} is not positive", fix="1 is a Poisson process, 4 is bursty")
    return Poisson(rate) if cv == 1 else GammaArrivals(rate, cv)


def _mmpp(states: Sequence[str]) -> Mmpp:
    """``20/s:30s 400/s:5s``: the rate of each state, and how long it lasts in the mean."""
    pairs = [state.rpartition(":") for state in states]
    if len(pairs) < 2 or not all(found[0] for found in pairs):
        raise UsageError(
            "P825", f"mmpp {' '.join(states)} needs two states or more", fix='write "mmpp 20/s:30s 400/s:5s"'
        )
    rates = tuple(_rate(rate, zero=True) for rate, _, _ in pairs)
    if not any(rates):
        raise UsageError("P826", "all rates of the mmpp are 0", fix="give one of its states a rate")
    return Mmpp(rates, tuple(seconds(dwell) for _, _, dwell in pairs))


def _rate(text: str, *, zero: bool = False) -> float:
    """Arrivals a second from ``120/s`` or ``3/m``. Raises P825, and P826 for one that is not positive."""
    found = _RATE.fullmatch(text)
    if not found or found[2] not in _PER or isnan(value := _number(found[1])):
        raise UsageError("P825", f"{text!r} is no rate", fix="write a number and /s, /m, /h or /d, such as 120/s")
    if not (0 < value < float("inf") or (zero and value == 0)):
        raise UsageError("P826", f"the rate {text} is not positive", fix="nothing would ever arrive: write 120/s")
    return value / _PER[found[2]]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _source(design: Design, entry: str) -> str:
    """The endpoint, handler or topic of that name, or the endpoint of that path. Raises P825 naming those there are."""
    part = design.by_name.get(entry)
    if isinstance(part, Endpoint | Handler | Topic):
        return entry
    method, _, path = entry.rpartition(" ")
    for endpoint in design.all(Endpoint):
        if endpoint.path == path and (not method or endpoint.method == method) and not endpoint.agent:
            return endpoint.name
    known = [one.path for one in design.all(Endpoint) if not one.agent]
    known += dict.fromkeys(handler.topic for handler in design.all(Handler))
    raise UsageError("P825", f"{design.name} has no entry {entry!r}", fix=f"one of: {', '.join(known) or 'none'}")


def _shared(design: Design, shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """What is asked of the system as a whole, shared out among its endpoints and topics.

    Every event of a topic is a run of each of its handlers: so it counts as often as the handler that was seen most.
    """
    weights: dict[str, float] = {}
    for entry, share in shares.items():
        part = design.by_name.get(entry)
        source = part.topic if isinstance(part, Handler) else entry
        if isinstance(part, Handler | Endpoint):
            weights[source] = max(weights.get(source, 0.0), share)
    total = sum(weights.values())
    if total > 0:
        return [(source, weight / total) for source, weight in weights.items() if weight > 0]
    fed = {arrow.target for arrow in design.arrows if arrow.kind == "publishes"} | {h.to for h in design.all(Handler)}
    sources = list(dict.fromkeys(handler.topic for handler in design.all(Handler) if handler.topic not in fed))
    sources += [endpoint.name for endpoint in design.all(Endpoint)]
    if len(sources) != 1:
        raise UsageError(
            "P825", f"nobody knows how the load is shared out among {', '.join(sources) or 'no entry'}",
            fix="say it: --load /path=30/s --load topic=5/s, or profile some traffic first",
        )  # fmt: skip
    return [(sources[0], 1.0)]


def _entry(design: Design, source: str) -> str:
    """Where what comes to a source enters: of a topic with several handlers the topic, since each event is for all of them. Raises P825."""
    if not isinstance(design.by_name.get(source), Topic):
        return source
    handlers = [one.name for one in design.all(Handler) if one.topic == source]
    if not handlers:
        raise UsageError("P825", f"no handler reads the topic {source!r}", fix="name a topic that has a handler")
    return source if len(handlers) > 1 else handlers[0]


def _from_journal(design: Design, entry: str, seen: Seen, factor: float, text: str) -> list[Stream]:
    """The journal's own arrivals: a trace for each entry, all of them over the time from the first arrival of all to the last.

    Handlers of one topic have the same events: those of the handler that has most of them.
    """
    source = _source(design, entry) if entry else ""
    wanted: dict[str, Sequence[Seconds]] = {}
    for name, times in seen.items():
        topic = _topic_of(design, name)
        if source and source not in (name, topic):
            continue
        at = name if source == name else _entry(design, topic or name)
        if len(times) > len(wanted.get(at, ())):
            wanted[at] = times
    count = sum(len(times) for times in wanted.values())
    begin, end = (choose((times[at] for times in wanted.values()), default=0.0) for choose, at in ((min, 0), (max, -1)))
    if begin == end:
        raise UsageError(
            "P828",
            f"the journal holds no two arrivals{f' at {entry}' if entry else ''}",
            fix="let the system work first",
        )
    span = (end - begin) * count / (count - 1)
    return [
        Stream(trace_of([time - begin for time in times], factor, span), ((name, 1.0),), text)
        for name, times in wanted.items()
    ]


def _topic_of(design: Design, name: str) -> str:
    part = design.by_name.get(name)
    return part.topic if isinstance(part, Handler) else ""
