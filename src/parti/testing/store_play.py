"""Playing scenarios on a store that a test class knows how to open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from parti.ports.store import Store

Scenario = Callable[[Store], Awaitable[None]]


class StorePlay:
    """Something that opens stores. `open_store` opens the store of the running test: after a close, the same one again."""

    async def open_store(self) -> Store:
        """The store of this test, open for writing. Empty when it is opened for the first time."""
        raise NotImplementedError

    def run_main(self, main: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end; override where the adapter needs another event loop."""
        asyncio.run(main)

    def play(self, *scenarios: Scenario) -> None:
        """Play each scenario on a freshly opened store over the same data, and close it after each."""

        async def main() -> None:
            for scenario in scenarios:
                store = await self.open_store()
                try:
                    await scenario(store)
                finally:
                    await store.close()

        self.run_main(main())
