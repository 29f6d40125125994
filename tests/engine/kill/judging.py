"""What must hold after a process was killed again and again: promises that were broken, in words."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from parti.journal.entries import Kind, decode
from parti.ports.store import Event, QuestionRecord, RunRecord, State
from parti.wiring import open_store

from .desk import CUSTOMERS, Account, Bonus, Order, Receipt, order_of
from .recorder import Recorder


@dataclass
class Remains:
    """Everything that a store holds in the end."""

    events: dict[str, list[Event]]
    runs: list[RunRecord]
    doubts: list[QuestionRecord]
    intents: Counter[tuple[str, str]]
    accounts: dict[str, Account]
    findings: list[str]


def remains_of(path: Path) -> Remains:
    """Read a store whose process has ended."""
    return asyncio.run(_read(path))


async def _read(path: Path) -> Remains:
    store = open_store(path, read_only=True)
    events: dict[str, list[Event]] = {"orders": [], "receipts": [], "bonuses": [], "orders.dead": []}
    for topic, partition in sorted(await store.ends()):
        events[topic] += await store.events(topic, partition, start=0, limit=100_000)
    runs = await store.runs(limit=100_000)
    doubts = [doubt for state in ("open", "answered") for doubt in await store.questions(state=state, limit=100_000)]
    intents: Counter[tuple[str, str]] = Counter()
    for run in runs:
        for row in await store.journal(run.id):
            intents.update((entry.part, entry.branch) for entry in decode(row.body) if entry.kind == Kind.INTENT)
    rows = await store.rows("accounts", "main", after="", limit=1000)
    accounts = {key: Account.model_validate(json.loads(row)[1]) for key, row in rows}
    findings = [finding.what for finding in await store.verify()]
    await store.close()
    return Remains(events, runs, doubts, intents, accounts, findings)


def breaches(remains: Remains, recorder: Recorder, published: int, arrivals: int) -> list[str]:
    """Every promise that does not hold; empty when all do."""
    wanted = [order_of("p", number).id for number in range(published)]
    wanted += [order_of("s", number).id for number in range(arrivals)]
    return [
        *remains.findings,
        *_events(remains, recorder, wanted),
        *_runs(remains),
        *_effects(recorder, wanted),
        *_doubts(remains),
        *_accounts(remains),
    ]


def _events(remains: Remains, recorder: Recorder, wanted: list[str]) -> Iterator[str]:
    """Each order once; downstream each once; what was acknowledged is there."""
    orders = [Order.model_validate_json(event.payload).id for event in remains.events["orders"]]
    receipts = [Receipt.model_validate_json(event.payload).order for event in remains.events["receipts"]]
    bonuses = [Bonus.model_validate_json(event.payload).order for event in remains.events["bonuses"]]
    yield from _differences("orders", orders, wanted)
    yield from _differences("receipts", receipts, wanted)
    yield from _differences("bonuses", bonuses, wanted)
    acknowledged = {key for what, key in recorder.counts if what == "published"}
    yield from (f"{order} was acknowledged and is lost" for order in acknowledged - set(orders))
    yield from (f"{event.key} went to the dead letters" for event in remains.events["orders.dead"])


def _differences(what: str, got: Iterable[str], wanted: Iterable[str]) -> Iterator[str]:
    have = Counter(got)
    for name in sorted(have.keys() | set(wanted)):
        expected = 1 if name in wanted else 0
        if have[name] != expected:
            yield f"{what}: {name} is there {have[name]} times, not {expected}"


def _runs(remains: Remains) -> Iterator[str]:
    """Each event of a topic that is handled has exactly one run, and it ended well."""
    for handler, topic in (("charge", "orders"), ("reward", "bonuses")):
        runs = [(run.partition, run.offset) for run in remains.runs if run.part == handler]
        events = [(event.partition, event.offset) for event in remains.events[topic]]
        yield from _differences(f"runs of {handler}", map(str, runs), list(map(str, events)))
    yield from (f"{run.id} is {run.state}: {run.error!r}" for run in remains.runs if run.state is not State.DONE)


def _effects(recorder: Recorder, wanted: list[str]) -> Iterator[str]:
    for tool in ("pay", "ship", "mail"):
        done = {key: count for (what, key), count in recorder.counts.items() if what == tool and count}
        yield from (f"{tool} of {key} is lost" for key in wanted if key not in done)
        yield from (f"{tool} of {key}, which nobody ordered" for key in done if key not in wanted)
        if tool != "mail":  # it is called again with its key, and the outside counts the key once
            yield from (f"{tool} of {key} happened {count} times" for key, count in done.items() if count > 1)


def _doubts(remains: Remains) -> Iterator[str]:
    """A write that is neither idempotent nor can be looked up is started again only on a person's word."""
    yield from (f"the question {doubt.id} is open" for doubt in remains.doubts if doubt.state == "open")
    refuted: Counter[str] = Counter()
    for run in remains.runs:
        for doubt in remains.doubts:
            if doubt.run == run.id and doubt.state == "answered" and not json.loads(doubt.answer)["happened"]:
                refuted[_key_in(doubt)] += 1
    for (tool, key), count in remains.intents.items():
        if tool == "pay" and count > 1 + refuted[key]:
            yield f"pay of {key} was started {count} times, and people allowed {refuted[key]} of them to be repeated"


def _key_in(doubt: QuestionRecord) -> str:
    """The idempotency key that a question names."""
    return doubt.text.split("'")[1]


def _accounts(remains: Remains) -> Iterator[str]:
    """Tables are what the events, one after the other, make of them."""
    for customer in CUSTOMERS:
        orders = [Order.model_validate_json(event.payload) for event in remains.events["orders"]]
        own = [order for order in orders if order.customer == customer]
        account = remains.accounts.get(customer, Account(customer=customer))
        charged = [entry for entry in account.log if not entry.startswith("bonus")]
        rewarded = [entry.removeprefix("bonus ") for entry in account.log if entry.startswith("bonus")]
        total = sum(order.amount * 2 for order in own)
        if account.total != total or account.points != total * 5:
            yield f"{customer} has {account.total} and {account.points} points, should have {total} and {total * 5}"
        if charged != [order.id for order in own]:
            yield f"{customer} was charged for {charged}, the orders came as {[order.id for order in own]}"
        if rewarded != charged:
            yield f"{customer} was rewarded for {rewarded}, the charges came as {charged}"
