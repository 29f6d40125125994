"""Engines: the ports of the engine met by the adapters of this machine, or by those of a virtual world apart from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from parti.adapters.chance import SystemChance
from parti.adapters.clock import SystemClock
from parti.adapters.llm.prices import listed_cost
from parti.adapters.pii.wanted import detector_for
from parti.adapters.sqlite import SqliteStore
from parti.adapters.vectors import nearest
from parti.adapters.virtual import Faults, SeededChance, VirtualClock, VirtualStore, run_virtual
from parti.adapters.virtual.apart import StoppedClock
from parti.agents.gate import Gate
from parti.agents.loop import work as work_of_agents
from parti.design.graph import Design
from parti.design.labelling import Labelling
from parti.design.llm import Llm
from parti.engine.loop import Engine
from parti.engine.replaying import Replayed, replay
from parti.engine.verdicts import Work
from parti.ports.embedder import Embedder
from parti.ports.llm import Llms, Provider
from parti.ports.scorer import Scorer
from parti.ports.store import Batch
from parti.ports.tool_server import ToolServers
from parti.rules.flow import clearing, holding
from parti.wiring import outside
from parti.wiring.outside import Providers, Tape, embedder_for, llms_for, scorer_for, servers_for

T = TypeVar("T")


def new_engine(
    design: Design,
    store: SqliteStore,
    *,
    stand_ins: bool = False,
    replay_each: bool = False,
    works: bool = True,
    providers: Providers | None = None,
    tape: Tape | None = None,
    llms: Llms | None = None,
    embedder: Embedder | None = None,
    servers: ToolServers | None = None,
    holds: bool = True,
) -> Engine:
    """An engine for `design` on this machine's clock and chance. It must be made inside a running event loop.

    One that is never begun needs nothing to serve models with: `works=False`. `providers` answer in place of the declared
    language models; `tape` records what those answer, or plays it back; `llms` are asked in place of all that. `embedder` embeds in
    place of the embedded model, and `servers` stand in the place of the declared tool servers. With `holds=False` labels are not held,
    whatever the system says: where nothing leaves, as in an evaluation.
    """
    return Engine(
        design,
        store=store,
        clock=SystemClock(),
        chance=SystemChance(),
        offload=asyncio.to_thread,
        scorer=scorer_for(design) if works else None,
        llms=(llms or llms_for(design, providers or outside.provider_for, tape)) if works else None,
        agents=work_of_agents,
        embedder=(embedder or embedder_for(design)) if works else None,
        nearest=nearest,
        servers=(servers or servers_for(design)) if works else None,
        stand_ins=stand_ins,
        replay_each=replay_each,
        labelling=labelling_for(design) if works and holds else None,
        detector=detector_for(design) if works and holds else None,
    )


class Apart:
    """Replays of recorded runs by a design, each in a virtual world of its own, without anything outside.

    `notes` are those of the store that replays need: what runs draw chance from, and the lists of tool servers.
    """

    def __init__(self, design: Design, notes: Mapping[str, bytes]) -> None:
        self._design, self._notes = design, notes

    def replay(self, works: Sequence[Work]) -> list[Replayed]:
        """What a replay of each run comes to. Calls nothing outside, and writes nothing."""
        return run_virtual(lambda _: self._replay(works))

    async def _replay(self, works: Sequence[Work]) -> list[Replayed]:
        clock, chance = StoppedClock(), SeededChance("replay")
        store = VirtualStore(clock, chance)
        await store.commit(Batch(notes=dict(self._notes)))
        engine = Engine(
            self._design, store=store, clock=clock, chance=chance, offload=asyncio.to_thread, agents=work_of_agents
        )  # fmt: skip
        engine.services.secret = self._notes.get("secret", b"")
        engine.services.on_wait = lambda _: None
        found = []
        for work in works:
            clock.at = work.latest
            found.append(await replay(work, engine.services))
        return found


def engine_apart(
    design: Design,
    main: Callable[[Engine], Coroutine[Any, Any, T]],
    *,
    seed: int,
    llm: Provider,
    servers: ToolServers,
    embedder: Embedder,
    scorer: Scorer | None,
) -> T:
    """What `main` returns of an engine in a virtual world, on a store that is thrown away; it has not begun to work.

    `llm` answers for every language model, `servers` for the tool servers, `scorer` for the models. Labels are not held. Time passes with each commit,
    so that what comes later is later.
    """

    async def play(clock: VirtualClock) -> T:
        chance = SeededChance(seed)
        store = VirtualStore(clock, chance, Faults(latency=(0.001, 0.001)))
        llms = Gate(design, lambda _: llm, clock, chance, listed_cost) if any(design.all(Llm)) else None
        engine = Engine(
            design, store=store, clock=clock, chance=chance, offload=asyncio.to_thread, scorer=scorer, llms=llms, agents=work_of_agents, embedder=embedder, nearest=nearest, servers=servers, stand_ins=True,
        )  # fmt: skip
        await engine.start(work=False)
        try:
            return await main(engine)
        finally:
            await engine.stop(grace=0.0)

    return run_virtual(play)


def labelling_for(design: Design) -> Labelling | None:
    """Which labels are where in a design; None where they are not held. The functions are read only where they are."""
    if not clearing.holds_labels(design):
        return None
    from parti.declare.dataflow.reader import read_dataflow  # noqa: PLC0415 only where labels are held

    return holding.labelling_of(design, read_dataflow(design, Path(design.root)))
