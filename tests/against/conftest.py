"""The recorded journals, made once for all tests of a process, and the version that made them."""

from __future__ import annotations

from pathlib import Path

import pytest
from against_kit import BASE, Version, recorded, version

from parti.verbs.against import Stored


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("base")


@pytest.fixture(scope="session")
def base(base_folder: Path) -> Version:
    """The version that made the journals."""
    return version(BASE, base_folder)


@pytest.fixture(scope="session")
def journals(base: Version, base_folder: Path) -> Stored:
    """A thousand recorded runs."""
    return recorded(base_folder)
