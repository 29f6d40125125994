"""A tape: answers of language models that were recorded, to be played back in tests and demos, without any model."""

from __future__ import annotations

import difflib
import json
from collections.abc import Hashable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from parti.agents.requests import canonical_request, request_facts
from parti.design.llm import Llm
from parti.errors import LlmError
from parti.ports.llm import Again, Answer, Llms, Request, Tell, Waited

FORMAT: Final = 1
_SHOWN: Final = 12


class Recording:
    """Asks through another, and keeps every answer: one JSON file a request, named by its SHA-256."""

    def __init__(self, folder: Path, inner: Llms) -> None:
        self._folder = folder
        self._inner = inner
        folder.mkdir(parents=True, exist_ok=True)

    async def answer(
        self,
        llm: Llm,
        request: Request,
        *,
        key: Hashable,
        tell: Tell | None = None,
        again: Again | None = None,
        waited: Waited | None = None,
    ) -> Answer:
        """See ports.llm.Llms."""
        answer = await self._inner.answer(llm, request, key=key, tell=tell, again=again, waited=waited)
        path = self._folder / f"{_name(llm, request)}.json"
        fresh: dict[str, Any] = {"format": FORMAT, "request": request_facts(llm, request), "answers": []}
        known = _read(path) if path.exists() else fresh
        known["answers"].append(json.loads(answer.as_json()))
        path.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return answer

    def reserve_for(self, llm: Llm, request: Request) -> tuple[float | None, int]:
        """See ports.llm.Llms."""
        return self._inner.reserve_for(llm, request)

    async def close(self) -> None:
        """See ports.llm.Llms."""
        await self._inner.close()


class Playing:
    """Answers from a tape alone. A request that was recorded more than once gets its answers in turn, then the last again."""

    def __init__(self, folder: Path, inner: Llms) -> None:
        if not folder.is_dir():
            raise LlmError("P706", "there is no tape", place=folder, fix="record one with --record FOLDER")
        self._folder = folder
        self._inner = inner
        self._played: dict[str, int] = {}

    async def answer(
        self,
        llm: Llm,
        request: Request,
        *,
        key: Hashable,
        tell: Tell | None = None,
        again: Again | None = None,
        waited: Waited | None = None,
    ) -> Answer:
        """See ports.llm.Llms. Raises LlmError (P706) that shows how the nearest recording differs."""
        name = _name(llm, request)
        path = self._folder / f"{name}.json"
        if not path.exists():
            raise self._missing(llm, request)
        answers = _read(path)["answers"]
        number = self._played.get(name, 0)
        self._played[name] = number + 1
        answer = Answer.of_json(answers[min(number, len(answers) - 1)])
        if tell is not None and answer.text:
            tell(answer.text)
        return answer

    def reserve_for(self, llm: Llm, request: Request) -> tuple[float | None, int]:
        """See ports.llm.Llms."""
        return self._inner.reserve_for(llm, request)

    async def close(self) -> None:
        """See ports.llm.Llms."""
        await self._inner.close()

    def _missing(self, llm: Llm, request: Request) -> LlmError:
        wanted = _lines(request_facts(llm, request))
        nearest = max(self._recorded(), key=lambda lines: _likeness(lines, wanted), default=None)
        fix = "record it with --record FOLDER"
        if nearest is None:
            return LlmError("P706", f"the tape is empty, `{llm.name}` was asked", place=self._folder, fix=fix)
        changes = [line for line in difflib.unified_diff(nearest, wanted, lineterm="", n=0) if _is_change(line)]
        shown = "\n".join(f"  {line[:200]}" for line in changes[:_SHOWN])
        more = f"\n  ... and {len(changes) - _SHOWN} more lines" if len(changes) > _SHOWN else ""
        what = f"the tape has no such request of `{llm.name}`; the nearest recording differs by\n{shown}{more}"
        return LlmError("P706", what, place=self._folder, fix=fix)

    def _recorded(self) -> Iterator[list[str]]:
        for path in sorted(self._folder.glob("*.json")):
            yield _lines(_read(path)["request"])


def _name(llm: Llm, request: Request) -> str:
    return sha256(canonical_request(llm, request)).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """A file of the tape. Raises LlmError (P706) when it is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] <= FORMAT and content["answers"]:
            return content
    except (ValueError, KeyError, TypeError, OSError) as wrong:
        raise LlmError("P706", f"this is no recording: {wrong}", place=path, fix="record the tape anew") from wrong
    raise LlmError("P706", "this recording is of a newer version, or empty", place=path, fix="record the tape anew")


def _lines(facts: dict[str, Any]) -> list[str]:
    return json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True).splitlines()


def _likeness(one: list[str], other: list[str]) -> float:
    """By letters: two requests often differ in one line, and it matters how much."""
    return difflib.SequenceMatcher(None, "\n".join(one), "\n".join(other), autojunk=False).quick_ratio()


def _is_change(line: str) -> bool:
    return line[:1] in "+-" and line[:3] not in ("+++", "---")
