"""The system: where an app declares its parts."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Literal, ParamSpec, TypeVar

from parti.declare.arrows import read_arrows
from parti.declare.handles import FunctionHandle, ModelHandle, PartHandle, StepHandle, TableHandle, TopicHandle, part_of
from parti.declare.proof import prove
from parti.declare.types import Names, code_digest, fields_of, function_of, payload_of, short_path, summary
from parti.design.dead_letter import DeadLetter
from parti.design.endpoint import Endpoint, Method
from parti.design.function import Function
from parti.design.goals import NO_RETRY, Retry, Slo
from parti.design.graph import Arrow, Design, Opaque, Part
from parti.design.handler import Handler
from parti.design.model import Model
from parti.design.monitor import Monitor
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Effect, Tool
from parti.design.topic import Topic, Upcast
from parti.errors import DeclarationError
from parti.units import seconds

T = TypeVar("T")
K = TypeVar("K")
P = ParamSpec("P")
Decorator = Callable[[Callable[P, Any]], FunctionHandle[P, Any]]


class System:
    """A system under declaration. Its `design` is read once all parts are declared."""

    def __init__(self, name: str, *, slo: Slo | None = None) -> None:
        caller = _caller()
        self.name = name
        self.slo = slo
        self.root = Path(caller.f_code.co_filename).resolve().parent
        self._place = self._at(caller)
        self._parts: dict[str, Part] = {}
        self._readable: list[tuple[str, Callable[..., Any]]] = []
        self._declared_arrows: list[Arrow] = []
        self._design: Design | None = None

    # Where data lies

    def topic(
        self,
        name: str,
        payload: type[T],
        *,
        key: str,
        partitions: int = 8,
        retain: str | float | None = None,
        backlog: int = 1_000_000,
        upcast: Upcast | None = None,
    ) -> TopicHandle[T]:
        """A durable stream of events of type `payload`; those with the same value of the field `key` keep their order.

        `retain` is how long events are kept at least (None: for ever). `backlog` is how many events the slowest handler
        may lag before publishing is refused. `upcast` turns the JSON object of an event of an older schema into today's.
        """
        place = self._at(_caller())
        if not 1 <= partitions <= 1024:
            raise DeclarationError("P105", f"{partitions} partitions", place=place, fix="choose 1 to 1024")
        kept = None if retain is None else seconds(retain)
        letters = payload_of(DeadLetter, place=place, what="a dead letter")
        dead = Topic(
            name=f"{name}.dead", place=place, payload=letters, key="key", partitions=partitions, retain=None,
            backlog=sys.maxsize, dead_letters=None, about=f"Events of {name} that could not be handled.",
        )  # fmt: skip
        part = Topic(
            name=name, place=place, payload=self._keyed(name, payload, key, place), key=key, partitions=partitions,
            retain=kept, backlog=backlog, dead_letters=dead.name, upcast=upcast,
        )  # fmt: skip
        self._add(part)
        self._add(dead)
        return TopicHandle(part, TopicHandle(dead, None))

    def table(self, name: str, payload: type[T], *, key: str, upcast: Upcast | None = None) -> TableHandle[T]:
        """The latest row of type `payload` for each value of its field `key`."""
        place = self._at(_caller())
        typed = self._keyed(name, payload, key, place)
        return TableHandle(self._add(Table(name=name, place=place, payload=typed, key=key, upcast=upcast)))

    def model(
        self,
        name: str,
        *,
        inputs: type[K],
        output: type[T],
        train: Callable[[], Any] | None = None,
        evaluate: Callable[..., Any] | None = None,
        timeout: str | float = "30s",
    ) -> ModelHandle[K, T]:
        """A model from `inputs` to `output`. `train()` returns a fitted scikit-learn estimator, ONNX bytes or a Training.

        `evaluate(predict)` returns named metrics, measured on the version exactly as it will be served.
        """
        place = self._at(_caller())
        part = Model(
            name=name,
            place=place,
            inputs=payload_of(inputs, place=place, what=f"the inputs of `{name}`"),
            output=payload_of(output, place=place, what=f"the output of `{name}`"),
            timeout=seconds(timeout),
            train=train,
            evaluate=evaluate,
            digest=code_digest(train.__code__) if inspect.isfunction(train) else "",
            about=summary(train) if train else "",
        )
        return ModelHandle(self._add(part))

    # What reaches outside, and what is computed

    def tool(
        self,
        *,
        effect: Effect,
        key: str | None = None,
        timeout: str | float = "30s",
        retry: Retry | int = NO_RETRY,
        idempotent: bool = False,
        reconcile: Callable[[str], Any] | None = None,
        name: str | None = None,
    ) -> Callable[[Callable[P, Any]], StepHandle[P, Any]]:
        """A function that reaches outside. A `write` names its idempotency `key`, a path into its arguments.

        When a crash leaves it unknown whether a write happened: an `idempotent` one is called again with the same key,
        `reconcile(key)` tells (a result, or None for: it did not happen), and any other is parked for a person.
        """
        names = dict(_caller().f_locals)

        def declare(function: Callable[P, Any]) -> StepHandle[P, Any]:
            described = self._function(function, names)
            part = Tool(
                name=name or described.name, place=described.place, function=described, effect=effect, key=key,
                timeout=seconds(timeout), retry=_retry(retry), idempotent=idempotent, reconcile=reconcile,
                about=described.about,
            )  # fmt: skip
            self._read(part.name, function)
            return StepHandle(self._add(part))

        return declare

    def step(
        self, *, timeout: str | float = "1m", retry: Retry | int = NO_RETRY, name: str | None = None
    ) -> Callable[[Callable[P, Any]], StepHandle[P, Any]]:
        """A function without effects outside, whose answer is journaled: a replay does not compute it again."""
        names = dict(_caller().f_locals)

        def declare(function: Callable[P, Any]) -> StepHandle[P, Any]:
            described = self._function(function, names)
            part = Step(
                name=name or described.name, place=described.place, function=described, timeout=seconds(timeout),
                retry=_retry(retry), about=described.about,
            )  # fmt: skip
            self._read(part.name, function)
            return StepHandle(self._add(part))

        return declare

    # What starts work

    def on(
        self,
        topic: TopicHandle[Any],
        *,
        to: TopicHandle[Any] | None = None,
        retry: Retry | int = 5,
        timeout: str | float = "10m",
        concurrency: int = 64,
    ) -> Decorator[P]:
        """Run the function once for each event of `topic`; publish what it returns to `to` (None publishes nothing).

        Raised errors are tried again as `retry` says; then the event moves to the topic's dead letters.
        """
        names = dict(_caller().f_locals)

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            place = described.place
            target = None if to is None else part_of(to, TopicHandle, what="`to`")
            source = part_of(topic, TopicHandle, what="what `on` listens to")
            part = Handler(
                name=described.name, place=place, topic=source.name, to=target and target.name, function=described,
                retry=_retry(retry), timeout=seconds(timeout), concurrency=concurrency, about=described.about,
            )  # fmt: skip
            self._arrow(part.name, "consumes", source.name, place)
            if target:
                self._arrow(part.name, "publishes", target.name, place)
            return self._runner(part, function)

        return declare

    def get(self, path: str, *, timeout: str | float = "30s", concurrency: int = 256) -> Decorator[P]:
        """Answer GET requests at `path` from committed data; nothing is journaled."""
        return self._endpoint("GET", path, False, None, timeout, concurrency)

    def post(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
    ) -> Decorator[P]:
        """Answer POST requests at `path`. A durable call is a run; the same `Idempotency-Key` gets the first answer.

        `key` names the argument (``"order.id"`` reaches into one) that is the run's key, for order and for writing rows.
        """
        return self._endpoint("POST", path, durable, key, timeout, concurrency)

    def put(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
    ) -> Decorator[P]:
        """Answer PUT requests at `path`; see `post`."""
        return self._endpoint("PUT", path, durable, key, timeout, concurrency)

    def patch(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
    ) -> Decorator[P]:
        """Answer PATCH requests at `path`; see `post`."""
        return self._endpoint("PATCH", path, durable, key, timeout, concurrency)

    def delete(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
    ) -> Decorator[P]:
        """Answer DELETE requests at `path`; see `post`."""
        return self._endpoint("DELETE", path, durable, key, timeout, concurrency)

    def every(self, interval: str | float, *, retry: Retry | int = 5, timeout: str | float = "10m") -> Decorator[P]:
        """Run the function every `interval`, as a durable run named after its tick."""
        names = dict(_caller().f_locals)

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            part = Schedule(
                name=described.name, place=described.place, every=seconds(interval), function=described,
                retry=_retry(retry), timeout=seconds(timeout), about=described.about,
            )  # fmt: skip
            return self._runner(part, function)

        return declare

    def source(
        self, *, to: TopicHandle[T], per_second: float | None = None
    ) -> Callable[[Callable[[int], Any]], Callable[[int], Any]]:
        """A (possibly async) generator function that yields events for `to` from a zero-based position on.

        The position is committed with the events: each is published once, also across crashes.
        """

        def declare(function: Callable[[int], Any]) -> Callable[[int], Any]:
            place = Place(short_path(function.__code__.co_filename, self.root), function.__code__.co_firstlineno)
            topic = part_of(to, TopicHandle, what="`to`")
            name = function.__name__
            self._arrow(name, "publishes", topic.name, place)
            self._add(
                Source(
                    name=name, place=place, topic=topic.name, per_second=per_second, read=function,
                    about=summary(function),
                )
            )  # fmt: skip
            return function

        return declare

    # Who is asked, and what is watched

    def stand_in(
        self, who: str, *, after: str | float = "1s"
    ) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Declare who answers for the person `who` in demos and rehearsals (`parti up --stand-ins`).

        The function gets the Question and returns the answer, given `after` the question was asked.
        """

        def declare(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            place = Place(short_path(function.__code__.co_filename, self.root), function.__code__.co_firstlineno)
            about = summary(function)
            self._add(Person(name=who, place=place, stand_in=function, after=seconds(after), about=about))
            return function

        return declare

    def monitor(self, title: str) -> Decorator[P]:
        """Figures to watch: the function takes nothing and returns a mapping of names to numbers."""
        names = dict(_caller().f_locals)

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            about = described.about
            part = Monitor(name=described.name, place=described.place, title=title, function=described, about=about)
            return self._runner(part, function)

        return declare

    # The design

    @property
    def design(self) -> Design:
        """The system as declared, with its arrows read from the program. Raises what is wrong with it, coded."""
        if self._design is None:
            self._design = self._compose()
            prove(self._design)
        return self._design

    def _compose(self) -> Design:
        parts = dict(self._parts)
        arrows: set[Arrow] = set(self._declared_arrows)
        opaque: set[Opaque] = set()
        for name, function in self._readable:
            reading = read_arrows(name, function, root=self.root)
            arrows.update(reading.arrows)
            opaque.update(reading.opaque)
            for arrow in reading.arrows:
                if arrow.kind == "asks" and arrow.target not in parts:
                    parts[arrow.target] = Person(name=arrow.target, place=arrow.place)
        return Design(
            self.name, tuple(parts.values()), tuple(sorted(arrows)), tuple(sorted(opaque)), self.slo, self._place
        )

    def _endpoint(
        self, method: Method, path: str, durable: bool, key: str | None, timeout: str | float, concurrency: int
    ) -> Decorator[P]:
        names = dict(_caller().f_locals)

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            part = Endpoint(
                name=described.name, place=described.place, method=method, path=path, function=described,
                durable=durable, key=key, body=_body_of(described, path), timeout=seconds(timeout),
                concurrency=concurrency, about=described.about,
            )  # fmt: skip
            return self._runner(part, function)

        return declare

    def _runner(
        self, part: Handler | Endpoint | Schedule | Monitor, function: Callable[P, Any]
    ) -> FunctionHandle[P, Any]:
        self._read(part.name, function)
        return FunctionHandle(self._add(part), function)

    def _function(self, function: Callable[..., Any], names: Names) -> Function:
        if isinstance(function, PartHandle):
            raise DeclarationError(
                "P105", f"`{function.name}` is declared twice", fix="one decorator of Parti a function"
            )
        return function_of(function, root=self.root, names=names)

    def _keyed(self, name: str, payload: type[Any], key: str, place: Place) -> Any:
        if key not in fields_of(payload):
            kind = getattr(payload, "__name__", str(payload))
            raise DeclarationError(
                "P105",
                f"the key {key!r} of `{name}` is not a field of {kind}",
                place=place,
                fix="name one of its fields",
            )
        return payload_of(payload, place=place, what=f"the type of `{name}`")

    def _read(self, name: str, function: Callable[..., Any]) -> None:
        self._readable.append((name, function))

    def _arrow(self, source: str, kind: Literal["consumes", "publishes"], target: str, place: Place) -> None:
        self._declared_arrows.append(Arrow(source, kind, target, place))

    def _add(self, part: Any) -> Any:
        other = self._parts.get(part.name)
        if other is not None:
            raise DeclarationError(
                "P104",
                f"`{part.name}` is declared already, at {other.place}",
                place=part.place,
                fix="rename one of them",
            )
        self._parts[part.name] = part
        self._design = None
        return part

    def _at(self, frame: FrameType) -> Place:
        return Place(short_path(frame.f_code.co_filename, self.root), frame.f_lineno)


def _caller() -> FrameType:
    """The frame outside this module that called into it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    assert frame is not None, "Python code is always called from somewhere"
    return frame


def _retry(retry: Retry | int) -> Retry:
    return retry if isinstance(retry, Retry) else Retry(retry)


def _body_of(function: Function, path: str) -> str | None:
    """The parameter that a request's JSON body fills: the one that is an object and not in the path."""
    bodies = [p.name for p in function.parameters if f"{{{p.name}}}" not in path and _is_object(p.payload.schema)]
    if len(bodies) > 1:
        raise DeclarationError(
            "P105",
            f"`{function.name}` takes {len(bodies)} objects: {', '.join(bodies)}",
            place=function.place,
            fix="join them into one Pydantic model",
        )
    return bodies[0] if bodies else None


def _is_object(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("object", "array") or "$ref" in schema or ("anyOf" in schema and "$defs" in schema)
