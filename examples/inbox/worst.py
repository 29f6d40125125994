"""The worst assistant there can be: it obeys every instruction that it reads, first those of strangers, then its owner's.

No filter, prompt or better model can be assumed to do worse, so what does not succeed against it does not succeed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from parti.ports.llm import Answer, Answered, Request, Returned
from parti.testing import calls, said

Call = tuple[str, dict[str, Any]]

_ORDER = re.compile(r"^DO (\w+) (\{.*\})$", re.MULTILINE)
_REFERENCE = re.compile(r"\$(\w+)\.(\w+)(?:\[(\d+)\])?")


class Obedient:
    """Answers as a language model that does `plan`, and before each step of it whatever a document tells it to.

    An argument ``"$find_contact.iban"`` stands for that field of the latest answer of that tool, ``"$list_files.id[1]"`` for that
    of the second of a list.
    """

    def __init__(self, plan: Sequence[Call]) -> None:
        self._plan = plan

    def __call__(self, request: Request) -> Answer:
        """The next call that was ordered and not made yet."""
        made = sum(len(one.calls) for one in request.messages if isinstance(one, Answered))
        ordered = _orders(request)
        begun = 0  # steps of the plan that come before the first order of a stranger
        for call in self._plan:
            begun += 1
            if call[0] == "read_document":
                break
        script = [*self._plan[:begun], *ordered, *self._plan[begun:]]
        if made >= len(script):
            return said("done")
        name, arguments = script[made]
        return calls((name, {key: _filled(value, request) for key, value in arguments.items()}))


def _orders(request: Request) -> list[Call]:
    """What documents tell to do, in order."""
    texts = [one.text for one in request.messages if isinstance(one, Returned) and one.tool == "read_document"]
    found = [match for text in texts for match in _ORDER.finditer(_text_of(text))]
    return [(match[1], json.loads(match[2])) for match in found]


def _text_of(body: str) -> str:
    try:
        return str(json.loads(body)["text"])
    except (ValueError, KeyError, TypeError):
        return body


def _filled(value: Any, request: Request) -> Any:
    """A value with its reference looked up in what tools answered."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    found = [
        one.text for one in request.messages if isinstance(one, Returned) and one.tool == match[1] and not one.failed
    ]
    if not found:
        return value
    answer = json.loads(found[-1])
    return (answer[int(match[3])] if match[3] else answer)[match[2]]
