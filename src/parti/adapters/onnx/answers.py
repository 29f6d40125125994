"""Answers: the outputs of a graph as values of the model's output type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, get_origin

from pydantic import ValidationError

from parti.design.features import field_types, record_type
from parti.design.model import Model
from parti.errors import ModelError

_ROLES: Final[Mapping[str, str]] = {
    "label": "label",
    "probability": "probabilities",
    "probabilities": "probabilities",
    "value": "value",
}
"""Which output of a graph fills which field of an output type."""


class Answers:
    """Fills the fields `label`, `probability` (of the last class), `probabilities` (list, or mapping from class) and
    `value` of a model's output type by name; other fields keep their defaults.
    """

    def __init__(self, model: Model, outputs: Mapping[str, str], classes: Sequence[Any]) -> None:
        """`outputs` maps roles to ONNX names. Raises P603 naming the first field that cannot be filled."""
        self._model = model
        self._validate = model.output.adapter.validate_python
        self._classes = list(classes)
        fields = _fields(model)
        self._plan = [(alias, name, kind) for name, (alias, kind, _) in fields.items() if _ROLES.get(name) in outputs]
        filled = {name for _, name, _ in self._plan}
        for name, (_, kind, required) in fields.items():
            if required and name not in filled:
                raise self._unfillable(name, f"the model gives {_gives(outputs)}")
            if name == "probabilities" and name in filled and _is_mapping(kind) and not self._classes:
                raise self._unfillable(name, "the model does not name its classes")
        roles = list(dict.fromkeys(_ROLES[name] for _, name, _ in self._plan))
        self.needs = [outputs[role] for role in roles]
        """The ONNX outputs to ask for, in the order in which `build` takes them."""
        self._at = {role: place for place, role in enumerate(roles)}

    def build(self, arrays: Sequence[Any], row: int) -> Any:
        """The answer of one row. Raises P603 when it is not finite or does not fit the output type."""
        values = {
            alias: self._value(name, kind, arrays[self._at[_ROLES[name]]][row]) for alias, name, kind in self._plan
        }
        try:
            return self._validate(values)
        except ValidationError as wrong:
            detail = wrong.errors(include_url=False)[0]
            field = ".".join(str(part) for part in detail["loc"])
            raise self._unfillable(field, f"{detail['msg']}, the model gave {values.get(field)!r}") from wrong

    def _value(self, name: str, kind: Any, given: Any) -> Any:
        if name == "label":
            return given.item() if hasattr(given, "item") else given
        if name == "probabilities":
            shares = [self._share(name, share) for share in given.reshape(-1).tolist()]
            return dict(zip(self._classes, shares, strict=True)) if _is_mapping(kind) else shares
        if name == "probability":
            return self._share(name, given.item(-1))
        if given.size != 1:
            raise self._unfillable(name, f"the model gives {given.size} numbers")
        return self._finite(name, given.item())

    def _share(self, name: str, share: float) -> float:
        # Sums in single precision may end a hair above 1, which a field declared `le=1` would refuse.
        return min(max(self._finite(name, share), 0.0), 1.0)

    def _finite(self, name: str, number: float) -> float:
        if not isfinite(number):
            raise self._unfillable(name, f"the model gave {number}")
        return number

    def _unfillable(self, field: str, why: str) -> ModelError:
        return ModelError(
            "P603",
            f"`{field}` of {self._model.output.name} cannot be filled by `{self._model.name}`: {why}",
            place=self._model.place,
            fix="fields are label, probability, probabilities or value; give any other a default",
        )


def _fields(model: Model) -> dict[str, tuple[str, Any, bool]]:
    """Each field of the output type: the key that fills it, its type, and whether it has no default."""
    kind: Any = record_type(model.output)
    if kind is None:
        raise ModelError(
            "P603",
            f"the output of `{model.name}` is {model.output.name}, which has no fields",
            place=model.place,
            fix="declare a Pydantic model or a dataclass, such as one with `probability: float`",
        )
    if hasattr(kind, "model_fields"):
        aliases = {name: info.validation_alias or info.alias for name, info in kind.model_fields.items()}
        return {
            name: (alias if isinstance(alias := aliases[name], str) else name, info.annotation, info.is_required())
            for name, info in kind.model_fields.items()
        }
    required = set(model.output.schema.get("required", ()))
    return {name: (name, annotation, name in required) for name, annotation in field_types(kind).items()}


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _gives(outputs: Mapping[str, str]) -> str:
    return ", ".join(name for name, role in _ROLES.items() if role in outputs) or "nothing that Parti knows"
