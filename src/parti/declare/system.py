"""The system: where an app declares its parts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from parti.declare.choosing import Choosing
from parti.declare.computing import Computing
from parti.declare.declaring import at_once, caller, placed, retry_of, text_of
from parti.declare.doors import Doors
from parti.declare.evaluations import Evaluating
from parti.declare.handles import FunctionHandle, TableHandle, TopicHandle, part_of
from parti.declare.intelligent import Intelligent
from parti.declare.labelling import Labels, labels_given
from parti.declare.trusting import Trusting
from parti.declare.types import payload_of, short_path, summary
from parti.design.budget import Budget
from parti.design.dead_letter import DeadLetter
from parti.design.goals import Retry
from parti.design.handler import Handler
from parti.design.monitor import Monitor
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.table import Table
from parti.design.topic import Topic, Upcast
from parti.errors import DeclarationError
from parti.units import seconds

T = TypeVar("T")
K = TypeVar("K")
P = ParamSpec("P")
Decorator = Callable[[Callable[P, Any]], FunctionHandle[P, Any]]


class System(Computing, Doors, Intelligent, Evaluating, Choosing, Trusting):
    """A system under declaration. Its `design` is read once all parts are declared."""

    # Where data lies

    @placed
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
        place = self._at(caller())
        if not 1 <= partitions <= 1024:
            raise DeclarationError("P105", f"{partitions} partitions", place=place, fix="choose 1 to 1024")
        kept = None if retain is None else seconds(retain)
        letters = payload_of(DeadLetter, place=place, what="a dead letter")
        dead = Topic(
            name=f"{name}.dead", place=place, payload=letters, key="key", partitions=partitions, retain=self.retain,
            backlog=sys.maxsize, dead_letters=None, about=f"Events of {name} that could not be handled.",
        )  # fmt: skip
        part = Topic(
            name=name, place=place, payload=self._keyed(name, payload, key, place), key=key, partitions=partitions,
            retain=kept, backlog=backlog, dead_letters=dead.name, upcast=upcast,
        )  # fmt: skip
        self._add(part)
        self._add(dead)
        return TopicHandle(part, TopicHandle(dead, None))

    @placed
    def table(self, name: str, payload: type[T], *, key: str, upcast: Upcast | None = None) -> TableHandle[T]:
        """The latest row of type `payload` for each value of its field `key`."""
        place = self._at(caller())
        typed = self._keyed(name, payload, key, place)
        return TableHandle(self._add(Table(name=name, place=place, payload=typed, key=key, upcast=upcast)))

    # What starts work

    @placed
    def on(
        self,
        topic: TopicHandle[Any],
        *,
        to: TopicHandle[Any] | None = None,
        retry: Retry | int = 5,
        timeout: str | float = "10m",
        concurrency: int = 64,
        budget: Budget | None = None,
    ) -> Decorator[P]:
        """Run the function once for each event of `topic`; publish what it returns to `to` (None publishes nothing).

        Raised errors are tried again as `retry` says; then the event moves to the topic's dead letters. All attempts of a
        run share one `budget`, which a person's retry grants anew.
        """
        names = dict(caller().f_locals)
        target = None if to is None else part_of(to, TopicHandle, what="`to`")
        source = part_of(topic, TopicHandle, what="what `on` listens to")
        again, limit, most = retry_of(retry), seconds(timeout), at_once(concurrency)

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            place = described.place
            part = Handler(
                name=described.name, place=place, topic=source.name, to=target and target.name, function=described,
                retry=again, timeout=limit, concurrency=most, budget=budget, about=described.about,
            )  # fmt: skip
            self._arrow(part.name, "consumes", source.name, place)
            if target:
                self._arrow(part.name, "publishes", target.name, place)
            return self._runner(part, function)

        return declare

    @placed
    def every(
        self,
        interval: str | float,
        *,
        retry: Retry | int = 5,
        timeout: str | float = "10m",
        budget: Budget | None = None,
    ) -> Decorator[P]:
        """Run the function every `interval`, as a durable run named after its tick."""
        names = dict(caller().f_locals)
        period, again, limit = seconds(interval), retry_of(retry), seconds(timeout)

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            part = Schedule(
                name=described.name, place=described.place, every=period, function=described,
                retry=again, timeout=limit, budget=budget, about=described.about,
            )  # fmt: skip
            return self._runner(part, function)

        return declare

    @placed
    def source(
        self, *, to: TopicHandle[T], per_second: float | None = None, labels: Labels | None = None
    ) -> Callable[[Callable[[int], Any]], Callable[[int], Any]]:
        """A (possibly async) generator function that yields events for `to` from a zero-based position on.

        The position is committed with the events: each is published once, also across crashes. They are UNTRUSTED unless
        `labels` or their type say otherwise.
        """
        said = labels_given(labels)
        topic = part_of(to, TopicHandle, what="`to`")

        def declare(function: Callable[[int], Any]) -> Callable[[int], Any]:
            place = Place(short_path(function.__code__.co_filename, self.root), function.__code__.co_firstlineno)
            name = function.__name__
            self._arrow(name, "publishes", topic.name, place)
            self._add(
                Source(
                    name=name, place=place, topic=topic.name, per_second=per_second, read=function,
                    about=summary(function), labels=said,
                )
            )  # fmt: skip
            return function

        return declare

    # Who is asked, and what is watched

    @placed
    def stand_in(
        self, who: str, *, after: str | float = "1s"
    ) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Declare who answers for the person `who` in demos and rehearsals (`parti up --stand-ins`).

        The function gets the Question and returns the answer, given `after` the question was asked.
        """

        person, wait = text_of(who, "stand_in"), seconds(after)

        def declare(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            place = Place(short_path(function.__code__.co_filename, self.root), function.__code__.co_firstlineno)
            about = summary(function)
            self._add(Person(name=person, place=place, stand_in=function, after=wait, about=about))
            return function

        return declare

    @placed
    def monitor(self, title: str) -> Decorator[P]:
        """Figures to watch: the function takes nothing and returns a mapping of names to numbers."""
        names = dict(caller().f_locals)
        text_of(title, "monitor")

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            about = described.about
            part = Monitor(name=described.name, place=described.place, title=title, function=described, about=about)
            return self._runner(part, function)

        return declare
