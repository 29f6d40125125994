"""What is known of Python's own libraries: which calls block, which run text as a program, which write a log."""

from __future__ import annotations

import ast
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import UNKNOWN, Bound, Named, Of, Value
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
    "builtins.__import__": "code",
    "importlib.import_module": "code",
    "pickle.loads": "code",
    "_pickle.loads": "code",
    "marshal.loads": "code",
    "dill.loads": "code",
    "yaml.load": "code",
    "yaml.load_all": "code",
    "yaml.full_load": "code",
    "yaml.unsafe_load": "code",
    "jinja2.environment.Template": "code",
    "jinja2.environment.Environment.from_string": "code",
    "os.system": "shell",
    "os.popen": "shell",
    "subprocess.getoutput": "shell",
    "subprocess.getstatusoutput": "shell",
    "asyncio.subprocess.create_subprocess_shell": "shell",
    "markupsafe.Markup": "html",
    "starlette.responses.HTMLResponse": "html",
}
"""Calls that run what they are given first, and as what."""

_SPAWNING: Final = frozenset(
    """subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen os.execv os.execvp os.spawnv
    asyncio.subprocess.create_subprocess_exec""".split()  # noqa: SIM905
)
"""Calls that start a program. A list of words is given to no shell, unless the first of them is one."""

_SHELLS: Final = frozenset("sh bash dash zsh ksh fish cmd cmd.exe powershell pwsh".split())  # noqa: SIM905
_SCRIPT_FLAGS: Final = ("-c", "-lc", "-ic", "-e", "/c", "/C", "-Command")
_INTERPRETERS: Final = frozenset("python python3 perl ruby node php".split())  # noqa: SIM905

_QUERYING: Final = frozenset(
    {"execute", "executemany", "executescript", "exec_driver_sql", "fetch", "fetchval", "fetchrow"}
)
_DATABASES: Final = """sqlite3 _sqlite3 psycopg psycopg2 asyncpg aiosqlite pymysql aiomysql MySQLdb duckdb _duckdb sqlalchemy cx_Oracle oracledb
    pyodbc""".split()  # noqa: SIM905

RETURNS: Final[Mapping[str, type]] = {
    "logging.getLogger": logging.Logger,
    "sqlite3.connect": sqlite3.Connection,
    "sqlite3.Connection.cursor": sqlite3.Cursor,
}
"""The types of what some calls give."""


def note_library(frame: Frame, thing: Any, given: Sequence[Value], named: Mapping[str, Value], node: ast.Call) -> None:
    """Note what a call into a library does, where it is known."""
    name = name_of(thing)
    if frame.blocks and (name in BLOCKING or name.startswith(BLOCKING_PACKAGES)):
        frame.reader.blocking.add(
            Blocking(frame.part, frame.place(node), name.removeprefix("builtins.").removeprefix("_"))
        )
    for program, language in _run_by(thing, name, given, named):
        frame.pour(program, Slot(frame.part, "runs", language), frame.place(node))
    if name == "builtins.print" or name.startswith("logging."):
        for value in (*given, *named.values()):
            frame.pour(value, Slot(frame.part, "log"), frame.place(node))


def _run_by(thing: Any, name: str, given: Sequence[Value], named: Mapping[str, Value]) -> Iterator[tuple[Value, str]]:
    """What the call runs as a program, and in which language."""
    first = given[0] if given else next(iter(named.values()), None)
    if first is None:
        return
    if name in PROGRAMS:
        safe = any("Safe" in name_of(value.thing) for value in (*given, *named.values()))
        if not (name.startswith("yaml.") and safe):
            yield first, PROGRAMS[name]
    elif name in _SPAWNING:
        if first.items is None or "shell" in named:
            yield first, "shell"
        yield from _scripts(first.items if first.items is not None else given)
    elif isinstance(thing, Of | Bound) and name.rpartition(".")[2] in _QUERYING and _may_be_database(name, thing):
        yield named.get("query", named.get("sql", first)), "sql"


def _scripts(words: Sequence[Value]) -> Iterator[tuple[Value, str]]:
    """The words of a command that a shell or interpreter takes for a program."""
    texts = [word.thing if isinstance(word.thing, str) else "" for word in words]
    program = texts[0].rpartition("/")[2] if texts else ""
    if program in _SHELLS or program in _INTERPRETERS:
        flags = [at for at, text in enumerate(texts) if text in _SCRIPT_FLAGS]
        yield from ((word, "shell" if program in _SHELLS else "code") for at in flags[:1] for word in words[at + 1 :])


def _may_be_database(name: str, thing: Any) -> bool:
    """Whether the object is one of a database, or may be. What only fetches may be one of many things."""
    known = name.split(".", maxsplit=1)[0] in _DATABASES
    unknown = isinstance(thing, Of) and thing.receiver.kind is None and thing.receiver.thing is UNKNOWN
    return known or (unknown and name.rpartition(".")[2].startswith("exec"))


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
    module = {"posix": "os", "_io": "builtins", "_sqlite3": "sqlite3"}.get(str(module), str(module))
    return f"{module}.{name}" if isinstance(name, str) else ""
