"""Choices: what a plan may decide of a part, and where parts may run."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.places import Place
from parti.errors import DeclarationError
from parti.units import Seconds, seconds


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do a part's work: a version of a model, another declared language model, a shorter algorithm.

    `quality` (0 to 1) is how good it is: a number, the name of an evaluation (its latest stored mean), or of a metric that
    the registry holds of the model's version `name`. None: it is not measured, and a promise of quality refuses it.
    """

    name: str
    quality: float | str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.quality, int | float) and not 0 <= self.quality <= 1:
            raise DeclarationError("P105", f"quality={self.quality} of {self.name!r} is no share", fix="give 0 to 1")


@dataclass(frozen=True, slots=True, init=False)
class Site:
    """Where parts may run: `round_trip` away from where load comes in, on `machines` (names of the price list; () for all)."""

    name: str
    round_trip: Seconds
    machines: tuple[str, ...]

    def __init__(self, name: str, *, round_trip: str | float = 0.0, machines: tuple[str, ...] | list[str] = ()) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "round_trip", 0.0 if round_trip == 0 else seconds(round_trip))
        object.__setattr__(self, "machines", tuple(machines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What may be decided of `part`. Where nothing is given, the plan decides by itself.

    `replicas` are the least and the most processes; `batches` the sizes that may be tried; `machines` names of the price
    list; `cpus` is how many vCPUs of its machine a replica takes, and pays (None: the whole machine).
    """

    part: str
    place: Place
    replicas: tuple[int, int] | None = None
    batches: tuple[int, ...] = ()
    machines: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    sites: tuple[Site, ...] = ()
    cpus: float | None = 1.0
