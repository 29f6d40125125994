"""Bytes of strangers are unpacked by pickle."""

import pickle
from typing import Annotated

from parti import Label, System

desk = System("desk")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    pickle.loads(text.encode())
    return id
