"""A query is put together out of what strangers wrote, in a helper."""

import sqlite3
from typing import Annotated

from parti import Label, System

desk = System("desk")


def found(rows: sqlite3.Connection, text: str) -> None:
    rows.cursor().execute(f"select * from rows where text = '{text}'")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    with sqlite3.connect("rows.db") as rows:
        found(rows, text)
    return id
