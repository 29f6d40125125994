"""What is known of Python's own libraries: which calls block, which run text as a program, which write a log."""

from __future__ import annotations

import ast
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import Bound, Named, Of, Value
from parti.design.dataflow import Blocking, Slot

BLOCKING: Final = frozenset(
    """time.sleep builtins.open io.open builtins.input os.system os.popen subprocess.run subprocess.call subprocess.check_call
    subprocess.check_output subprocess.getoutput urllib.request.urlopen urllib.request.urlretrieve socket.create_connection
    socket.getaddrinfo socket.gethostbyname sqlite3.connect _sqlite3.connect shutil.copyfile shutil.copytree shutil.rmtree
    httpx.get httpx.post httpx.put httpx.patch httpx.delete httpx.request httpx._api.get httpx._api.post httpx._api.put
    httpx._api.patch httpx._api.delete httpx._api.request pathlib.Path.read_text pathlib.Path.read_bytes
    pathlib.Path.write_text pathlib.Path.write_bytes pathlib.Path.open smtplib.SMTP smtplib.SMTP_SSL""".split()  # noqa: SIM905
)
"""Calls that wait for a disk, a network, a process or the clock, and let nothing else run meanwhile."""

BLOCKING_PACKAGES: Final = ("requests.", "psycopg2.", "pymysql.")

PROGRAMS: Final[Mapping[str, str]] = {
    "builtins.eval": "code",
    "builtins.exec": "code",
    "builtins.compile": "code",
    "os.system": "shell",
    "os.popen": "shell",
    "subprocess.getoutput": "shell",
    "subprocess.run": "shell",
    "subprocess.call": "shell",
    "subprocess.check_call": "shell",
    "subprocess.check_output": "shell",
    "subprocess.Popen": "shell",
    "asyncio.subprocess.create_subprocess_shell": "shell",
}
"""Calls that run what they are given first, and as what. A list of words is given to no shell."""

RETURNS: Final[Mapping[str, type]] = {"logging.getLogger": logging.Logger}
"""The types of what some calls give."""


def note_library(frame: Frame, thing: Any, given: Sequence[Value], named: Mapping[str, Value], node: ast.Call) -> None:
    """Note what a call into a library does, where it is known."""
    name = name_of(thing)
    if frame.blocks and (name in BLOCKING or name.startswith(BLOCKING_PACKAGES)):
        frame.reader.blocking.add(
            Blocking(frame.part, frame.place(node), name.removeprefix("builtins.").removeprefix("_"))
        )
    if name in PROGRAMS and given and (given[0].items is None or "shell" in named):
        frame.pour(given[0], Slot(frame.part, "runs", PROGRAMS[name]), frame.place(node))
    if name == "builtins.print" or name.startswith("logging."):
        for value in (*given, *named.values()):
            frame.pour(value, Slot(frame.part, "log"), frame.place(node))


def name_of(thing: Any) -> str:
    """How a library's function is called with its module, as far as it can be told; "" for what has no name."""
    if isinstance(thing, Named):
        return thing.name
    if isinstance(thing, Bound):
        return name_of(thing.function)
    if isinstance(thing, Of):
        owner = type(thing.receiver.thing) if thing.receiver.kind is None else thing.receiver.kind
        return f"{getattr(owner, '__module__', '')}.{getattr(owner, '__qualname__', '')}.{thing.name}"
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    module = {"posix": "os", "_io": "builtins"}.get(str(module), str(module))
    return f"{module}.{name}" if isinstance(name, str) else ""
