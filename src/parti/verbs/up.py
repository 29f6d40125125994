"""Up: a system set going on this machine, with HTTP in front of it, until it is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from parti.design.graph import Design
from parti.design.model import Model
from parti.engine.loop import Engine
from parti.errors import UsageError
from parti.serve.security import is_loopback
from parti.verbs.closing import Closing, closing_of
from parti.verbs.progress import Progress, progress_of
from parti.verbs.target import Target
from parti.verbs.tokens import kept_token
from parti.verbs.train import make_version
from parti.wiring import Tape, new_engine, open_store, serving, tune_process

Tell = Callable[[str], None]
"""Is given what happens on the way, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a system runs. An empty `token` stands for one that is made up and kept beside the store."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    stand_ins: bool = False
    train: bool = True
    accept_loss: bool = False
    tape: Tape | None = None
    """Where answers of language models are recorded, or played back from. Playing needs `stand_ins`: it is a demo."""


class Up:
    """A system that runs; `url` is where it listens."""

    def __init__(self, engine: Engine, announce: Callable[[str], None]) -> None:
        self.url = ""
        self._engine = engine
        self._announce = announce
        self._http = AsyncExitStack()
        self._ended = False

    @property
    def design(self) -> Design:
        """What runs."""
        return self._engine.design

    async def begin(self, target: Target, options: Options, tell: Tell) -> None:
        """Listen, train what has no version, then let runs go on: nothing is begun where it cannot be."""
        engine = self._engine
        await engine.start(work=False)
        # An address that others reach needs a token that somebody chose: none is made up for it.
        token = options.token or (kept_token(target.path) if is_loopback(options.host) else "")
        served = serving(engine, host=options.host, port=options.port, token=token)
        self.url, _ = await self._http.enter_async_context(served)
        self._announce(self.url)
        if options.train:
            await _train_missing(target, engine, tell)
        tune_process()
        engine.begin()

    def progress(self) -> Progress:
        """How far it is."""
        return progress_of(self._engine)

    async def wait(self, *, until_idle: bool) -> None:
        """Return when no work is left, or never without `until_idle`. Raises what ended the engine."""
        if until_idle:
            await self._engine.idle()
        else:
            await self._engine.failure

    async def stop(self) -> Closing:
        """Answer what is under way, take nothing new, write everything down; how it went."""
        await self.end()
        return await closing_of(self._engine)

    async def end(self) -> None:
        """Stop; nothing happens the second time."""
        if not self._ended:
            self._ended = True
            await self._http.aclose()
            await self._engine.stop()


@asynccontextmanager
async def up(target: Target, options: Options, *, tell: Tell) -> AsyncIterator[Up]:
    """The system of `target`, running while the block does.

    Raises P2xx when the store cannot be opened, P403 and P406 when it does not fit the design, P501, P505, and P60x for
    a model that cannot be trained.
    """
    design = target.design
    _refuse_playing(options)
    store = open_store(target.path, accept_loss=options.accept_loss)
    try:
        engine = new_engine(design, store, stand_ins=options.stand_ins, tape=options.tape)
        running = Up(engine, store.announce)
        try:
            await running.begin(target, options, tell)
            yield running
        finally:
            await running.end()
    finally:
        await store.close()


def _refuse_playing(options: Options) -> None:
    """Raise P504 where recorded answers would be given to people who take them for real ones."""
    if options.tape is None or not options.tape.play:
        return
    if not options.stand_ins or not is_loopback(options.host):
        raise UsageError(
            "P504", "recorded answers are for demos and tests alone", fix="add --stand-ins, and listen on this machine"
        )


async def _train_missing(target: Target, engine: Engine, tell: Tell) -> None:
    """Give each model that can be trained, and was not yet, its first version."""
    trained = {version.model for version in await engine.store.models()}
    for model in engine.design.all(Model):
        if model.name not in trained and model.train is not None:
            tell(f"training {model.name}, which has no version yet")
            version, onnx = await make_version(target, model)
            stored = await engine.add_version(version, onnx)
            tell(f"trained {model.name} version {stored.version}: {stored.metrics.decode()}")
