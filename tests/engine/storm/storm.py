"""A storm: one seed's worth of crashes, duplicates, slow and full disks and late people, and what must hold after it."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from parti.adapters.virtual.chance import SeededChance
from parti.adapters.virtual.store import Faults, VirtualStore
from parti.adapters.virtual.world import EPOCH, VirtualClock, run_virtual
from parti.engine.entries import Kind, decode
from parti.engine.loop import Engine
from parti.errors import PartiError
from parti.ports.store import RunRecord, State

from .shop import Bonus, Order, Outside, Receipt, outside, set_outside, shop

CUSTOMERS = ("ann", "bob", "cy")


@dataclass
class Result:
    """What a storm left behind."""

    journal: bytes
    crashes: int
    runs: dict[str, RunRecord] = field(default_factory=dict)


def storm(seed: int, *, replay_each: bool = False) -> Result:
    """Play one seed. Raises AssertionError naming the seed and the promise that was broken."""
    try:
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
        set_outside(Outside(Random(seed + 1), clock))

    def _faults(self) -> Faults:
        begin = EPOCH + self.chance.random() * 8
        full = ((begin, begin + self.chance.random() * 4),) if self.chance.random() < 0.3 else ()
        return Faults(latency=(0.0, 0.02), slow=0.05, slow_latency=(0.2, 1.5), full=full)

    def _order(self, number: int) -> Order:
        dice = self.chance.random
        return Order(
            id=f"o{number}", customer=self.chance.choice(CUSTOMERS), amount=number + 1, poison=dice() < 0.08,
            asks=dice() < 0.2, sleeps=dice() < 0.2, flaky=self.chance.choice((0, 0, 0, 1, 2)),
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
        clients = asyncio.ensure_future(asyncio.gather(self._publish(), self._deposit(), self._people()))
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
        while len(self.positions) < len(self.orders) or len(self.totals) < len(self.deposits):
            await self.clock.wait(1.0)
        while await self.store.open_runs() or await self._lagging():
            await self.clock.wait(1.0)
            assert self.clock.now() < EPOCH + 1_200, f"it never comes to rest: {await self.store.open_runs()}"
            assert not clients.done(), clients.exception()
        await self.engine.idle()

    async def _lagging(self) -> bool:
        cursors = await self.store.cursors()
        ends = await self.store.ends()
        return any(
            cursors.get((handler, topic, partition), 0) < end
            for (topic, partition), (_, end) in ends.items()
            for handler in {"orders": ["charge"], "bonuses": ["reward"]}.get(topic, [])
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
                answer = {"happened": outside().paid[json.loads(question.answer)["key"]] > 0, "result": "told"} if (
                    question.who == "operator"
                ) else self.chance.random() < 0.5  # fmt: skip
                with suppress(PartiError):
                    await self.engine.answer(question.id, json.dumps(answer).encode(), by=question.who)

    # Judging

    async def _judge(self) -> Result:
        world, disk = outside(), self.store.disk
        runs = dict(disk.runs)
        assert not world.breaches, world.breaches
        assert all(run.state.ended for run in runs.values()), "a run was left open"
        await self._judge_orders(runs)
        await self._judge_tables(runs)
        findings = await self.store.verify()
        assert not findings, findings
        journal = b"\n".join(row[2] + row[3] for row in disk.journal)
        return Result(journal, self.crashes, runs)

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
        assert len(dead) == sum(order.poison for order in self.orders), "dead letters"
        for order in done:
            assert world.paid[order] == 1, f"{order} was paid {world.paid[order]} times"
            assert world.shipped[order] == 1, f"{order} was shipped {world.shipped[order]} times"
            assert order in world.mailed, f"{order} was not mailed"
        self._judge_order_of(world.order_of_payments, stored)

    def _judge_order_of(self, payments: list[str], stored: list[Order]) -> None:
        """Payments of one customer come in the order of the customer's events."""
        for customer in CUSTOMERS:
            wanted = [order.id for order in stored if order.customer == customer and not order.poison]
            got = [order for order in payments if order in wanted]
            assert got == wanted, f"{customer}'s payments came as {got}, the orders as {wanted}"

    async def _judge_tables(self, runs: dict[str, RunRecord]) -> None:
        """Each account equals what its runs, one after the other, make of it."""
        accounts: dict[str, dict[str, object]] = defaultdict(lambda: {"total": 0, "points": 0, "log": []})
        for _, run, body, _ in self.store.disk.journal:
            for entry in decode(body) if run else ():
                if entry.kind == Kind.PUT:
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

    async def _events(self, topic: str):
        return [
            event
            for name, partition in sorted(await self.store.ends())
            if name == topic
            for event in await self.store.events(topic, partition, start=0, limit=10_000)
        ]


async def _inline(function, /, *arguments):
    return function(*arguments)


__all__ = ["Result", "State", "storm"]
