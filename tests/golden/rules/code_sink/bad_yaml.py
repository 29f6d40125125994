"""YAML of strangers may make any object."""

from typing import Annotated

from parti import Label, System

desk = System("desk")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    import yaml  # noqa: PLC0415 it need not be there

    yaml.load(text, yaml.Loader)
    return id
