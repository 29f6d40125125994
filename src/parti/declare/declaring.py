"""Declaring: keeping the parts of a system as they are declared, and composing its design from them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, ParamSpec, TypeVar, cast, get_args

from parti.declare.handles import FunctionHandle, PartHandle
from parti.declare.options import refuse_unless, refuse_unless_given
from parti.declare.proof import prove
from parti.declare.types import Names, fields_of, function_of, payload_of, short_path
from parti.design.acceptance import Acceptance
from parti.design.choices import Choices
from parti.design.decision import Decision
from parti.design.endpoint import Endpoint, Method
from parti.design.evaluation import Evaluation, OwnChecker
from parti.design.function import Function
from parti.design.gate import Gate
from parti.design.goals import Retry, Slo
from parti.design.graph import Arrow, Design, Kind, Opaque, Part
from parti.design.handler import Handler
from parti.design.labelling import Holding
from parti.design.labels import Tag
from parti.design.monitor import Monitor
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.errors import DeclarationError, PartiError
from parti.units import seconds

P = ParamSpec("P")
Word = TypeVar("Word", bound=Callable[..., Any])


class Declaring:
    """What every declaration of a system needs; `System` has the words.

    `retain` is how long ended runs are kept, with their journals, their questions and the idempotency keys that began them
    (None: for ever). Dead letters are kept as long. For `parti check`: `documents` are papers about it by kind, files beside the app
    ("dpia", "technical file"); `responsible` is who watches over it and stops it, by role; `keep` says how long what carries a
    label may be kept at most. `labels` says whether they are held at run time ("auto": where any is declared; "off"; "run"), and
    `gate` what is done where a run's labels meet a part that is not cleared for them (by default `responsible` is asked, and where
    nobody is, the call is refused).
    """

    def __init__(
        self,
        name: str,
        *,
        slo: Slo | None = None,
        retain: str | float | None = "2y",
        documents: Mapping[str, str] | None = None,
        responsible: str = "",
        keep: Mapping[Tag, str | float] | None = None,
        labels: Holding = "auto",
        gate: Gate | None = None,
    ) -> None:
        frame = caller()
        self.name = name
        self.slo = slo
        self.retain = None if retain is None else seconds(retain)
        self.root = Path(frame.f_code.co_filename).resolve().parent
        self._place = self._at(frame)
        self.documents = dict(documents or {})
        self.responsible = responsible
        refuse_unless_given(Gate, 'write Gate("ask", who="boss")', gate=gate)
        if labels not in get_args(Holding):
            known = ", ".join(get_args(Holding))
            raise DeclarationError("P105", f"labels={labels!r} is not known", fix=f"one of: {known}")
        self.labels: Holding = labels
        self.gate = gate
        self.keep = tuple((tag, seconds(age)) for tag, age in (keep or {}).items())
        for file in self.documents.values():
            if not (self.root / file).is_file():
                raise DeclarationError("P105", f"there is no document {file}", place=self._place, fix="write it first")
        self._decisions: list[Decision] = []
        self._acceptances: list[Acceptance] = []
        self._parts: dict[str, Part] = {}
        self._readable: list[tuple[str, Callable[..., Any]]] = []
        self._declared_arrows: list[Arrow] = []
        self._evaluations: dict[str, Evaluation] = {}
        self._choices: dict[str, Choices] = {}
        self._design: Design | None = None

    # The design

    @property
    def design(self) -> Design:
        """The system as declared, with its arrows read from the program. Raises what is wrong with it, coded."""
        if self._design is None:
            self._design = self._compose()
            prove(self._design)
        return self._design

    def _compose(self) -> Design:
        from parti.declare.arrows import read_arrows  # noqa: PLC0415 a third of the import time, needed only here

        parts = dict(self._parts)
        arrows: set[Arrow] = set(self._declared_arrows)
        for arrow in self._declared_arrows:
            if arrow.kind == "asks" and arrow.target not in parts:
                parts[arrow.target] = Person(name=arrow.target, place=arrow.place)
        opaque: set[Opaque] = set()
        for name, function in self._readable:
            reading = read_arrows(name, function, root=self.root)
            arrows.update(reading.arrows)
            opaque.update(reading.opaque)
            for arrow in reading.arrows:
                if arrow.kind == "asks" and arrow.target not in parts:
                    parts[arrow.target] = Person(name=arrow.target, place=arrow.place)
        return Design(
            self.name,
            tuple(parts.values()),
            tuple(sorted(arrows)),
            tuple(sorted(opaque)),
            self.slo,
            self._place,
            self.retain,
            tuple(self._with_calls(evaluation) for evaluation in self._evaluations.values()),
            tuple(self._decisions),
            tuple(self._acceptances),
            self.documents,
            self.responsible,
            self.keep,
            self.labels,
            self.gate,
            str(self.root),
            tuple(self._choices.values()),
        )

    def _with_calls(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation, with the parts that its checker calls."""
        from parti.declare.arrows import read_arrows  # noqa: PLC0415 see above

        if not isinstance(evaluation.check, OwnChecker):
            return evaluation
        arrows = read_arrows(evaluation.name, evaluation.check.function, root=self.root).arrows
        return replace(evaluation, checking=tuple(sorted({arrow.target for arrow in arrows if arrow.kind == "calls"})))

    def _runner(
        self, part: Handler | Endpoint | Schedule | Monitor, function: Callable[P, Any]
    ) -> FunctionHandle[P, Any]:
        self._read(part.name, function)
        return FunctionHandle(self._add(part), function)

    def _function(self, function: Callable[..., Any], names: Names, *, items: bool = False) -> Function:
        if isinstance(function, PartHandle):
            raise DeclarationError(
                "P105", f"`{function.name}` is declared twice", place=self._at(caller()),
                fix="one decorator of Parti a function",
            )  # fmt: skip
        return function_of(function, root=self.root, names=names, items=items)

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

    def _arrow(self, source: str, kind: Kind, target: str, place: Place, *, may: bool = False) -> None:
        self._declared_arrows.append(Arrow(source, kind, target, place, may))

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


_FILES = (
    "system.py", "doors.py", "computing.py", "intelligent.py", "evaluations.py", "servers.py", "choosing.py", "trusting.py",
)  # fmt: skip
_OWN = (__file__, *(str(Path(__file__).with_name(name)) for name in _FILES))


def caller() -> FrameType:
    """The frame outside this package that declares something."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in _OWN:
        frame = frame.f_back
    assert frame is not None, "Python code is always called from somewhere"
    return frame


def placed(word: Word) -> Word:
    """A word of `System` whose errors name the place of the declaration, unless they know a better one."""

    @wraps(word)
    def known(system: Declaring, *args: Any, **kwargs: Any) -> Any:
        try:
            return word(system, *args, **kwargs)
        except PartiError as wrong:
            wrong.place = wrong.place or system._at(caller())
            raise

    return cast(Word, known)


def text_of(thing: object, word: str) -> str:
    """The text that a decorator needs. A function comes where the decorator is written without parentheses."""
    if not isinstance(thing, str):
        raise DeclarationError("P105", f"{thing!r} is not a text", fix=f'write `@desk.{word}("...")`')
    return thing


def at_once(concurrency: int) -> int:
    """How many runs may be at work at once: at least one."""
    refuse_unless(int, "give a whole number from 1 on", concurrency=concurrency)
    if concurrency < 1:
        raise DeclarationError("P105", f"concurrency={concurrency} lets nothing run", fix="give at least 1")
    return concurrency


def retry_of(retry: Retry | int) -> Retry:
    return retry if isinstance(retry, Retry) else Retry(retry)


def body_of(function: Function, method: Method, path: str) -> str | None:
    """The parameter that a request's JSON body fills: the one that is an object (or, but in a GET, a list) and not in the
    path."""
    kinds = ("object",) if method == "GET" else ("object", "array")
    named = (p for p in function.parameters if f"{{{p.name}}}" not in path)
    bodies = [p.name for p in named if _is_one_of(kinds, p.payload.schema)]
    if len(bodies) > 1:
        raise DeclarationError(
            "P105",
            f"`{function.name}` takes {len(bodies)} objects: {', '.join(bodies)}",
            place=function.place,
            fix="join them into one Pydantic model",
        )
    return bodies[0] if bodies else None


def _is_one_of(kinds: tuple[str, ...], schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in kinds or "$ref" in schema or ("anyOf" in schema and "$defs" in schema)
