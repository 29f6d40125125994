"""A function of the program that Parti calls: its parameters, what it returns, where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parti.design.payload import Payload
from parti.design.places import Place


@dataclass(frozen=True, slots=True)
class Parameter:
    """One typed parameter. `required` is false when the function gives it a default."""

    name: str
    payload: Payload
    required: bool
    default: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A user's function. `digest` names its code, so that a changed function can be told from an unchanged one.

    `arguments` is the payload of all its positional arguments together, a JSON array in parameter order.
    """

    name: str
    call: Callable[..., Any] = field(repr=False, compare=False)
    parameters: tuple[Parameter, ...]
    arguments: Payload
    returns: Payload
    is_async: bool
    place: Place
    digest: str
    has_sets: bool = False
    """Whether an argument holds a set, whose order says nothing."""
    about: str = ""

    def value_at(self, path: str, arguments: Sequence[Any]) -> str:
        """The value at the end of a path into the arguments, as text: ``order.id`` is the field `id` of `order`."""
        first, *rest = path.split(".")
        names = [parameter.name for parameter in self.parameters]
        value: Any = arguments[names.index(first)]
        for name in rest:
            value = value[name] if isinstance(value, Mapping) else getattr(value, name)
        return str(value)


def schema_of(function: Function) -> dict[str, Any]:
    """The JSON schema of a function's arguments by name."""
    definitions: dict[str, Any] = {}
    properties = {}
    for parameter in function.parameters:
        schema = dict(parameter.payload.schema)
        definitions.update(schema.pop("$defs", {}))
        properties[parameter.name] = schema
    required = [parameter.name for parameter in function.parameters if parameter.required]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {**schema, "$defs": definitions} if definitions else schema
