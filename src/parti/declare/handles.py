"""Handles: what a declaration gives back, to be used inside handlers, endpoints and schedules."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

from parti.design.batch import answers_of
from parti.design.endpoint import Endpoint
from parti.design.graph import Kind, Part
from parti.design.handler import Handler
from parti.design.model import Model, Reason
from parti.design.monitor import Monitor
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.errors import DeclarationError
from parti.ports.context import current, required

T = TypeVar("T")
K = TypeVar("K")
P = ParamSpec("P")


class PartHandle:
    """Stands for a declared part. `uses` says which arrow each of its methods draws ("" is a call of the handle)."""

    part: Part
    uses: ClassVar[Mapping[str, Kind]] = {}

    @property
    def name(self) -> str:
        """The part's name in the design."""
        return self.part.name

    def __repr__(self) -> str:
        return f"<{type(self.part).__name__.lower()} {self.part.name}>"


class TopicHandle(PartHandle, Generic[T]):
    """A topic of events of type T."""

    part: Topic
    uses: ClassVar[Mapping[str, Kind]] = {"publish": "publishes"}

    def __init__(self, part: Topic, dead: TopicHandle[Any] | None) -> None:
        self.part = part
        self._dead = dead

    @property
    def dead(self) -> TopicHandle[Any]:
        """The topic of this topic's dead letters; consume it to react to failed events."""
        assert self._dead is not None, "dead letters have no dead letters of their own"
        return self._dead

    async def publish(self, event: T) -> None:
        """Publish `event`. It becomes visible when the run commits, and never if the run fails.

        Raises P402 when it does not fit the topic's type, P301 outside a run.
        """
        await required(f"publishing to `{self.name}`").publish(self.part, event)


class TableHandle(PartHandle, Generic[T]):
    """A table of rows of type T, one per key."""

    part: Table
    uses: ClassVar[Mapping[str, Kind]] = {"get": "reads", "scan": "reads", "put": "writes", "delete": "writes"}

    def __init__(self, part: Table) -> None:
        self.part = part

    async def get(self, key: str) -> T | None:
        """The row of `key`, or None. A run sees its own writes."""
        row: T | None = await required(f"reading `{self.name}`").get(self.part, key)
        return row

    async def scan(self, *, after: str = "", limit: int = 1000) -> list[T]:
        """Up to `limit` rows in key order, after the key `after`."""
        return await required(f"reading `{self.name}`").scan(self.part, after=after, limit=limit)

    async def put(self, row: T) -> None:
        """Write `row`; others see it when the run commits. It must be of the run's own key (else P305)."""
        await required(f"writing `{self.name}`").put(self.part, row)

    async def delete(self, key: str) -> None:
        """Delete the row of `key`, which must be the run's own (else P305)."""
        await required(f"writing `{self.name}`").delete(self.part, key)


class StepHandle(PartHandle, Generic[P, T]):
    """A step or tool. Called inside a run, its answer is journaled; called outside, it is the plain function."""

    part: Step | Tool
    uses: ClassVar[Mapping[str, Kind]] = {"": "calls"}

    def __init__(self, part: Step | Tool) -> None:
        self.part = part
        self._names = tuple(parameter.name for parameter in part.function.parameters)
        self._signature = inspect.signature(part.function.call)
        self.__doc__ = part.function.call.__doc__
        self.__name__ = part.name
        self.__wrapped__ = part.function.call

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's answer. Raises StepFailed when it raises or takes too long."""
        context = current()
        if context is None and self.part.batch is not None:
            return await self._alone(*self._signature.bind(*args, **kwargs).args)
        if context is None:
            answer = self.part.function.call(*args, **kwargs)
            return await answer if inspect.isawaitable(answer) else answer  # type: ignore[no-any-return]
        if kwargs or len(args) != len(self._names):
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            return await context.perform(self.part, bound.args)  # type: ignore[no-any-return]
        return await context.perform(self.part, args)  # type: ignore[no-any-return]

    async def _alone(self, item: Any) -> T:
        """The answer of a batch function for a batch of one."""
        answers = self.part.function.call([item])
        answers = await answers if inspect.isawaitable(answers) else answers
        (answer,) = answers_of(self.part.name, self.part.place, answers, 1)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


class ModelHandle(PartHandle, Generic[K, T]):
    """A model from features of type K to answers of type T."""

    part: Model
    uses: ClassVar[Mapping[str, Kind]] = {"predict": "calls", "reasons": "calls"}

    def __init__(self, part: Model) -> None:
        self.part = part

    async def predict(self, features: K) -> T:
        """The answer for `features`. A run uses one version throughout. Raises P601 when there is none yet."""
        answer: T = await required(f"asking `{self.name}`").predict(self.part, features)
        return answer

    async def reasons(self, features: K, count: int = 3) -> list[Reason]:
        """The `count` features that moved this answer most, against the reference row of the training data."""
        reasons: list[Reason] = await required(f"asking `{self.name}`").predict(self.part, features, explain=count)
        return reasons


class FunctionHandle(PartHandle, Generic[P, T]):
    """A handler, endpoint, schedule or monitor. Called by the program itself it is the plain function."""

    part: Handler | Endpoint | Schedule | Monitor
    uses: ClassVar[Mapping[str, Kind]] = {"": "calls"}

    def __init__(self, part: Handler | Endpoint | Schedule | Monitor, function: Callable[P, Awaitable[T]]) -> None:
        self.part = part
        self._function = function
        self.__doc__ = function.__doc__
        self.__name__ = part.name
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Call the function as it is."""
        return self._function(*args, **kwargs)


def part_of(thing: object, kind: type[PartHandle], *, what: str) -> Any:
    """The part behind a handle, or P106 when it is not a handle of that kind."""
    if isinstance(thing, kind):
        return thing.part
    noun = kind.__name__.removesuffix("Handle").lower()
    raise DeclarationError("P106", f"{what} is {thing!r}, not a {noun}", fix=f"pass what `desk.{noun}(...)` returned")
