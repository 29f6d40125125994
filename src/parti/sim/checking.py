"""Checking: what no network or load can be is refused before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from parti.errors import PlanError
from parti.sim.distributions import Constant, Distribution, Empirical
from parti.sim.network import END, EVERYONE, Call, Choice, Fork, Llm, Network, Retry, Station

if TYPE_CHECKING:
    from parti.sim.load import Load

MOST = 1000
"""Stations, and calls: what the order of simultaneous events has room for."""
REQUESTS_MOST = 1 << 30
SERVERS_MOST = 100_000
"""Servers of a station that are told apart."""


def check_network(network: Network) -> None:
    """Raises P801 for a station, call or limit that cannot be, P802 for a route that leads nowhere or never ends."""
    calls, stations = network.all_calls(), {station.name: station for station in network.stations}
    _unless(
        0 < len(stations) == len(network.stations) <= MOST,
        "the network",
        f"needs 1 to {MOST} stations, each with a name of its own",
    )
    _unless(
        len({call.name for call in calls}) == len(calls) <= MOST,
        "the network",
        f"has at most {MOST} calls, each with a name of its own",
    )
    _unless(network.visits_max >= 1, "the network", "has a visits_max of at least 1")
    for station in network.stations:
        _check_station(station)
    for call in calls:
        _unless(
            call.station in stations, f"call {call.name!r}", f"is of a station that does not exist: {call.station!r}"
        )
        _check_call(call, stations[call.station])
    limited = [name for limit in network.limits for name in limit.calls]
    for limit in network.limits:
        _unless(limit.slots >= 1, f"limit {limit.name!r}", "has at least one slot")
        _unless(set(limit.calls) <= {call.name for call in calls}, f"limit {limit.name!r}", "is of calls that exist")
    _unless(len(set(limited)) == len(limited), "a call", "is under one limit at most")
    _check_routes(network, {call.name for call in calls})


def check_changed(network: Network, changed: Iterable[Station]) -> None:
    """The same for stations that are new in a network that was checked before. Raises P801."""
    for station in changed:
        _check_station(station)
        for call in network.calls:
            if call.station == station.name:
                _check_call(call, station)


def _unless(right: bool, what: str, rule: str) -> None:
    if not right:
        raise PlanError("P801", f"{what} {rule}", fix="correct it; see parti.sim.network for what each number means")


def _check_station(station: Station) -> None:
    what = f"station {station.name!r}"
    _unless(station.name != END, "a station", "has a name")
    _unless(station.replicas >= 1 and station.concurrency >= 1, what, "has at least one replica and one place in each")
    _unless(station.room is None or station.room >= 1, what, "has room for at least one, or no bound")
    if isinstance(station.service, Llm):
        _check_llm(station.service, what)
        apart = station.batch or station.failures or station.cold
        _unless(
            apart is None and station.concurrency == 1,
            what,
            "is a language model: it has slots instead of batch, failures, cold and concurrency",
        )
        begun = station.retry is not None and station.retry.begun
        _unless(not begun, what, "is a language model: its timeout counts from the arrival")
    else:
        check_distribution(station.service, f"the service of {what}")
    _check_manners(station, what)
    told_apart = station.batch or station.failures or station.cold or isinstance(station.service, Llm)
    _unless(
        not told_apart or station.servers <= SERVERS_MOST,
        what,
        f"has at most {SERVERS_MOST} servers that are told apart",
    )
    _unless(station.servers <= EVERYONE, what, "has at most EVERYONE servers")


def _check_manners(station: Station, what: str) -> None:
    batch, rate, retry = station.batch, station.rate, station.retry
    if batch:
        _unless(
            batch.size >= 1 and _finite(batch.linger),
            f"the batch of {what}",
            "has a size of at least 1 and a linger of at least 0 s",
        )
        growth = batch.growth
        right = not growth or (len(growth) == batch.size and all(map(_finite, growth)))
        _unless(right, f"the batch of {what}", "has one factor of at least 0 for each size")
    if rate:
        _unless(
            0 < rate.per_second < math.inf and rate.burst >= 1,
            f"the rate of {what}",
            "is above 0, with a burst of at least 1",
        )
    if retry:
        _check_retry(retry, what)
    for distribution in (station.failures and station.failures.up, station.failures and station.failures.down):
        if distribution:
            check_distribution(distribution, f"the failures of {what}")
    if station.failures:
        _unless(mean_of(station.failures.up) > 0, f"the failures of {what}", "have a mean time between them above 0 s")
    if station.cold:
        check_distribution(station.cold.seconds, f"the cold start of {what}")
        _unless(station.cold.idle >= 0, f"the cold start of {what}", "comes after at least 0 s")


def _check_retry(retry: Retry, what: str) -> None:
    _unless(
        retry.timeout > 0 and retry.attempts >= 1,
        f"the retry of {what}",
        "has a timeout above 0 s and at least one attempt",
    )
    _unless(
        _finite(retry.backoff) and _finite(retry.factor) and retry.longest >= 0,
        f"the retry of {what}",
        "pauses for at least 0 s",
    )
    _unless(0 <= retry.jitter <= 1, f"the retry of {what}", "has a jitter from 0 to 1")
    _unless(0 <= retry.failing <= 1, f"the retry of {what}", "fails for a share from 0 to 1")


def _check_llm(llm: Llm, what: str) -> None:
    _unless(1 <= llm.slots <= SERVERS_MOST, what, f"has 1 to {SERVERS_MOST} slots")
    check_distribution(llm.prompt, f"the prompt of {what}")
    check_distribution(llm.output, f"the output of {what}")
    numbers = (llm.prefill_seconds, llm.prefill_seconds_per_token, llm.step_seconds, llm.step_seconds_per_sequence)
    _unless(all(map(_finite, (*numbers, llm.prompt_growth))), what, "has times and growth of at least 0")


def _check_call(call: Call, station: Station) -> None:
    what = f"call {call.name!r}"
    _unless(call.name != END, "a call", "has a name")
    _unless(call.joins >= 1, what, "joins at least one branch")
    if call.service is None:
        return
    if isinstance(call.service, Llm):
        right = isinstance(station.service, Llm) and station.service.slots == call.service.slots
        _unless(right, what, "replaces an Llm by one of the same slots")
        _check_llm(call.service, what)
    else:
        _unless(not isinstance(station.service, Llm), what, "replaces the Llm of its station by another Llm only")
        check_distribution(call.service, f"the service of {what}")


def _finite(number: float) -> bool:
    return 0 <= number < math.inf


def mean_of(distribution: Distribution) -> float:
    """The mean of a distribution."""
    return distribution.mean


def check_distribution(distribution: Distribution, what: str) -> None:
    """Raises P801 for a negative or infinite mean, a cv that is not above 0, or quantiles that do not ascend."""
    if isinstance(distribution, Empirical):
        values = distribution.quantiles
        right = len(values) >= 2 and all(map(_finite, values)) and all(a <= b for a, b in pairwise(values))
        _unless(right, what, "has at least two quantiles that ascend from 0 or more")
        return
    _unless(_finite(distribution.mean), what, "has a finite mean of at least 0")
    if isinstance(distribution, Constant):
        return
    cv = getattr(distribution, "cv", 1.0)
    _unless(distribution.mean > 0 and 0 < cv < math.inf, what, "varies, so its mean and cv are above 0")


def _check_routes(network: Network, calls: set[str]) -> None:
    if network.entry not in calls:
        raise PlanError("P802", f"the entry {network.entry!r} is no call", fix=f"enter at one of {_names(calls)}")
    for name, route in network.routes.items():
        targets = route.targets if isinstance(route, Fork) else tuple(target for target, _ in route.targets)
        unknown = [target for target in (name, *targets) if target not in calls and target != END]
        if name == END or unknown or not targets:
            raise PlanError(
                "P802",
                f"the route of {name!r} leads to {unknown[0]!r}, which is no call"
                if unknown
                else f"the route of {name!r} has no target",
                fix=f"lead to one of {_names(calls)}, or to END",
            )
        if isinstance(route, Choice):
            _check_choice(name, route)
    endless = _endless(network, calls)
    if endless:
        raise PlanError(
            "P802",
            f"what comes to {endless[0]!r} never reaches the end",
            fix="give its loop a way out with a probability above 0",
        )


def _check_choice(name: str, route: Choice) -> None:
    shares = [share for _, share in route.targets]
    if not all(0 <= share <= 1 for share in shares) or not math.isclose(sum(shares), 1.0, rel_tol=0, abs_tol=1e-9):
        raise PlanError(
            "P802",
            f"the probabilities of the route of {name!r} sum to {sum(shares):.6g}",
            fix="make them sum to 1, each from 0 to 1",
        )


def _endless(network: Network, calls: set[str]) -> list[str]:
    """Calls from which the end cannot be reached."""
    after = {name: _following(network, name) for name in calls}
    ending = {END}
    while True:
        more = {name for name in calls - ending if after[name] & ending}
        if not more:
            return sorted(calls - ending)
        ending |= more


def _following(network: Network, name: str) -> set[str]:
    route = network.routes.get(name)
    if route is None:
        return {END}
    return set(route.targets) if isinstance(route, Fork) else {target for target, share in route.targets if share > 0}


def _names(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(map(repr, listed[:5])) + (", …" if len(listed) > 5 else "")


def check_load(network: Network, load: Load, warmup: float) -> None:
    """Raises P803 for times that run backwards, begin before 0 or are not finite, and for entries that are no calls."""
    from parti.sim.compiled import np  # noqa: PLC0415 - numpy is imported once a simulation starts

    times = np.asarray(load.arrived)
    if times.ndim != 1 or len(times) > REQUESTS_MOST:
        raise PlanError("P803", "arrivals are no list of times", fix=f"give up to {REQUESTS_MOST} numbers of seconds")
    backwards = np.flatnonzero(np.diff(times) < 0)
    if len(backwards):
        where = int(backwards[0])
        raise PlanError(
            "P803",
            f"time runs backwards: request {where + 1} arrives at {times[where + 1]:g} s, after one at {times[where]:g} s",
            fix="sort the arrivals",
        )
    if len(times) and not (times[0] >= 0 and np.isfinite(times).all()):
        raise PlanError("P803", "arrivals begin before 0 s or are not finite", fix="count seconds from the start")
    if not 0 <= warmup < math.inf:
        raise PlanError("P803", f"a warm-up of {warmup:g} s", fix="give 0 seconds or more")
    entries = load.entries
    if entries is not None:
        entries = np.asarray(entries)
        inside = len(entries) == len(times) and bool(((entries >= 0) & (entries < len(network.all_calls()))).all())
        if not inside:
            raise PlanError(
                "P803", "entries are not one call for each request", fix="give the index of a call for each"
            )
