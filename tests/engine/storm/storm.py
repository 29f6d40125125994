"""A storm: one seed's worth of crashes, duplicates, slow and full disks and late people, and what must hold after it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from unittest.mock import patch

from parti.adapters.virtual.chance import SeededChance
from parti.adapters.virtual.store import Faults, VirtualStore
from parti.adapters.virtual.world import EPOCH, VirtualClock, run_virtual
from parti.engine import retention
from parti.engine.loop import Engine
from parti.errors import PartiError
from parti.journal.entries import Kind, decode
from parti.ports.store import QuestionRecord, RunRecord, State

from .annex import Errands, Ping, Visits
from .shop import Bonus, Order, Outside, Receipt, outside, set_outside, shop

CUSTOMERS = ("ann", "bob", "cy")


@dataclass
class Result:
    """What a storm left behind."""

    journal: bytes
    crashes: int
    runs: dict[str, RunRecord] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    """How often what was there to be broken came about."""


def storm(seed: int, *, replay_each: bool = False) -> Result:
    """Play one seed. Raises AssertionError naming the seed and the promise that was broken."""
    try:
        with patch.object(retention, "LOOKS", 1.0):
            return run_virtual(lambda clock: _Storm(seed, clock, replay_each).play())
    except AssertionError as broken:
        raise AssertionError(f"seed {seed}: {broken}") from broken


class _Storm:
    def __init__(self, seed: int, clock: VirtualClock, replay_each: bool) -> None:
        self.chance = Random(seed)
        self.clock = clock
        self.replay_each = replay_each
        self.seeded = SeededChance(seed)
        self.store = VirtualStore(clock, self.seeded, self._faults())
        self.engine: Engine
        self.orders = [self._order(number) for number in range(self.chance.randint(4, 14))]
        self.deposits = [(self.chance.choice(CUSTOMERS), number + 1) for number in range(self.chance.randint(0, 4))]
        self.positions: dict[str, int] = {}
        self.totals: dict[int, int] = {}
        self.crashes = 0
        self.seen: Counter[str] = Counter()
        more = Random(seed + 2)
        self.errands = [(more.choice(CUSTOMERS), number) for number in range(more.randint(0, 4))]
        self.unwanted = {number for _, number in self.errands if more.random() < 0.5}
        self.told: dict[int, str] = {}
        self.cancelled: set[int] = set()
        self.pings = [self._ping(more, number) for number in range(more.randint(0, 5))]
        set_outside(Outside(Random(seed + 1), clock, pings=[*self.pings]))

    def _faults(self) -> Faults:
        begin = EPOCH + self.chance.random() * 8
        full = ((begin, begin + self.chance.random() * 4),) if self.chance.random() < 0.3 else ()
        return Faults(latency=(0.0, 0.02), slow=0.05, slow_latency=(0.2, 1.5), full=full)

    def _order(self, number: int) -> Order:
        dice = self.chance.random
        return Order(
            id=f"o{number}", customer=self.chance.choice(CUSTOMERS), amount=number + 1, poison=dice() < 0.06,
            asks=dice() < 0.2, sleeps=dice() < 0.2, sick=dice() < 0.04, flaky=self.chance.choice((0, 0, 0, 1, 2)),
        )  # fmt: skip

    def _ping(self, more: Random, number: int) -> Ping:
        dice = more.random
        return Ping(
            id=f"p{number}", customer=more.choice(CUSTOMERS), asks=dice() < 0.3, sleeps=dice() < 0.3,
            flaky=more.choice((0, 1, 2)),
        )  # fmt: skip

    async def play(self) -> Result:
        """Lives that end in crashes, and a last one in which everything may come to rest."""
        for _ in range(self.chance.randint(0, 4)):
            await self._life(self.chance.random() * 6)
        await self._life(None)
        return await self._judge()

    async def _life(self, length: float | None) -> None:
        self.engine = engine = Engine(
            shop.design, store=self.store, clock=self.clock, chance=self.seeded, offload=_inline,
            replay_each=self.replay_each,
        )  # fmt: skip
        await engine.start()
        clients = asyncio.ensure_future(asyncio.gather(
            self._publish(), self._deposit(), self._send_on_errands(), self._people(), self._operate()
        ))  # fmt: skip
        if length is not None:
            await self.clock.wait(length)
            if self.chance.random() < 0.25:
                await engine.stop(grace=self.chance.random())
            else:
                self.store.crash()
                self.crashes += 1
            outside().inside.clear()
        else:
            outside().faults = False
            await self._settle(clients)
        clients.cancel()
        with suppress(asyncio.CancelledError):
            await clients
        if length is None:
            await engine.stop()
        await engine.abandon()
        outside().inside.clear()
        self.store = self.store.survivor()

    async def _settle(self, clients: asyncio.Future[object]) -> None:
        while await self._unfinished() or await self.store.open_runs() or await self._lagging():
            await self.clock.wait(1.0)
            assert self.clock.now() < EPOCH + 1_200, f"it never comes to rest: {await self.store.open_runs()}"
            assert not clients.done(), clients.exception()
        await self.engine.idle()

    async def _unfinished(self) -> bool:
        """Whether clients, the source or the operator have something left to do."""
        asked = len(self.orders) + len(self.deposits) + len(self.errands)
        pinged = sum(end for (topic, _), (_, end) in (await self.store.ends()).items() if topic == "pings")
        answered = len(self.positions) + len(self.totals) + len(self.told)
        return answered < asked or pinged < len(self.pings) or bool(await self._curable())

    async def _lagging(self) -> bool:
        cursors = await self.store.cursors()
        ends = await self.store.ends()
        return any(
            cursors.get((handler, topic, partition), 0) < end
            for (topic, partition), (_, end) in ends.items()
            for handler in {"orders": ["charge"], "bonuses": ["reward"], "pings": ["pong"]}.get(topic, [])
        )

    # Clients: each thing is asked for until it is acknowledged, and sometimes again after that

    async def _publish(self) -> None:
        for order in self.orders:
            for _ in range(2 if self.chance.random() < 0.3 else 1):
                if order.id in self.positions and self.chance.random() < 0.5:
                    continue
                body = order.model_dump_json().encode()
                await self._insist(lambda body=body, order=order: self.engine.publish(
                    "orders", [body], idempotency_key=order.id
                ))  # fmt: skip
                self.positions[order.id] = 1
            await self.clock.wait(self.chance.random() * 0.3)

    async def _deposit(self) -> None:
        for customer, amount in self.deposits:
            outcome = await self._insist(lambda customer=customer, amount=amount: self.engine.call(
                "deposit", [customer, amount], idempotency_key=f"d{amount}"
            ))  # fmt: skip
            total = int(outcome.result)
            assert self.totals.setdefault(amount, total) == total, "a repeated key got another answer"
            await self.clock.wait(self.chance.random())

    async def _send_on_errands(self) -> None:
        for customer, number in self.errands:
            for _ in range(2 if number % 2 else 1):
                told = await self._insist(lambda customer=customer, number=number: self._errand(customer, number))
                assert self.told.setdefault(number, told) == told, "a repeated key got another answer"

    async def _errand(self, customer: str, number: int) -> str:
        try:
            return (await self.engine.call("errand", [customer, number], idempotency_key=f"e{number}")).result.decode()
        except PartiError as refused:
            if refused.code != "P311":
                raise
            return "cancelled"

    async def _insist(self, attempt):
        while True:
            try:
                return await attempt()
            except PartiError as refused:
                assert refused.code in ("P206", "P503"), refused
                await self.clock.wait(0.5)

    async def _people(self) -> None:
        """A teller who is late or never there, and an operator who looks outside and tells the truth."""
        while True:
            await self.clock.wait(0.1 + self.chance.random())
            for question in await self.store.questions():
                if question.who == "teller" and self.chance.random() < 0.7:
                    continue
                answer = _truth(question) if question.who == "operator" else self.chance.random() < 0.5
                with suppress(PartiError):
                    await self.engine.answer(question.id, json.dumps(answer).encode(), by=question.who)

    async def _operate(self) -> None:
        """An operator who cancels errands that are not wanted, and starts dead runs again whose cause is mended."""
        while True:
            await self.clock.wait(0.1 + self.chance.random())
            for number in self.unwanted - self.cancelled:
                with suppress(PartiError):
                    ended = await self.engine.cancel(f"errand:e{number}")
                    assert ended.state is State.CANCELLED, ended
                    self.cancelled.update({number} if ended.state is State.CANCELLED else ())
            for run, order in await self._curable():
                outside().cured.add(order)
                with suppress(PartiError):
                    await self.engine.retry(run)
                    self.seen["retried"] += 1

    async def _curable(self) -> list[tuple[str, str]]:
        """Dead runs of sick orders, with the order."""
        found = []
        for run in await self.store.runs(part="charge", state=State.DEAD, limit=100):
            event = (await self.store.events(run.topic, run.partition, start=run.offset, limit=1))[0]
            order = Order.model_validate_json(event.payload)
            if order.sick and not order.poison:
                found.append((run.id, order.id))
        return found

    # Judging

    async def _judge(self) -> Result:
        world, disk = outside(), self.store.disk
        runs = dict(disk.runs)
        assert not world.breaches, world.breaches
        assert all(run.state.ended for run in runs.values()), "a run was left open"
        await self._judge_orders(runs)
        await self._judge_tables(runs)
        await self._judge_annex(runs)
        findings = await self.store.verify()
        assert not findings, findings
        journal = b"\n".join(row[2] + row[3] for row in disk.journal)
        return Result(journal, self.crashes, runs, self.seen)

    async def _judge_orders(self, runs: dict[str, RunRecord]) -> None:
        world = outside()
        stored = [Order.model_validate_json(event.payload) for event in await self._events("orders")]
        assert sorted(order.id for order in stored) == sorted(order.id for order in self.orders), (
            "lost or doubled order"
        )
        charged = {run.id: run for run in runs.values() if run.part == "charge"}
        assert len(charged) == len(self.orders), "an order has no run, or two"
        receipts = [Receipt.model_validate_json(event.payload).order for event in await self._events("receipts")]
        done = [order.id for order in self.orders if not order.poison]
        assert sorted(receipts) == sorted(done), f"receipts {receipts} for {done}"
        bonuses = [Bonus.model_validate_json(event.payload).order for event in await self._events("bonuses")]
        assert sorted(bonuses) == sorted(done), "lost or doubled bonus"
        dead = await self._events("orders.dead")
        assert len(dead) == sum(order.poison or order.sick for order in self.orders), "dead letters"
        for order in done:
            assert world.paid[order] == 1, f"{order} was paid {world.paid[order]} times"
            assert world.shipped[order] == 1, f"{order} was shipped {world.shipped[order]} times"
            assert order in world.mailed, f"{order} was not mailed"
        self._judge_order_of(world.order_of_payments, stored)

    def _judge_order_of(self, payments: list[str], stored: list[Order]) -> None:
        """Payments of one customer come in the order of the customer's events."""
        for customer in CUSTOMERS:
            wanted = [order.id for order in stored if order.customer == customer and not (order.poison or order.sick)]
            got = [order for order in payments if order in wanted]
            assert got == wanted, f"{customer}'s payments came as {got}, the orders as {wanted}"

    async def _judge_tables(self, runs: dict[str, RunRecord]) -> None:
        """Each account equals what its runs, one after the other, make of it."""
        accounts: dict[str, dict[str, object]] = defaultdict(lambda: {"total": 0, "points": 0, "log": []})
        for _, run, body, _ in self.store.disk.journal:
            for entry in decode(body) if run else ():
                if entry.kind == Kind.PUT and entry.part == "accounts":
                    accounts[entry.arguments] = entry.answer[1]
        total: dict[str, int] = defaultdict(int)
        points: dict[str, int] = defaultdict(int)
        logs: dict[str, list[str]] = defaultdict(list)
        for event in await self._events("receipts"):
            receipt = Receipt.model_validate_json(event.payload)
            total[receipt.customer] += receipt.amount
        for event in await self._events("bonuses"):
            bonus = Bonus.model_validate_json(event.payload)
            points[bonus.customer] += bonus.points
        for customer, amount in self.deposits:
            total[customer] += amount * 2
        for customer in CUSTOMERS:
            row = await self.store.row("accounts", "main", customer)
            stored = json.loads(row)[1] if row else {"total": 0, "points": 0, "log": []}
            assert stored["total"] == total[customer], (
                f"{customer} has {stored['total']}, should have {total[customer]}"
            )
            assert stored["points"] == points[customer], f"{customer}'s points"
            assert row is None or stored == accounts[customer], "the table differs from a replay of the journal"
            logs[customer] = stored["log"]
            assert len(set(logs[customer])) == len(logs[customer]), f"{customer}: something counted twice"

    async def _judge_annex(self, runs: dict[str, RunRecord]) -> None:
        world = outside()
        pings = [run for run in runs.values() if run.part == "pong"]
        assert len(pings) == len(self.pings), "a ping has no run, or two"
        assert all(run.state is State.DONE for run in pings), "a ping was not seen to"
        for ping in self.pings:
            assert world.stamped[ping.id] == 1, f"{ping.id} was stamped {world.stamped[ping.id]} times"
            assert ping.id in world.posted, f"{ping.id} was not posted"
        for customer in CUSTOMERS:
            visits = Visits(customer=customer, log=[ping.id for ping in self.pings if ping.customer == customer])
            row = await self._row("visits", customer) or Visits(customer=customer).model_dump()
            assert row == visits.model_dump(), f"{customer}'s visits"
        self.seen["expired"] = len(self.pings) - len(await self._events("pings"))
        await self._judge_errands({number: runs[f"errand:e{number}"].state for _, number in self.errands})
        causes = Counter(event.cause for event in await self._events("notices"))
        published = {run.id for run in runs.values() if run.part in ("beat", "errand") and run.state is State.DONE}
        assert causes == Counter(published), "lost or doubled notices"
        assert all(run.state is State.DONE for run in runs.values() if run.part == "beat"), "a tick failed"

    async def _judge_errands(self, states: dict[int, State]) -> None:
        """Cancelled means: nothing is left of it; and who was told so, or asked for it, was told the truth."""
        for customer in CUSTOMERS:
            done = [number for of, number in self.errands if of == customer and states[number] is State.DONE]
            errands = Errands(customer=customer, done=done)
            row = await self._row("errands", customer) or Errands(customer=customer).model_dump()
            assert row == errands.model_dump(), f"{customer}'s errands"
        for number, state in states.items():
            self.seen[f"errands {state.value}"] += 1
            wanted = "cancelled" if state is State.CANCELLED else str(number)
            assert self.told[number] == wanted, f"errand {number} is {state.value}, and its client heard {wanted}"
            assert state is State.CANCELLED or number not in self.cancelled, f"errand {number} was cancelled, and ran"

    async def _row(self, table: str, customer: str) -> dict[str, object] | None:
        row = await self.store.row(table, "main", customer)
        return json.loads(row)[1] if row else None

    async def _events(self, topic: str):
        return [
            event
            for name, partition in sorted(await self.store.ends())
            if name == topic
            for event in await self.store.events(topic, partition, start=0, limit=10_000)
        ]


def _truth(question: QuestionRecord) -> dict[str, object]:
    """What an operator sees who looks outside after a write in doubt."""
    key, world = json.loads(question.answer)["key"], outside()
    return {"happened": world.paid[key] + world.stamped[key] > 0, "result": "told"}


async def _inline(function, /, *arguments):
    return function(*arguments)


__all__ = ["Result", "State", "storm"]
