"""What strangers wrote is a parameter of a query, and of a command without a shell."""

import sqlite3
import subprocess
from typing import Annotated

from parti import Label, System

desk = System("desk")


@desk.post("/ask", key="id")
def ask(id: Annotated[str, Label.TRUSTED], text: Annotated[str, Label.UNTRUSTED]) -> str:
    with sqlite3.connect("rows.db") as rows:
        rows.cursor().execute("select * from rows where text = ?", (text,))
    subprocess.run(["grep", text, "rows.txt"], check=True)
    return id
