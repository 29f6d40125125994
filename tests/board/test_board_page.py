"""The files of the page: in the wheel, captioned, short, typed, and without a way to make markup out of text."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src" / "parti" / "board" / "page"
OWN = [file for file in sorted(PAGE.rglob("*.js")) if "vendor" not in file.parts]
VENDORED = sorted((PAGE / "vendor").glob("*.js"))
TSC = ROOT / ".board-check" / "node_modules" / ".bin" / "tsc"


def name(file: Path) -> str:
    return file.relative_to(PAGE).as_posix()


@pytest.mark.parametrize("file", OWN, ids=name)
def test_a_file_starts_with_a_caption_and_is_not_too_long(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert re.match(r"// [A-Z].*[.]$", lines[0])
    assert len(lines) <= 400


@pytest.mark.parametrize("file", OWN, ids=name)
def test_no_file_makes_markup_out_of_text_or_asks_another_server(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    assert set(re.findall(r"https?://[^\s\"'`]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_every_import_is_a_file_of_the_page() -> None:
    for file in [*OWN, *VENDORED]:
        for target in re.findall(r"""(?:from|import)\s*["']([^"']+)["']""", file.read_text("utf-8")):
            assert target.startswith("."), f"{name(file)} imports {target}"
            assert (file.parent / target).exists() or target == "./types.js" or target.endswith("/types.js")


def test_every_library_is_listed_with_its_licence() -> None:
    listed = (PAGE / "vendor" / "README.md").read_text("utf-8")
    for file in VENDORED:
        assert f"`{file.name}`" in listed
    for licence in re.findall(r"`(LICENSE-\w+\.txt)`", listed):
        assert (PAGE / "vendor" / licence).exists()


def test_the_types_of_the_page_hold() -> None:
    if not TSC.exists():
        pytest.skip("the types of the page are checked by `make board-check`")
    done = subprocess.run(
        [TSC, "--project", ROOT / "tests" / "board" / "tsconfig.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_a_wheel_brings_every_file_of_the_page(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="building a wheel needs `pip install hatchling`")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    brought = set(zipfile.ZipFile(wheel).namelist())
    assert {f"parti/board/page/{name(file)}" for file in PAGE.rglob("*") if file.is_file()} <= brought
