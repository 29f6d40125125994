"""Cases as they are read: each line checked against the types of what is evaluated, before anything is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter
from pydantic_core import from_json, to_json

from parti.design.agent import Agent, task_text
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Case, Evaluation
from parti.design.function import Function
from parti.design.handler import Handler
from parti.design.model import Model
from parti.design.payload import Payload, schema_digest
from parti.errors import PayloadError

Evaluated = Agent | Model | Handler | Endpoint


def _split(tags: Any) -> Any:
    """A cell of a CSV file holds tags with commas or semicolons between them."""
    return [tag.strip() for tag in re.split("[,;]", tags) if tag.strip()] if isinstance(tags, str) else tags


class CaseLine(BaseModel):
    """One line of the data."""

    model_config = ConfigDict(extra="forbid")
    input: Any
    expected: Any = None
    tags: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    variables: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Planned:
    """A case that fits. `id` names its content, `arguments` are what the part is called with, `facts` is it as JSON."""

    id: str
    line: int
    tags: tuple[str, ...]
    arguments: tuple[Any, ...]
    facts: dict[str, Any]


def plain_payload(kind: Any) -> Payload:
    """The payload of a type of this package."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema()
    return Payload(getattr(kind, "__name__", str(kind)), adapter, schema, schema_digest(schema))


LINE = plain_payload(CaseLine)


def plan(evaluation: Evaluation, part: Evaluated, lines: Iterable[tuple[int, bytes]], source: str) -> Iterator[Planned]:
    """The cases in numbered lines of JSON. Raises P405 and P402 with the place, such as ``letters.jsonl:3``."""
    seen: dict[str, int] = {}
    for number, body in lines:
        try:
            case = _planned(evaluation, part, number, body)
        except PayloadError as wrong:
            wrong.place = f"{source}:{number}"
            raise
        seen[case.id] = seen.get(case.id, 0) + 1
        again = f"-{seen[case.id]}" if seen[case.id] > 1 else ""
        yield Planned(case.id + again, case.line, case.tags, case.arguments, case.facts)


def _planned(evaluation: Evaluation, part: Evaluated, number: int, body: bytes) -> Planned:
    try:
        from_json(body)
    except ValueError as wrong:
        fix = 'write {"input": ..., "expected": ...} on one line'
        raise PayloadError("P405", f"this is not JSON: {wrong}", fix=fix) from wrong
    line = CaseLine.model_validate(LINE.decode(body))
    if line.expected is not None:
        evaluation.expected.decode(to_json(line.expected))
    facts = {
        "input": line.input, "expected": line.expected, "tags": line.tags, "variables": line.variables, "line": number,
    }  # fmt: skip
    content = json.dumps([line.input, line.variables, line.expected], sort_keys=True)
    id = blake2b(content.encode(), digest_size=8).hexdigest()
    return Planned(id, number, line.tags, _arguments(evaluation, part, line), facts)


def _arguments(evaluation: Evaluation, part: Evaluated, line: CaseLine) -> tuple[Any, ...]:
    if line.variables and not isinstance(part, Agent):
        raise PayloadError("P402", f"`{part.name}` takes no variables", fix="only agents with a Prompt do")
    given = evaluation.input.decode(to_json(line.input))
    match part:
        case Agent():
            part.with_variables(line.variables)
            return (task_text(given), line.variables)
        case Model():
            return (given,)
        case Handler() | Endpoint():
            return (given,) if len(part.function.parameters) == 1 else _by_name(part.function, given)


def _by_name(function: Function, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments of a function of none or several, out of an object."""
    names = [parameter.name for parameter in function.parameters]
    if odd := sorted(given.keys() - set(names)):
        raise PayloadError("P402", f"`{function.name}` takes no {odd[0]}", fix=f"give {', '.join(names) or 'nothing'}")
    values = []
    for parameter in function.parameters:
        if parameter.name not in given and parameter.required:
            raise PayloadError("P402", f"`{function.name}` needs {parameter.name}", fix="add it to the input")
        known = parameter.name in given
        values.append(parameter.payload.decode(to_json(given[parameter.name])) if known else parameter.default)
    return tuple(values)


def case_in(evaluation: Evaluation, facts: Mapping[str, Any]) -> Case[Any, Any]:
    """A case as its checker sees it, with values of their types."""
    expected = facts["expected"]
    return Case(
        input=evaluation.input.decode(to_json(facts["input"])),
        expected=None if expected is None else evaluation.expected.decode(to_json(expected)),
        tags=tuple(facts["tags"]),
        variables=dict(facts["variables"]),
        line=facts["line"],
    )
