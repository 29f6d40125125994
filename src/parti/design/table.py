"""A table: the latest row of each key, written by the runs of one group."""

from __future__ import annotations

from dataclasses import dataclass, field

from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.topic import Upcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one type, one per value of the field `key` and tenant."""

    name: str
    place: Place
    payload: Payload
    key: str
    upcast: Upcast | None = field(default=None, repr=False, compare=False)
    about: str = ""
