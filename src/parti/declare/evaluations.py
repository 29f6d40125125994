"""What a system declares of how well its parts do: evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, get_args, get_origin, overload

from parti.checks import All
from parti.declare.agent_handles import AgentHandle
from parti.declare.declaring import Declaring, caller, placed
from parti.declare.handles import FunctionHandle, ModelHandle, PartHandle, StepHandle
from parti.declare.types import Names, code_digest, hints_of, payload_of, place_of, summary
from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Case, Checker, Evaluation, Journal, OwnChecker
from parti.design.graph import Part
from parti.design.handler import Handler
from parti.design.model import Model
from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.tool import Tool
from parti.errors import DeclarationError
from parti.units import seconds

Of = AgentHandle[Any] | ModelHandle[Any, Any] | FunctionHandle[..., Any]
F = TypeVar("F", bound=Callable[..., Any])
Instead = Mapping[StepHandle[..., Any], Callable[..., Any]]


class Evaluating(Declaring):
    """Evaluations: they are about parts and not parts themselves, so nothing of a running system knows them."""

    @overload
    def evaluation(
        self,
        name: str | None = None,
        *,
        of: Of,
        data: str | Journal,
        check: None = None,
        gate: float | None = None,
        instead: Instead | None = None,
        timeout: str | float = "5m",
    ) -> Callable[[F], F]: ...

    @overload
    def evaluation(
        self,
        name: str,
        *,
        of: Of,
        data: str | Journal,
        check: Checker | Sequence[Checker],
        gate: float | None = None,
        instead: Instead | None = None,
        timeout: str | float = "5m",
    ) -> None: ...

    @placed
    def evaluation(
        self,
        name: str | None = None,
        *,
        of: Of,
        data: str | Journal,
        check: Checker | Sequence[Checker] | None = None,
        gate: float | None = None,
        instead: Instead | None = None,
        timeout: str | float = "5m",
    ) -> Any:
        """Tries an agent, model, handler or endpoint on `data`, and scores what it makes of each case from 0 to 1.

        `data` is a file beside the app (JSON lines or CSV), or a Journal. The score is that of the decorated function,
        ``(case, output)`` or ``(case, output, trial)``, or the mean of the ready checkers in `check`. A mean under `gate`
        fails. Writes are recorded and not made; `instead` says what a tool returns meanwhile.
        """
        names, place = dict(caller().f_locals), self._at(caller())
        if gate is not None and not 0 <= gate <= 1:
            raise DeclarationError("P105", f"gate={gate} is no mean score", fix="give one from 0 to 1")
        part = _evaluated(of)
        make = partial(
            Evaluation, of=part.name, data=data, gate=gate, instead=_stand_ins(instead or {}), timeout=seconds(timeout)
        )
        if check is not None:
            one = check if not isinstance(check, Sequence) else All(tuple(check))
            any_json = _payload(Any, place)
            given = _input_of(part, Any, place)
            self._evaluate(make(name=name or "", place=place, input=given, expected=any_json, check=one))
            return None

        def declare(function: F) -> F:
            where = place_of(function, self.root)
            given, expected = _types_of(function, names, where)
            self._evaluate(
                make(
                    name=name or function.__name__, place=where, input=_input_of(part, given, where),
                    expected=_payload(expected, where), about=summary(function),
                    check=OwnChecker(function, code_digest(function.__code__)),
                )
            )  # fmt: skip
            return function

        return declare

    def _evaluate(self, evaluation: Evaluation) -> None:
        if not evaluation.name:
            raise DeclarationError(
                "P105", "an evaluation with check= needs a name", fix='write evaluation("name", ...)'
            )
        other = self._evaluations.get(evaluation.name)
        if other is not None:
            what = f"the evaluation `{evaluation.name}` is declared already, at {other.place}"
            raise DeclarationError("P104", what, place=evaluation.place, fix="rename one of them")
        self._evaluations[evaluation.name] = evaluation
        self._design = None


def _evaluated(of: object) -> Agent | Model | Handler | Endpoint:
    part: Part | None = of.part if isinstance(of, PartHandle) else None
    if isinstance(part, Agent | Model | Handler | Endpoint):
        return part
    raise DeclarationError("P106", f"`of` is {of!r}", fix="pass an agent, a model, a handler or an endpoint")


def _stand_ins(instead: Instead) -> dict[str, Callable[..., Any]]:
    for tool in instead:
        if not isinstance(tool, StepHandle) or not isinstance(tool.part, Tool):
            raise DeclarationError(
                "P106", f"instead= names {tool!r}, not a tool", fix="name what `@desk.tool` returned"
            )
    return {tool.name: function for tool, function in instead.items()}


def _types_of(function: Callable[..., Any], names: Names, place: Place) -> tuple[Any, Any]:
    """The types of a case's input and of what is expected, where the function says them: ``case: Case[Order, Letter]``."""
    parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
    if len(parameters) not in (2, 3):
        what = f"`{function.__name__}` takes {len(parameters)} arguments"
        raise DeclarationError("P103", what, place=place, fix="take (case, output) or (case, output, trial)")
    kind = hints_of(function, names, place).get(parameters[0], Any)
    given = get_args(kind) if get_origin(kind) is Case else ()
    return given if len(given) == 2 else (Any, Any)


def _input_of(part: Agent | Model | Handler | Endpoint, annotated: Any, place: Place) -> Payload:
    """The type of what goes in. An endpoint of several arguments takes an object of them by name."""
    if isinstance(part, Agent):
        return _payload(annotated, place)
    if isinstance(part, Model):
        return part.inputs
    parameters = part.function.parameters
    return parameters[0].payload if len(parameters) == 1 else _payload(dict[str, Any], place)


def _payload(kind: Any, place: Place) -> Payload:
    return payload_of(kind, place=place, what="a case")
