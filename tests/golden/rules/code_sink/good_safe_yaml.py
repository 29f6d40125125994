"""YAML of strangers makes numbers, texts and lists."""

from typing import Annotated

from parti import Label, System

desk = System("desk")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    import yaml  # noqa: PLC0415 it need not be there

    yaml.load(text, yaml.SafeLoader)
    return id
