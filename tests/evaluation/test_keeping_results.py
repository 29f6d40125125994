"""Results are kept in the system's store: also while it runs, and no longer than runs are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cli_apps import parti

from parti import System
from parti.adapters.remote import Remote
from parti.adapters.virtual import SeededChance, VirtualStore, run_virtual
from parti.declare.loading import load
from parti.engine.loop import Engine
from parti.errors import PartiError
from parti.ports.clock import Clock
from parti.ports.operations import EVALUATIONS, key_of_evaluation
from parti.testing import running


def test_a_running_system_keeps_results_for_others(desk: Path) -> None:
    async def main() -> None:
        async with running(load(desk / "app.py"), desk / "desk.parti", http=True) as live:
            remote = Remote(live.url, live.token)
            key = key_of_evaluation(1_700_000_000.5, "right", "abcd")
            await remote.add_evaluation(key, b'{"name":"right"}')
            assert await live.store.notes(EVALUATIONS) == {key: b'{"name":"right"}'}
            for odd in ("secret", "evaluation:x", ""):
                with pytest.raises(PartiError):
                    await remote.add_evaluation(odd, b"{}")

    asyncio.run(main())


def test_results_are_forgotten_when_runs_of_their_age_are() -> None:
    design = System("desk", retain="1h").design

    async def main(clock: Clock) -> list[str]:
        store = VirtualStore(clock, SeededChance("disk"))
        engine = Engine(design, store=store, clock=clock, chance=SeededChance("engine"), offload=asyncio.to_thread)
        await engine.start()
        for name in ("old", "new"):
            await engine.add_evaluation(key_of_evaluation(clock.now(), name, "v"), b"{}")
            await clock.wait(2000)
        await clock.wait(1500)
        kept = list(await store.notes(EVALUATIONS))
        await engine.stop()
        return [key.split(":")[2] for key in kept]

    assert run_virtual(main) == ["new"]


def test_an_evaluation_leaves_a_store_that_verifies(desk: Path) -> None:
    assert parti("eval", "charged").code == 0
    assert parti("verify", "desk.parti").code == 0
    assert len(parti("eval", "charged", "--stored", "--json").json) == 1
