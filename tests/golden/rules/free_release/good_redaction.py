"""It releases who is meant, not who wrote it."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.guard(releases=Label.PII)
def redacted(text: str) -> str:
    return text.replace("Ann", "N.N.")
