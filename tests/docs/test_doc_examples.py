"""What the pages show is run, so that a reader who types it gets what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT, Stage, blocks_of, first_missing

LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)(#[^)]*)?\)")
LINKING = [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "changes" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    stage = Stage(tmp_path)
    try:
        for block in blocks_of(page):
            stage.run(block)
    finally:
        for name in set(sys.modules) - known:
            if (
                getattr(sys.modules[name], "__file__", None)
                and tmp_path in Path(str(sys.modules[name].__file__)).parents
            ):
                del sys.modules[name]


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target, _ in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_no_page_shows_python_that_is_neither_run_nor_marked() -> None:
    kinds = {(block.language, word) for page in PAGES for block in blocks_of(page) for word in block.words}
    odd = {kind for kind in kinds if not kind[1].endswith(".py")} - {("python", "no-run"), ("console", "run")}
    assert not odd, "an unknown mark would silently leave an example out"


def test_expected_lines_are_found_whatever_the_spacing() -> None:
    assert first_missing(["a  b", "c…z"], "a b\ncxyz\n") is None
    assert first_missing(["a  b", "c…y"], "a b\ncxyz\n") == "c…y"


def test_the_picture_in_the_readme_is_that_of_the_example() -> None:
    command = [str(Path(sys.executable).parent / "parti"), "draw", str(ROOT / "examples/lending/app.py"), "--svg", "-"]
    drawn = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    picture = ROOT / "docs" / "images" / "lending.svg"
    if os.environ.get("ACCEPT"):
        picture.write_text(drawn, encoding="utf-8")
    assert drawn == picture.read_text(encoding="utf-8"), "run pytest on this file with ACCEPT=1, and look at it"
