"""What holds for all tests: long storms run only where they are asked for."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave storms out unless `-m` asks for them."""
    if "storm" in config.option.markexpr:
        return
    storms = [item for item in items if item.get_closest_marker("storm")]
    if storms:
        config.hook.pytest_deselected(items=storms)
        items[:] = [item for item in items if not item.get_closest_marker("storm")]
