"""Options that say labels: what comes in carries, what a part may be given, which arguments decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NewType, get_args, get_type_hints

from parti.design.fields import DEEPEST, fields_of, items_of
from parti.design.function import Function
from parti.design.labels import Label, Labelled, Purpose, Region, Tag
from parti.design.payload import Payload
from parti.design.tool import Language
from parti.errors import DeclarationError

Given = Tag | Iterable[Tag]
Labels = Given | Mapping[str, Given]
"""Labels of all of a value, or of its fields by path: ``{"body": Label.UNTRUSTED}``."""

_FIX = 'write Label.PII, Region("eu") or Purpose("credit"), or a list of such'


def tags_of(given: Given, option: str) -> tuple[Tag, ...]:
    """The labels that an option says, sorted. Raises P105 for what is none."""
    each = (given,) if isinstance(given, Label | Region | Purpose) else given
    if isinstance(each, str) or not isinstance(each, Iterable):
        raise DeclarationError("P105", f"{option}={given!r} is no label", fix=_FIX)
    found = list(each)
    for tag in found:
        if not isinstance(tag, Label | Region | Purpose):
            raise DeclarationError("P105", f"{option}= holds {tag!r}, which is no label", fix=_FIX)
    return tuple(sorted(set(found), key=str))


def labels_given(labels: Labels | None) -> Labelled | None:
    """The labels by path; None where nothing is said, which is not the same as no labels."""
    if labels is None:
        return None
    if not isinstance(labels, Mapping):
        return tuple(("", tag) for tag in tags_of(labels, "labels"))
    return tuple((str(path), tag) for path, given in labels.items() for tag in tags_of(given, "labels"))


def control_of(control: Sequence[str] | str, function: Function) -> tuple[str, ...]:
    """The arguments that decide, each of which there must be. Raises P105."""
    found = (control,) if isinstance(control, str) else tuple(control)
    for path in found:
        _refuse_unknown(str(path).partition(".")[0], function, "control")
        _refuse_blind(path, function)
    return found


def runs_of(runs: Mapping[str, Language] | None, function: Function) -> tuple[tuple[str, Language], ...]:
    """The arguments that are run as a program. Raises P105 for one that there is not, or for another language."""
    for path, language in (runs or {}).items():
        _refuse_unknown(path, function, "runs")
        if language not in get_args(Language):
            known = ", ".join(get_args(Language))
            what = f"runs={language!r} of {path!r} is not known"
            raise DeclarationError("P105", what, place=function.place, fix=f"one of: {known}")
    return tuple((runs or {}).items())


def principal_of(principal: str, function: Function) -> str:
    """The argument that says on whose behalf. Raises P105 where there is none of that name."""
    if principal:
        _refuse_unknown(principal, function, "principal")
    return principal


def _refuse_unknown(path: Any, function: Function, option: str) -> None:
    known = {parameter.name: parameter.payload for parameter in function.parameters}
    first, _, rest = str(path).partition(".")
    if first not in known or (rest and rest.partition(".")[0] not in _names(known[first])):
        names = ", ".join(_names(known[first]) if first in known else known) or "nothing"
        raise DeclarationError(
            "P105", f"{option}= names {path!r}, which `{function.name}` is not given", place=function.place,
            fix=f"it is given: {names}",
        )  # fmt: skip


def _refuse_blind(path: str, function: Function) -> None:
    """Raise P105 for a path that no type leads along: what is there could not be told from what is not."""
    first, *names = path.split(".")
    kinds = [next(one.payload.kind for one in function.parameters if one.name == first)]
    for number, name in enumerate(names, 1):
        inner = [found for kind in kinds for found in _fields_named(kind, name)]
        if not inner or number > DEEPEST:
            whole = ".".join([first, *names[: number - 1]])
            raise DeclarationError(
                "P105", f"control= names {path!r}, and nothing says what `{name}` of {whole!r} is", place=function.place,
                fix=f'write control=["{whole}"], which is all of it, or give it a type with that field',
            )  # fmt: skip
        kinds = inner


def _fields_named(kind: Any, name: str) -> list[Any]:
    """The types of the fields of a name: of the type itself, or of what it is a list, dict or union of."""
    if isinstance(kind, NewType):
        return _fields_named(kind.__supertype__, name)
    declared = get_type_hints(kind, include_extras=True) if hasattr(kind, "__required_keys__") else fields_of(kind)
    if name in declared:
        return [declared[name]]
    return [found for inner in items_of(kind) for found in _fields_named(inner, name)]


def _names(payload: Payload) -> list[str]:
    schema = payload.schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return list((schema.get("$defs", {}).get(name) or schema).get("properties", {}))
