"""A gate: what happens to a call that would carry labels to where they may not go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from parti.design.labels import Label, Tag
from parti.errors import DeclarationError
from parti.units import Seconds, seconds

Then = Literal["allow", "mask", "ask", "refuse"]


@dataclass(frozen=True, slots=True, init=False)
class Gate:
    """What is done with a call at which a run's labels meet a part that is not cleared for them.

    `then` is ``"refuse"`` (P901), ``"ask"`` (the person `who` sees each argument, its value and where it came from, and says
    yes or no within `timeout`, None: whenever), ``"mask"`` or ``"allow"``; each is journaled. A person is asked at most
    `per_hour` times an hour, approvals included; what is over that is refused (P903): who is asked too often says yes to all.

    ``"mask"`` puts the values that are PII or SECRET behind tokens and lets the rest go. Where that cannot be done, `who` is
    asked, or it is refused where nobody is named. With `detect` free texts are searched for personal data, too (extra ``pii``).

    Without `trace` every argument carries all that the run has read. With it, an argument carries the labels of the field
    that its value came from, where that can be told; see docs/labels.md.
    """

    then: Then
    who: str
    trace: bool
    timeout: Seconds | None
    per_hour: int
    detect: bool

    def __init__(
        self,
        then: Then = "refuse",
        *,
        who: str = "",
        trace: bool = False,
        timeout: str | float | None = None,
        per_hour: int = 20,
        detect: bool = False,
    ) -> None:
        if then not in get_args(Then):
            known = ", ".join(get_args(Then))
            raise DeclarationError("P105", f"{then!r} is not what a gate does", fix=f"one of: {known}")
        if (then == "ask") != bool(who) and then != "mask":
            raise DeclarationError(
                "P105", f"a gate that does {then!r} with who={who!r}", fix='write Gate("ask", who="boss")'
            )
        if detect and then != "mask":
            raise DeclarationError(
                "P105", f"a gate that does {then!r} with detect=True", fix='write Gate("mask", detect=True)'
            )
        if per_hour < 1:
            raise DeclarationError("P105", f"a gate with per_hour={per_hour}", fix="from 1 on")
        object.__setattr__(self, "then", then)
        object.__setattr__(self, "who", who)
        object.__setattr__(self, "trace", trace)
        object.__setattr__(self, "timeout", None if timeout is None else seconds(timeout))
        object.__setattr__(self, "per_hour", per_hour)
        object.__setattr__(self, "detect", detect)

    @property
    def stricter(self) -> Then:
        """What is done where nothing can be masked."""
        return self.then if self.then != "mask" else "ask" if self.who else "refuse"

    def masks(self, tag: Tag) -> bool:
        """Whether values with the label go through it behind tokens alone."""
        return self.then == "mask" and tag in (Label.PII, Label.SECRET)
