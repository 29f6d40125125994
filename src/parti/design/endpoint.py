"""An endpoint: a function that answers HTTP requests, plainly or as a durable run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parti.design.budget import Budget
from parti.design.exposure import Exposure
from parti.design.function import Function
from parti.design.labels import Labelled, Tag
from parti.design.places import Place
from parti.units import Seconds

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Answers `method` requests at `path` (``/applications/{id}``).

    A durable endpoint's call is a run: its id follows from the caller's `Idempotency-Key`, and a repeated key gets the
    first answer. `key` names the parameter whose value is the run's key (for writing rows and for order).
    `body` names the parameter that the request's JSON body fills, if any; the others come from path and query.

    `expose` are the protocols by which it may be called besides. `agent` names the exposed agent that it was made for: such
    an endpoint answers no path.
    """

    name: str
    place: Place
    method: Method
    path: str
    function: Function
    durable: bool
    key: str | None
    body: str | None
    timeout: Seconds
    budget: Budget | None = None
    concurrency: int
    expose: tuple[Exposure, ...] = ()
    agent: str = ""
    about: str = ""
    labels: Labelled | None = field(default=None, repr=False)
    """The labels of what callers send, where the types do not say; None where nothing was declared."""
    clearance: tuple[Tag, ...] = field(default=(), repr=False)
    """The labels that its answer may carry."""
    discloses: str = field(default="", repr=False)
    """Where people are told that a machine answers: a field of the answer, or a place in words."""
