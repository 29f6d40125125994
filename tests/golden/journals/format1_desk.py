"""The system that wrote the golden store of format 1: one kind of case for each way to be open. Its meaning is frozen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from parti import Reason, Retry, StepFailed, System, ask, now, random, sleep, uuid
from parti.design.model import Model
from parti.ports.store import ModelVersion


class Case(BaseModel):
    id: str
    kind: str
    amount: int = 1


class Verdict(BaseModel):
    id: str
    text: str


class Features(BaseModel):
    amount: int


class Score(BaseModel):
    value: int


class World:
    """What is outside: every call of a step or tool, those that hang or fail, and what runs were told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.hanging: set[str] = set()
        self.failing: set[str] = set()
        self.happened: set[str] = set()
        self.seen: dict[str, Any] = {}
        self.arrivals = 3

    async def call(self, what: str) -> None:
        self.calls.append(what)
        if what in self.failing:
            raise ConnectionError(f"no answer to {what}")
        if what in self.hanging:
            await asyncio.Event().wait()


world = World()


class GivenClock:
    """Time that begins where it is told to."""

    def __init__(self, begin: float) -> None:
        self._ahead = begin - time.monotonic()

    def now(self) -> float:
        return time.monotonic() + self._ahead

    async def wait(self, duration: float) -> None:
        await asyncio.sleep(duration)


class GivenScorer:
    """Answers that tell the version: 100 times it, plus the amount."""

    def __init__(self) -> None:
        self._ready: set[tuple[str, int]] = set()

    def load(self, model: Model, version: ModelVersion, onnx: bytes) -> None:
        assert onnx == b"version %d" % version.version
        self._ready.add((model.name, version.version))

    def loaded(self, model: str, version: int) -> bool:
        return (model, version) in self._ready

    def predict(self, model: Model, version: int, features: Any) -> Score:
        world.calls.append(f"predicted {features.amount} with version {version}")
        return Score(value=version * 100 + features.amount)

    def reasons(self, model: Model, version: int, features: Any, count: int) -> list[Reason]:
        world.calls.append(f"explained {features.amount} with version {version}")
        return [Reason(feature="amount", value=float(features.amount), effect=1.5)]

    def forget(self, model: str, version: int) -> None:
        self._ready.discard((model, version))


archive = System("archive", retain=None)  # what was the rule when it was written: everything is kept
cases = archive.topic("cases", Case, key="id", partitions=1)
verdicts = archive.topic("verdicts", Verdict, key="id", partitions=1)
arrived = archive.topic("arrived", Case, key="id", partitions=1)
notes = archive.table("notes", Verdict, key="id")
risk = archive.model("risk", inputs=Features, output=Score)


@archive.step()
async def measured(what: str) -> int:
    await world.call(f"measured {what}")
    return len(what)


@archive.step()
async def gate(what: str) -> str:
    await world.call(f"gate {what}")
    return f"through {what}"


@archive.step()
async def outer(what: str) -> str:
    await world.call(f"outer {what}")
    return f"{await measured(what + ' inside')} {await gate(what + ' inside')}"


@archive.step()
async def unsteady(what: str) -> str:
    await world.call(f"unsteady {what}")
    return f"steady {what}"


@archive.step()
async def bulky(what: str) -> str:
    await world.call(f"bulky {what}")
    return what * 20_000


@archive.tool(effect="read", retry=Retry(2, first="1ms"))
async def looked_up(what: str) -> dict[str, int]:
    await world.call(f"looked up {what}")
    return {what: 1}


@archive.tool(effect="write", key="id")
async def pay(id: str, amount: int) -> str:
    await world.call(f"pay {id}")
    return f"paid {amount}"


async def shipment(id: str) -> str | None:
    await world.call(f"shipment {id}")
    return f"shipped {id} before" if id in world.happened else None


@archive.tool(effect="write", key="id", reconcile=shipment)
async def ship(id: str) -> str:
    await world.call(f"ship {id}")
    return f"shipped {id}"


@archive.tool(effect="write", key="id", idempotent=True)
async def mail(id: str) -> str:
    await world.call(f"mail {id}")
    return f"mailed {id}"


@archive.on(cases, to=verdicts, retry=Retry(3, first="1h", longest="1d"))
async def handle(case: Case) -> Verdict:
    match case.kind:
        case "plain":
            text = str(await measured(case.id))
        case "asked":
            text = await asked(case)
        case "expired":
            text = f"{await ask('teller', 'How much, within the hour?', answer=int, timeout='1h', default=7)}"
        case "slept":
            text = await slept(case)
        case "backoff":
            text = f"{await measured(case.id)} {await unsteady(case.id)}"
        case "branches":
            text = str(await asyncio.gather(measured(case.id + " 0"), gate(case.id + " 1"), measured(case.id + " 2")))
        case "nested":
            text = await outer(case.id)
        case "pay":
            text = await pay(case.id, case.amount)
        case "ship":
            text = await ship(case.id)
        case "mail":
            text = await mail(case.id)
        case "crashed":
            text = await crashed(case)
        case _:
            await notes.put(Verdict(id="of another key", text="which is refused for good"))
            text = "never"
    await notes.put(Verdict(id=case.id, text=text))
    return Verdict(id=case.id, text=text)


async def asked(case: Case) -> str:
    length = await measured(case.id)
    answer = await ask("teller", "How much?", answer=int)
    return f"{length} {answer} {await pay(case.id, answer)}"


async def slept(case: Case) -> str:
    before = now()
    length = await measured(case.id)
    await sleep("1h")
    return f"{length} {await measured(case.id + ' awake')} {before.isoformat()}"


async def crashed(case: Case) -> str:
    """Everything that a run can be told, then a crash, then more of the same."""
    lengths = await asyncio.gather(measured("crashed a"), measured("crashed b"), measured("crashed a"))
    at, name, drawn = now(), uuid(), random().random()
    row, rows = await notes.get(case.id), await notes.scan(limit=2)
    score = await risk.predict(Features(amount=case.amount))
    reasons = await risk.reasons(Features(amount=case.amount), 1)
    paid = await pay(case.id, case.amount)
    failure = ""
    try:
        await unsteady(case.id)
    except StepFailed as failed:
        failure = f"{failed.code} {failed.kind}: {failed.what}"
    found = await looked_up('Grüße ☂ "quoted" \\ \u0001')
    bulk = await bulky(case.id)
    answer = await ask("teller", "Is all well?", answer=int)
    await sleep("1ms")
    told = {
        "lengths": lengths, "at": at.isoformat(), "uuid": str(name), "drawn": drawn, "row": row and row.text,
        "rows": [each.id for each in rows], "score": score.value, "reasons": [reason.feature for reason in reasons],
        "paid": paid, "failure": failure, "found": found, "bulk": len(bulk), "answer": answer,
    }  # fmt: skip
    world.seen[case.id] = told
    through = await gate(case.id)
    later = await risk.predict(Features(amount=1000))
    return f"{through} {later.value}"


@archive.post("/reviews", key="id", timeout="1y")
async def review(id: str) -> str:
    length = await measured("review " + id)
    return f"{length} {await ask('teller', f'Review {id}?', answer=int)}"


@archive.post("/echoes")
async def echo(word: str) -> str:
    return f"{word} {await measured('echo ' + word)}"


@archive.every("1y")
async def yearly() -> int:
    await measured("yearly")
    return int(await ask("teller", "What a year?", answer=int))


@archive.source(to=arrived)
def arrivals(position: int) -> Iterator[Case]:
    world.calls.append(f"arrivals from {position}")
    return (Case(id=f"arrival {number}", kind="plain") for number in range(position, world.arrivals))


@archive.on(arrived)
async def welcome(case: Case) -> None:
    await notes.put(Verdict(id=case.id, text=str(await measured(case.id))))
