"""A data file of an installed package, found without importing the package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from parti.errors import DeclarationError


def packaged_file(package: str, path: str, *, extra: str, purpose: str) -> Path:
    """The file `path` of the installed distribution `package`, or P110 naming the command that installs the extra."""
    try:
        file = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        file = None
    if file is not None and file.is_file():
        return file
    lack = f"the package {package!r}" if file is None else f"the file {path!r} of the package {package!r}"
    raise DeclarationError("P110", f"{purpose} needs {lack}", fix=f"pip install 'parti[{extra}]'")
