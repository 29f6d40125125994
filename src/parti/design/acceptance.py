"""An acceptance: a finding of `parti check` that somebody lives with, for a reason and until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from parti.design.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The finding `code` on the part `on` ("": wherever it is) does not count until the end of the day `until`.

    It is accepted along ways that begin in one of the fields or parts `begins`; where none is named, in that where the way that
    is found first begins.
    """

    code: str
    on: str
    reason: str
    until: date
    place: Place
    begins: tuple[str, ...] = ()
