"""The files of a prompt: other wordings as they are read, and a better one as it is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from parti.declare.prompts import prove_variables
from parti.design.prompt import Template
from parti.errors import DeclarationError, UsageError
from parti.mlops.prompting.candidates import Wording, misfit_of


def read_wordings(
    paths: Iterable[Path], template: Template, given: Sequence[Mapping[str, object]]
) -> Iterator[Wording]:
    """The wordings in files, and in the `*.md` of folders, each text once; the present one is not among them.

    Raises P504 for what cannot be read, and P105 with the line for a text whose variables are not those of the `template`
    or do not take what the cases have `given`.
    """
    seen = {template.text}
    for path in (file for named in paths for file in _files(named)):
        text = _read(path)
        prove_variables(str(path), text, template.names)
        if misfit := misfit_of(text, template, given):
            raise DeclarationError("P105", misfit, place=path, fix="write the variables as the present prompt does")
        if text not in seen:
            yield Wording(str(path), text)
        seen.add(text)


def _files(named: Path) -> list[Path]:
    if not named.is_dir():
        return [named]
    found = sorted(named.glob("*.md"))
    if not found:
        raise UsageError("P504", f"the folder {named} holds no *.md", fix="name a folder of prompts, or a file")
    return found


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = getattr(wrong, "strerror", None) or "it is not UTF-8"
        raise UsageError("P504", f"the wording {path} cannot be read: {why}", fix="name a file of text") from wrong
    if not text.strip():
        raise UsageError("P504", f"the wording {path} is empty", fix="name a file of text")
    return text


def refuse_unwritable(template: Template) -> Path:
    """The prompt's file. Raises P504 where no better one could be written there, before anything is paid for."""
    file = Path(template.file).resolve()
    if not os.access(file.parent, os.W_OK):
        raise UsageError("P504", f"nothing can be written in {file.parent}", fix="make it writable, or copy the app")
    return file


def said_path(path: Path) -> str:
    """The path as it is said in this folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def write_prompt(template: Template, text: str, *, replacing: bool) -> Path:
    """Write `text` in the place of the prompt's file, or in a new file beside it; where it stands then.

    A prompt that somebody changed, moved or removed meanwhile is not replaced: the text goes beside where it was.
    """
    file = Path(template.file).resolve()
    if not (replacing and _stands_in(file, template.text)):
        file = _free(file)
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        if file.exists():
            shutil.copymode(file, fresh)
        os.replace(fresh, file)  # at once: a system that starts meanwhile reads the old text or the new one
    except OSError as wrong:
        fresh.unlink(missing_ok=True)
        raise UsageError(
            "P504", f"{file} cannot be written: {wrong.strerror}", fix="see to it and start again"
        ) from wrong
    return file


def _stands_in(file: Path, text: str) -> bool:
    """Whether the file still holds this text; what cannot be read any more does not."""
    try:
        return file.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _free(file: Path) -> Path:
    """``writer.best.md``, or ``writer.best-2.md`` where that is taken: it may hold somebody's work."""
    names = (f"{file.stem}.best{f'-{number}' if number > 1 else ''}{file.suffix}" for number in count(1))
    return next(path for path in map(file.with_name, names) if not path.exists())
