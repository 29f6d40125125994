"""The context of batch functions: they serve calls of several runs at once, so nothing they did could belong to one."""

from __future__ import annotations

from typing import Any, NoReturn

from parti.design.budget import Cost
from parti.design.memory import Episode, Memory, Recalled
from parti.design.model import Model
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine.plain import PlainContext
from parti.engine.services import Services
from parti.errors import RunError
from parti.units import Seconds


class BatchContext(PlainContext):
    """Implements ports.context.Context for a batch function: the time and chance are there, parts are refused (P301)."""

    __slots__ = ("_part",)

    def __init__(self, services: Services, part: Step | Tool, tenant: str, until: Seconds) -> None:
        super().__init__(services, tenant, until=until)
        self._part = part

    async def perform(self, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
        """Refused."""
        self._refuse(f"`{part.name}`")

    async def predict(self, model: Model, features: Any, *, explain: int | None = None) -> Any:
        """Refused."""
        self._refuse(f"`{model.name}`")

    async def publish(self, topic: Topic, event: Any) -> None:
        """Refused."""
        self._refuse(f"publishing to `{topic.name}`")

    async def get(self, table: Table, key: str) -> Any:
        """Refused."""
        self._refuse(f"reading `{table.name}`")

    async def scan(self, table: Table, *, after: str, limit: int) -> list[Any]:
        """Refused."""
        self._refuse(f"reading `{table.name}`")

    async def recall(self, memory: Memory, query: str, *, scope: str | None, limit: int) -> list[Recalled]:
        """Refused."""
        self._refuse(f"recalling from `{memory.name}`")

    async def episodes(self, memory: Memory, *, scope: str | None, limit: int) -> list[Episode]:
        """Refused."""
        self._refuse(f"recalling from `{memory.name}`")

    def spend(self, cost: Cost) -> None:
        """Refused: nobody could tell whose cost it is."""
        self._refuse("what is spent")

    def _refuse(self, what: str) -> NoReturn:
        raise RunError(
            "P301",
            f"{what} has no place inside `{self._part.name}`, whose batches serve several runs at once",
            place=self._part.place,
            fix=f"use it in the run, before or after it calls `{self._part.name}`",
        )
