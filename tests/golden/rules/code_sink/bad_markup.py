"""What strangers wrote is marked as HTML."""

from typing import Annotated

from parti import Label, System

desk = System("desk")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    from markupsafe import Markup  # noqa: PLC0415 it need not be there

    print(Markup(text))
    return id
