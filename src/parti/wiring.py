"""Wiring: where the ports of an engine meet the adapters of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from parti.adapters.chance import SystemChance
from parti.adapters.clock import SystemClock
from parti.adapters.embedding.late import LateEmbedder
from parti.adapters.llm.prices import listed_cost
from parti.adapters.machine import ThisMachine
from parti.adapters.pii.wanted import detector_for
from parti.adapters.process import tune_process
from parti.adapters.remote import Remote
from parti.adapters.sqlite import SqliteStore, describe_holder, open_store
from parti.adapters.sqlite.verify import verify_file
from parti.adapters.vectors import nearest
from parti.adapters.virtual import Faults, SeededChance, VirtualClock, VirtualStore, run_virtual
from parti.adapters.virtual.apart import StoppedClock
from parti.agents.gate import Gate
from parti.agents.loop import work as work_of_agents
from parti.agents.purse import Purse
from parti.agents.servers import Servers
from parti.agents.tape import Playing, Recording
from parti.design.evaluation import Alikeness
from parti.design.graph import Design
from parti.design.labelling import Labelling
from parti.design.llm import LOCAL, Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.tool_server import ToolServer
from parti.engine.loop import Engine
from parti.engine.replaying import Replayed, replay
from parti.engine.verdicts import Work
from parti.extras import need
from parti.ports.embedder import Embedder
from parti.ports.exporter import Exporter
from parti.ports.llm import Llms, Provider
from parti.ports.machine import Machine
from parti.ports.scorer import Scorer
from parti.ports.store import Batch
from parti.ports.tool_server import Connection, ToolServers
from parti.rules.flow import clearing, holding
from parti.units import Seconds

T = TypeVar("T")

PATIENCE: Final[Seconds] = 3.0
"""How long to wait for another process to say where it listens, or to let go of the store."""

Providers = Callable[[Llm], Provider]
"""Makes what answers for a language model."""


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
        llms=(llms or llms_for(design, providers or provider_for, tape)) if works else None,
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


def scorer_for(design: Design) -> Scorer | None:
    """What serves the models of a design; None when it has none, so that nothing heavy is imported."""
    if not any(design.all(Model)):
        return None
    from parti.adapters.onnx.scorer import OnnxScorer  # noqa: PLC0415 numpy and onnxruntime only where models are

    return OnnxScorer()


class Tape(NamedTuple):
    """Where answers of language models are recorded, or played back from."""

    folder: Path
    play: bool


def embedder_for(design: Design) -> Embedder | None:
    """What embeds the facts of memories, loaded when one is first remembered or recalled; None where there are none."""
    return LateEmbedder(_minilm) if any(design.all(Memory)) else None


def _minilm() -> Embedder:
    from parti.adapters.embedding.minilm import MiniLm  # noqa: PLC0415 onnxruntime only where it is used

    return MiniLm()


def llms_for(design: Design, providers: Providers, tape: Tape | None = None) -> Llms | None:
    """The language models of a design, behind one gate; None when it has none."""
    if not any(design.all(Llm)):
        return None
    gate = Gate(design, providers, SystemClock(), SystemChance(), listed_cost)
    if tape is None:
        return gate
    return Playing(tape.folder, gate) if tape.play else Recording(tape.folder, gate)


def purse_for(design: Design, tape: Tape | None, ledger: Path, limit: float) -> Purse:
    """The language models of a design, with what they may cost in all; see Purse."""
    llms = llms_for(design, provider_for, tape)
    assert llms is not None, "an agent of the design has a language model"
    return Purse(llms, ledger, limit)


def provider_for(llm: Llm) -> Provider:
    """What answers for a declared language model. Nothing is imported or loaded before it is asked."""
    if llm.target == LOCAL:
        return local_llm()
    from parti.adapters.llm.pydantic_ai import PydanticAiProvider  # noqa: PLC0415 see above

    return PydanticAiProvider()


def alikeness() -> Alikeness:
    """How alike texts are, by the embedding model. Raises P110 only once it is asked without its packages."""
    embedder: list[Embedder] = []

    async def alike(one: str, other: str) -> float:
        if not embedder:
            from parti.adapters.embedding.minilm import MiniLm  # noqa: PLC0415 only where meanings are compared

            embedder.append(MiniLm())
        left, right = await embedder[0].embed([one, other])
        return float(left @ right)

    return alike


def servers_for(design: Design) -> ToolServers | None:
    """The tool servers of a design, behind one door; None when it has none. None is connected to before it is used."""
    if not any(design.all(ToolServer)):
        return None
    return Servers(connection_for, SystemClock(), SystemChance())


def connection_for(server: ToolServer) -> Connection:
    """What talks to a declared tool server. Raises P110 where its packages are missing."""
    if server.protocol == "openapi":
        need("httpx", extra="openapi", purpose=f"calling `{server.name}`")
        from parti.adapters.openapi.connection import OpenApiConnection  # noqa: PLC0415 only where it is declared

        return OpenApiConnection(server)
    need("mcp", extra="mcp", purpose=f"the MCP server `{server.name}`")
    from parti.adapters.mcp.connection import McpConnection  # noqa: PLC0415 see above

    return McpConnection(server)


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return ThisMachine()


def exporter() -> Exporter:
    """What turns trained estimators into ONNX. Raises P110 only once it is used without its packages."""
    from parti.adapters.onnx.export import OnnxExporter  # noqa: PLC0415 numpy and onnx only where models are trained

    return OnnxExporter()


def local_llm() -> Provider:
    """What answers for the target `local`. Its first answer raises P702 without its package or its weights."""
    from parti.adapters.llm.local import LocalProvider  # noqa: PLC0415 only where a language model is asked

    return LocalProvider()


def local_weights() -> Path | None:
    """Where the default weights of the local model lie; None where they are not installed."""
    from parti.adapters.llm.weights import default_weights  # noqa: PLC0415 only where a language model is asked

    return default_weights()


@asynccontextmanager
async def serving(
    engine: Engine, *, host: str = "127.0.0.1", port: int = 0, token: str = ""
) -> AsyncIterator[tuple[str, str]]:
    """Serve `engine` over HTTP while the block runs; yields the URL and the token (a random one if none is given).

    Port 0 picks a free one. Raises P501 for an address other than loopback without a token, P505 when it is taken.
    """
    from parti.board import Board, Shown  # noqa: PLC0415 most commands serve nothing
    from parti.drawings import design_json, draw_svg, page_stylesheet  # noqa: PLC0415
    from parti.judging import findings_of  # noqa: PLC0415
    from parti.serve import serve  # noqa: PLC0415
    from parti.serve.security import is_loopback  # noqa: PLC0415

    word = token or SystemChance().token()
    shown = Shown(
        engine, draw_svg(engine.design, styled=False), page_stylesheet(), findings_of(engine.design, engine.clock)
    )
    drawn = partial(design_json, engine.design)
    served = serve(
        engine, host=host, port=port, token=word, token_given=bool(token), design_json=drawn,
        healthy=partial(_trouble, engine), beside=Board(shown, token=word, everybody=is_loopback(host)),
    )  # fmt: skip
    async with served as url:
        yield url, word


def _trouble(engine: Engine) -> str:
    """Why a running system cannot work now; empty when it can."""
    if engine.failure.done():
        return "it ended with an error"
    return engine.trouble or ("" if engine.working else "it is starting")


@asynccontextmanager
async def changing(path: Path, design: Callable[[], Design], token: str) -> AsyncIterator[Engine | Remote]:
    """Something that changes what is stored at `path`: the process that holds the store, or an engine at rest.

    `design` is only asked for when no process runs; `token` opens the routes of the one that does.
    Raises P201 when a process holds the store and cannot be talked to, and what opening a store raises.
    """
    url = await _wait_for_holder(path)
    if url:
        yield Remote(url, token)
        return
    declared = design()
    store = open_store(path)
    try:
        engine = new_engine(declared, store, works=False)
        await engine.start(work=False)
        try:
            async with _while_it_lives(engine):
                yield engine
        finally:
            await engine.stop()
    finally:
        await store.close()


@asynccontextmanager
async def _while_it_lives(engine: Engine) -> AsyncIterator[None]:
    """Leave the block with what ended the engine, if anything does: nobody else would answer what the block awaits."""
    task = asyncio.current_task()
    assert task is not None
    engine.failure.add_done_callback(lambda failure: failure.cancelled() or task.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if not engine.failure.done():
            raise
        task.uncancel()
        await engine.failure


async def _wait_for_holder(path: Path) -> str:
    """The URL of the process that holds the store; "" when none does, or none that says where it listens."""
    clock = SystemClock()
    until = clock.now() + PATIENCE
    while True:
        holder = describe_holder(path)
        url = str(holder.get("url", "")) if holder else ""
        if url or holder is None or clock.now() > until:
            return url
        await clock.wait(0.05)


def default_path(app: Path, system: str) -> Path:
    """Where the store of an app lies unless it is told otherwise: beside the app file, named after the system."""
    return app.parent / f"{system}.parti"


__all__ = [
    "Apart",
    "Providers",
    "Purse",
    "Remote",
    "SystemChance",
    "SystemClock",
    "Tape",
    "alikeness",
    "changing",
    "default_path",
    "describe_holder",
    "embedder_for",
    "engine_apart",
    "exporter",
    "new_engine",
    "open_store",
    "provider_for",
    "purse_for",
    "scorer_for",
    "serving",
    "this_machine",
    "tune_process",
    "verify_file",
]
