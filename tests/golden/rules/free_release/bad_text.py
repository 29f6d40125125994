"""It gives any text."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.guard(releases=Label.UNTRUSTED)
def cleaned(text: str) -> str:
    return text.replace("ignore", "")
