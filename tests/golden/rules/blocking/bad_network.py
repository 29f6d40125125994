"""It asks the network, a process and a database."""

import sqlite3
import subprocess
import urllib.request
from pathlib import Path

from parti import (
    System,
)

desk = System("desk")


@desk.every("1h")
async def poll() -> None:
    urllib.request.urlopen("https://example.com")
    subprocess.run(["true"], check=True)
    sqlite3.connect("a.db")
    Path("notes.txt").read_text()
