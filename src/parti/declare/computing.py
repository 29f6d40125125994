"""What a system declares of functions that runs call: tools that reach outside, and steps that do not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, get_args, overload

from parti.declare.declaring import Declaring, at_once, caller, placed, retry_of
from parti.declare.handles import StepHandle, part_of
from parti.declare.labelling import Given, Labels, control_of, labels_given, principal_of, runs_of, tags_of
from parti.declare.options import refuse_unless_given
from parti.design.approval import Approval
from parti.design.batch import Batch
from parti.design.budget import NO_COST, Cost
from parti.design.gate import Gate
from parti.design.goals import NO_RETRY, Retry
from parti.design.step import Step
from parti.design.tool import Effect, Language, Tool
from parti.errors import DeclarationError
from parti.units import seconds

K = TypeVar("K")
T = TypeVar("T")
P = ParamSpec("P")


class OfBatches(Protocol):
    """Makes a function from lists to lists a part that is called with one item, and gives its answer."""

    def __call__(
        self, function: Callable[[list[K]], Awaitable[Sequence[T | Exception]] | Sequence[T | Exception]], /
    ) -> StepHandle[[K], T]:
        """The part."""
        ...


class Computing(Declaring):
    """Functions that runs call, whose answers are journaled."""

    @overload
    def tool(
        self,
        *,
        effect: Effect,
        key: str | None = None,
        timeout: str | float = "30s",
        retry: Retry | int = NO_RETRY,
        idempotent: bool = False,
        reconcile: Callable[[str], Any] | None = None,
        cost: Cost = NO_COST,
        approval: Approval | str | None = None,
        labels: Labels | None = None,
        clearance: Given = (),
        control: Sequence[str] = (),
        gate: Gate | None = None,
        runs: Mapping[str, Language] | None = None,
        principal: str = "",
        undo: StepHandle[..., Any] | Literal["never"] | None = None,
        concurrency: int | None = None,
        batch: None = None,
        name: str | None = None,
    ) -> Callable[[Callable[P, Any]], StepHandle[P, Any]]: ...

    @overload
    def tool(
        self,
        *,
        effect: Effect,
        batch: Batch,
        key: str | None = None,
        timeout: str | float = "30s",
        retry: Retry | int = NO_RETRY,
        idempotent: bool = False,
        reconcile: Callable[[str], Any] | None = None,
        cost: Cost = NO_COST,
        approval: Approval | str | None = None,
        labels: Labels | None = None,
        clearance: Given = (),
        control: Sequence[str] = (),
        gate: Gate | None = None,
        runs: Mapping[str, Language] | None = None,
        principal: str = "",
        undo: StepHandle[..., Any] | Literal["never"] | None = None,
        concurrency: int | None = None,
        name: str | None = None,
    ) -> OfBatches: ...

    @placed
    def tool(
        self,
        *,
        effect: Effect,
        key: str | None = None,
        timeout: str | float = "30s",
        retry: Retry | int = NO_RETRY,
        idempotent: bool = False,
        reconcile: Callable[[str], Any] | None = None,
        cost: Cost = NO_COST,
        approval: Approval | str | None = None,
        labels: Labels | None = None,
        clearance: Given = (),
        control: Sequence[str] = (),
        gate: Gate | None = None,
        runs: Mapping[str, Language] | None = None,
        principal: str = "",
        undo: StepHandle[..., Any] | Literal["never"] | None = None,
        concurrency: int | None = None,
        batch: Batch | None = None,
        name: str | None = None,
    ) -> Any:
        """A function that reaches outside. A `write` names its idempotency `key`, a path into its arguments.

        When a crash leaves it unknown whether a write happened: an `idempotent` one is called again with the same key,
        `reconcile(key)` tells (a result, or None for: it did not happen), and any other is parked for a person.

        `cost` is the most that one call costs: a run with a budget reserves it, and takes it unless `parti.spend` says less.
        `approval` is who must agree before each call, a person by role or an Approval; the run waits meanwhile.
        `concurrency` and `batch` are as those of `step`; a write cannot be made in batches.

        Of labels: `labels` are those of its answer, where its type does not say; `clearance` those that it may be given;
        `control` the arguments that decide what happens to whom; `runs` those that are run as a program, and as what;
        `principal` the one that says on whose behalf; `undo` the tool that undoes it, or "never". `gate` says what is done with a
        call that would carry labels that it is not cleared for.
        """
        names = dict(caller().f_locals)
        told = _told(labels, clearance, undo, gate)
        if effect not in get_args(Effect):
            raise DeclarationError(
                "P105",
                f"{effect!r} is no effect",
                place=self._at(caller()),
                fix=f"one of: {', '.join(get_args(Effect))}",
            )
        again, limit, most = retry_of(retry), seconds(timeout), _at_most(concurrency)
        agreed = Approval(approval) if isinstance(approval, str) else approval
        _refuse_wrong_batch(batch)

        def declare(function: Callable[P, Any]) -> StepHandle[P, Any]:
            described = self._function(function, names, items=batch is not None)
            part = Tool(
                name=name or described.name, place=described.place, function=described, effect=effect, key=key,
                timeout=limit, retry=again, idempotent=idempotent, reconcile=reconcile, cost=cost, approval=agreed,
                concurrency=most, batch=batch, about=described.about, control=control_of(control, described),
                runs=runs_of(runs, described), principal=principal_of(principal, described), **told,
            )  # fmt: skip
            self._read(part.name, function)
            if agreed is not None:
                self._arrow(part.name, "asks", agreed.who, described.place)
            if gate is not None and gate.who:
                self._arrow(part.name, "asks", gate.who, described.place)
            return StepHandle(self._add(part))

        return declare

    @overload
    def step(self, function: Callable[P, Any], /) -> StepHandle[P, Any]: ...

    @overload
    def step(
        self,
        /,
        *,
        timeout: str | float = "1m",
        retry: Retry | int = NO_RETRY,
        concurrency: int | None = None,
        batch: None = None,
        name: str | None = None,
    ) -> Callable[[Callable[P, Any]], StepHandle[P, Any]]: ...

    @overload
    def step(
        self,
        /,
        *,
        batch: Batch,
        timeout: str | float = "1m",
        retry: Retry | int = NO_RETRY,
        concurrency: int | None = None,
        name: str | None = None,
    ) -> OfBatches: ...

    @placed
    def step(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        timeout: str | float = "1m",
        retry: Retry | int = NO_RETRY,
        concurrency: int | None = None,
        batch: Batch | None = None,
        name: str | None = None,
    ) -> Any:
        """A function without effects outside, whose answer is journaled: a replay does not compute it again.

        `@desk.step` will do where no option is given. At most `concurrency` calls run at once (None: any number); the
        others wait in line, each key in its turn. With a `batch` the function takes a list and returns one of the same
        length and order, and a run calls it with one item: calls of several runs are served together.
        """
        names = dict(caller().f_locals)
        again, limit, most = retry_of(retry), seconds(timeout), _at_most(concurrency)
        _refuse_wrong_batch(batch)

        def declare(function: Callable[P, Any]) -> StepHandle[P, Any]:
            described = self._function(function, names, items=batch is not None)
            part = Step(
                name=name or described.name, place=described.place, function=described, timeout=limit, retry=again,
                concurrency=most, batch=batch, about=described.about,
            )  # fmt: skip
            self._read(part.name, function)
            return StepHandle(self._add(part))

        return declare if function is None else declare(function)


def _at_most(concurrency: int | None) -> int | None:
    return None if concurrency is None else at_once(concurrency)


def _refuse_wrong_batch(batch: object) -> None:
    refuse_unless_given(Batch, 'write Batch(32, linger="5ms")', batch=batch)


def _told(labels: Labels | None, clearance: Given, undo: object, gate: Gate | None) -> dict[str, Any]:
    """What is said of a tool's labels, whatever its function is."""
    refuse_unless_given(Gate, 'write Gate("ask", who="boss")', gate=gate)
    cleared = tags_of(clearance, "clearance")
    return {"labels": labels_given(labels), "clearance": cleared, "undo": _undo(undo), "gate": gate}


def _undo(undo: object) -> str:
    return undo if undo == "never" else "" if undo is None else part_of(undo, StepHandle, what="`undo`").name
