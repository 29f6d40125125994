"""What a command is about: the app, where there is one, and the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from parti.declare.loading import load
from parti.declare.system import System
from parti.design.graph import Design
from parti.engine.loop import Engine
from parti.errors import DeclarationError, UsageError
from parti.ports.store import Store
from parti.verbs.tokens import stored_token
from parti.wiring import Remote, SystemClock, changing, default_path, open_store

_NAME_IT = "name the app with --app (or PARTI_APP), or the store with --store"


@dataclass(slots=True)
class Target:
    """An app, a store, or both. The app is loaded when it is first needed, and once."""

    app: Path | None
    given_store: Path | None = None
    _system: System | None = field(default=None, repr=False)

    @property
    def design(self) -> Design:
        """What the app declares. Raises P101 when no app is known or it cannot be loaded, and what is wrong with it."""
        return self._loaded.design

    @property
    def root(self) -> Path:
        """The folder of the app."""
        return self._loaded.root

    @property
    def system(self) -> System:
        """The app's system."""
        return self._loaded

    @property
    def _loaded(self) -> System:
        if self._system is None:
            if self.app is None:
                raise DeclarationError(
                    "P101", "this needs the app, and there is no app.py here", fix="name it with --app"
                )
            self._system = load(self.app)
        return self._system

    @property
    def known_design(self) -> Design | None:
        """The design, or None where only a store was named."""
        return self.design if self.app else None

    @property
    def path(self) -> Path:
        """Where the store lies. Raises P208 when neither an app nor a store can be told."""
        if self.given_store is None:
            self.given_store = default_path(self.app, self.design.name) if self.app else _only_store()
        return self.given_store

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Store]:
        """The store, to look at; works beside the process that writes it. Raises P208 when there is none."""
        store = open_store(self.path, read_only=True)
        try:
            yield store
        finally:
            await store.close()

    def changing(self, token: str = "") -> AbstractAsyncContextManager[Engine | Remote]:
        """What changes the store: the running process, spoken to with `token` (by default the kept one), or we ourselves."""
        return changing(self.path, lambda: self.design, token or stored_token(self.path))


def find(app: Path | None, store: Path | None) -> Target:
    """The target that options name: without an app ``./app.py`` if there is one, else the one store in this folder."""
    here = Path("app.py")
    return Target(app or (here if here.is_file() else None), store)


def now() -> float:
    """Seconds since 1970."""
    return SystemClock().now()


def _only_store() -> Path:
    stores = sorted(Path().glob("*.parti"))
    if len(stores) == 1:
        return stores[0]
    what = (
        f"there are {len(stores)} stores in this folder" if stores else "there is no app.py and no store in this folder"
    )
    raise UsageError("P208", what, fix=_NAME_IT)
