"""What a system declares of its deployment: what a plan may decide of each part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parti.declare.declaring import Declaring, caller, placed
from parti.declare.handles import PartHandle
from parti.declare.options import refuse_unless_given, refuse_unless_listed
from parti.design.choices import Choices, Site, Variant
from parti.design.endpoint import Endpoint
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.step import Step
from parti.design.tool import Tool
from parti.errors import DeclarationError

PLANNED = (Handler, Endpoint, Step, Tool, Model, Llm)
"""The parts that work, and so take time and machines."""


class Choosing(Declaring):
    """Choices are about parts and not parts themselves, so nothing of a running system knows them."""

    @placed
    def choices(
        self,
        part: PartHandle,
        *,
        replicas: int | tuple[int, int] | None = None,
        batch: Sequence[int] = (),
        machines: Sequence[str] = (),
        variants: Sequence[Variant] = (),
        sites: Sequence[Site] = (),
        cpus: float | None = 1.0,
    ) -> None:
        """Says what `parti plan` may decide of a handler, endpoint, step, tool, model or language model.

        `replicas` is a number, or the least and the most; `batch` the sizes to try, where the part takes batches; `machines`
        are names of the price list (`parti plan --prices` shows them); `variants` are ways to do the same work, and
        `sites` where it may run. A replica takes `cpus` vCPUs of its machine and pays for so many (None: all of it).
        """
        place = self._at(caller())
        chosen = part.part if isinstance(part, PartHandle) else part
        if not isinstance(chosen, PLANNED):
            what = f"{getattr(part, 'name', part)!r} is nothing that takes machines"
            raise DeclarationError("P106", what, place=place, fix="give a handler, endpoint, step, tool, model or llm")
        refuse_unless_listed("give a list", batch=batch, machines=machines, variants=variants, sites=sites)
        refuse_unless_given((int, float), "give a number of vCPUs, or None for the whole machine", cpus=cpus)
        if cpus is not None and not cpus > 0:
            raise DeclarationError("P105", f"cpus={cpus} is no share of a machine", place=place, fix="give more than 0")
        self._choose(
            Choices(
                part=chosen.name,
                place=place,
                replicas=_range(replicas),
                batches=_sizes(batch),
                machines=_each(str, "machines", machines),
                variants=_each(Variant, "variants", variants),
                sites=_each(Site, "sites", sites),
                cpus=cpus,
            )
        )

    def _choose(self, choices: Choices) -> None:
        known = self._choices.setdefault(choices.part, choices)
        if known is not choices:
            raise DeclarationError(
                "P104", f"the choices of `{choices.part}` are declared already, at {known.place}", place=choices.place,
                fix="join them into one declaration",
            )  # fmt: skip
        self._design = None


def _range(replicas: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if replicas is None:
        return None
    least, most = (replicas, replicas) if isinstance(replicas, int) else replicas
    if not 1 <= least <= most:
        raise DeclarationError("P105", f"replicas={replicas} is no range", fix="write replicas=(1, 8)")
    return least, most


def _sizes(batch: Sequence[int]) -> tuple[int, ...]:
    for size in batch:
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise DeclarationError("P105", f"batch= holds {size!r}, which is no size", fix="write batch=[1, 8, 32]")
    return tuple(sorted(set(batch)))


def _each(kind: type[Any], option: str, given: Sequence[Any]) -> tuple[Any, ...]:
    for one in given:
        if not isinstance(one, kind):
            fix = f"give a list of {kind.__name__}"
            raise DeclarationError("P105", f"{option}= holds {one!r}, which is no {kind.__name__}", fix=fix)
    names = [one if isinstance(one, str) else one.name for one in given]
    if len(set(names)) < len(names):
        raise DeclarationError("P105", f"{option}= names {sorted(names)} more than once", fix="name each once")
    return tuple(given)
