"""A shell is started with a list of words, one of which is its program."""

import subprocess
from typing import Annotated

from parti import Label, System

desk = System("desk")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    subprocess.Popen(["/bin/bash", "-c", text])
    return id
