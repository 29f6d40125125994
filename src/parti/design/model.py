"""A model: a trained function from typed features to a typed answer, kept as versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parti.design.batch import Batch
from parti.design.labels import Tag
from parti.design.payload import Payload
from parti.design.places import Place
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a model answered as it did: `effect` is by how much `feature` moved the answer from that of the reference row."""

    feature: str
    value: float | str | None
    effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`train` makes a version (ONNX in the store), `evaluate` measures it, a run predicts with one version throughout.

    `concurrency` and `batch` are as those of a Step; predictions of one version are served together.
    """

    name: str
    place: Place
    inputs: Payload
    output: Payload
    timeout: Seconds
    train: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    evaluate: Callable[..., Any] | None = field(default=None, repr=False, compare=False)
    concurrency: int | None = None
    batch: Batch | None = None
    digest: str = ""
    about: str = ""
    use: str = field(default="", repr=False)
    """What it is meant for, and what not."""
    clearance: tuple[Tag, ...] = field(default=(), repr=False)
    """The labels that it may be given."""
