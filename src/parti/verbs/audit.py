"""Auditing labels: a system is run in a world of its own, with marks wherever strangers may write, and the marks are looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.auditing.alike import Alike
from parti.auditing.flows import Flows
from parti.auditing.guessing import NO_VERSION, Guessing
from parti.auditing.making import Maker
from parti.auditing.marks import Marks
from parti.auditing.planting import Planter
from parti.auditing.report import Audit, Gathered, Unsaid, audit_of
from parti.auditing.seeing import Seen, Told, seen_in
from parti.auditing.standing_in import CALLS_MAX, Outside, Stand
from parti.auditing.worst import WorstModel
from parti.declare.dataflow.reader import read_dataflow
from parti.design.endpoint import Endpoint
from parti.design.function import Function, schema_of
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.model import Model
from parti.design.payload import Payload
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine.loop import Engine
from parti.errors import PartiError, PayloadError, UsageError
from parti.journal.whole import entries_of
from parti.ports.llm import Provider
from parti.ports.store import Event, ModelVersion, State
from parti.units import Seconds
from parti.verbs.target import Target
from parti.verbs.trial_engine import latest_models
from parti.wiring import engine_apart, scorer_for

ROUNDS: Final = 2
"""How often everything comes in: what the first round stored is read in the second."""

LONGEST: Final[Seconds] = 100 * 86_400.0
"""Virtual seconds that one input may take; what sleeps longer is left. A day of sleep takes about a second."""

PAGE: Final = 10_000
ROWS_MAX: Final = 3
"""Rows that an endpoint is asked for, of each table that it reads."""

MOMENT: Final[Seconds] = 0.01
"""Virtual seconds after which what came in is certainly under way."""

ASKED_MAX: Final = 20
"""How often people are answered after one input."""

Models = Mapping[str, tuple[ModelVersion, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an audit is made with.

    `inputs` are JSON values by topic, endpoint or tool (what the worst model calls it with, once), `answers` those that a
    scripted tool gives. `real` tools are called; `instead` of others, functions are. `script` answers in place of the worst model.
    """

    seed: int = 1
    inputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    real: frozenset[str] = frozenset()
    instead: Mapping[str, Stand] = field(default_factory=dict)
    script: Provider | None = None
    plants: bool = True


def audit_labels(target: Target, options: Options) -> Audit:
    """The audit of an app, with the models that its store has. Raises P308 and P402 for options that do not fit."""
    return audit_design(target.design, target.root, options, asyncio.run(latest_models(target)))


def audit_design(design: Design, root: Path, options: Options, models: Models | None = None) -> Audit:
    """The audit of a design, whose functions lie in `root`. Everything happens in virtual time; nothing is kept."""
    _refuse_unknown(design, options)
    flows = Flows.of(design, read_dataflow(design, root))
    planter = Planter(flows, Marks(options.seed), plants=options.plants)
    calls_max = CALLS_MAX + 20 * sum(map(len, options.inputs.values()))
    outside = Outside(planter, options.real, options.instead, options.answers, calls_max)
    calls = {
        tool.name: _named(tool, options.inputs[tool.name]) for tool in design.all(Tool) if tool.name in options.inputs
    }
    llm = options.script or WorstModel(planter.marks, calls)
    trial = outside.design(design)
    known = models or {}
    guessed = frozenset(model.name for model in design.all(Model) if model.name not in known)
    served = {**known, **{name: (NO_VERSION._replace(model=name), b"") for name in guessed}}
    scorer = Guessing(guessed, scorer_for(design) if known else None)
    running = _Running(design, trial, planter, options)
    gathered: Gathered = engine_apart(
        trial, partial(running.all, served), seed=options.seed, llm=llm, servers=outside, embedder=Alike(), scorer=scorer
    )  # fmt: skip
    return audit_of(flows, planter, outside, replace(gathered, guessed=sorted(guessed)))


def _refuse_unknown(design: Design, options: Options) -> None:
    """Raise P308 for names of parts that there are not, or that are of another kind."""
    wanted: list[tuple[str, type[Part] | tuple[type[Part], ...], str]] = [
        *((name, (Topic, Endpoint, Tool), "inputs") for name in options.inputs),
        *((name, Tool, "answers") for name in options.answers),
        *((name, Tool, "real") for name in (*sorted(options.real), *options.instead)),
    ]
    for name, kinds, option in wanted:
        if not isinstance(design.by_name.get(name), kinds):
            known = ", ".join(part.name for part in design.parts if isinstance(part, kinds)) or "none"
            raise UsageError(
                "P308", f"there is no part {name!r} that {option} can be given for", fix=f"one of: {known}"
            )
    for name, bodies in options.answers.items():
        returns = design.get(Tool, name).function.returns
        for body in bodies:
            returns.decode(to_json(body))


def _named(tool: Tool, values: Sequence[Any]) -> list[dict[str, Any]]:
    names = [one.name for one in tool.function.parameters]
    return [dict(zip(names, _listed(tool.function, value), strict=False)) for value in values]


@dataclass(slots=True)
class _Running:
    """One audit under way: what comes in, and what went wrong."""

    design: Design
    trial: Design
    planter: Planter
    options: Options
    failed: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    async def all(self, models: Models, engine: Engine) -> Gathered:
        """Everything comes in, round after round; then all that was stored is looked at."""
        for name, (version, onnx) in models.items():
            if name in self.trial.by_name:
                await engine.add_version(version, onnx)
        engine.begin()
        for number in range(ROUNDS):
            for part in self.trial.parts:
                if isinstance(part, Topic) and self._is_read(part):
                    await self._publish(engine, part, number)
                elif isinstance(part, Endpoint):
                    for arguments in self._arguments(part):
                        await self._call(engine, part, arguments, number)
                    for arguments in await self._by_row(engine, part) if number else ():
                        await self._call(engine, part, arguments, number)
        return await self._gathered(engine)

    def _is_read(self, topic: Topic) -> bool:
        return any(one.topic == topic.name for one in self.trial.all(Handler))

    async def _publish(self, engine: Engine, topic: Topic, number: int) -> None:
        for value in self.options.inputs.get(topic.name) or [Maker(topic.payload.schema).make()]:
            try:
                body = to_json(self.planter.value(topic.name, "data", topic.payload, value))
                await engine.publish(topic.name, [body])
            except PayloadError as wrong:
                self._refuse_given(topic, wrong)
                continue
            await self._settle(engine)

    def _arguments(self, endpoint: Endpoint) -> Iterator[list[Any]]:
        function = endpoint.function
        schema = schema_of(function)
        given = self.options.inputs.get(endpoint.name)
        try:
            values = [_listed(function, one) for one in given] if given else [list(Maker(schema).make().values())]
            for value in values:
                yield self.planter.arguments(endpoint.name, function, value)
        except PayloadError as wrong:
            self._refuse_given(endpoint, wrong)

    def _refuse_given(self, part: Part, wrong: PayloadError) -> None:
        """Say what is wrong with an input: at once where it was given, in the end where it was made."""
        if part.name in self.options.inputs:
            raise wrong
        self.inputs[part.name] = wrong.what

    async def _by_row(self, engine: Engine, endpoint: Endpoint) -> list[list[Any]]:
        """Arguments that ask for rows which there are: by a field of the parameter's name, or by the row's key."""
        tables = [self.design.by_name.get(arrow.target) for arrow in self.design.arrows_from(endpoint.name, "reads")]
        found: list[list[Any]] = []
        for table in (one for one in tables if isinstance(one, Table)):
            for key, body in await engine.store.rows(table.name, "main", after="", limit=ROWS_MAX):
                row = from_json(body)[1]
                for arguments in list(self._arguments(endpoint))[:1]:
                    found += _asking(endpoint.function, arguments, key, row if isinstance(row, dict) else {})
        return found

    async def _call(self, engine: Engine, endpoint: Endpoint, arguments: list[Any], number: int) -> None:
        values = tuple(endpoint.function.arguments.decode(to_json(arguments)))
        calling = asyncio.ensure_future(
            engine.call(endpoint.name, values, idempotency_key=f"{number}-{_key(arguments)}")
        )
        await self._settle(engine)
        if not calling.done():
            calling.cancel()
        (end,) = await asyncio.gather(calling, return_exceptions=True)
        if isinstance(end, PartiError):
            self.failed.setdefault(endpoint.name, f"{end.code} {end.what}")

    async def _settle(self, engine: Engine) -> None:
        """Return when nothing works any more; people who are asked say what lets work go on."""
        for _ in range(ASKED_MAX):
            await engine.clock.wait(MOMENT)
            try:
                async with asyncio.timeout(LONGEST):
                    await engine.idle()
            except TimeoutError:
                return
            waiting = [one for one in await engine.store.questions() if one.state == "open"]
            if not waiting:
                return
            for question in waiting:
                answer = to_json(Maker(from_json(question.schema)).make())
                await engine.answer(question.id, answer, by=question.who)

    async def _gathered(self, engine: Engine) -> Gathered:
        store = engine.store
        events: list[Event] = []
        for topic, partition in sorted(await store.ends()):
            events += await store.events(topic, partition, start=0, limit=PAGE)
        by_place = {(event.topic, event.partition, event.offset): event for event in events}
        records = sorted(await store.runs(limit=PAGE), key=lambda run: (run.created, run.id))
        seen: list[Seen] = []
        for run in records:
            caused = [event for event in events if event.cause == run.id]
            told = Told(
                run, await entries_of(store, run.id), by_place.get((run.topic, run.partition, run.offset)), caused
            )
            seen += seen_in(self.design, told)
            if run.state is State.DEAD:
                error = from_json(run.error)
                self.failed.setdefault(run.part, f"{error['code']} {error['error']}")
            elif not run.state.ended:
                self.failed.setdefault(run.part, "it had not ended when the audit did")
        lacking = {
            part: f"no input could be made: {why}; give --inputs {part}=FILE" for part, why in self.inputs.items()
        }
        failed = [Unsaid(part, why) for part, why in sorted((self.failed | lacking).items())]
        return Gathered(seen=seen, runs=len(records), failed=failed, inputs=self.inputs)


def _listed(function: Function, value: Any) -> list[Any]:
    """Arguments as JSON in the order of the parameters: an object by their names, a list, or the only one."""
    names = [one.name for one in function.parameters]
    if isinstance(value, dict) and set(value) <= set(names):
        return [value.get(one.name, from_json(to_json(one.default))) for one in function.parameters]
    if len(names) == 1:
        return [value]
    return value if isinstance(value, list) else [value]


def _asking(function: Function, arguments: list[Any], key: str, row: dict[str, Any]) -> Iterator[list[Any]]:
    """The arguments with each text among them replaced by what would find the row."""
    for number, parameter in enumerate(function.parameters):
        wanted = row.get(parameter.name, key)
        asked = [wanted if at == number else one for at, one in enumerate(arguments)]
        if isinstance(arguments[number], str) and asked != arguments and _fits(function.arguments, asked):
            yield asked


def _fits(payload: Payload, value: Any) -> bool:
    try:
        payload.decode(to_json(value))
    except PayloadError:
        return False
    return True


def _key(arguments: list[Any]) -> str:
    return blake2b(to_json(arguments), digest_size=4).hexdigest()
