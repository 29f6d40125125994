"""Journal entries: what a run leaves behind, one compact JSON array each, readable for ever.

Layout (format 1): ``[kind, branch, part, digest, attempt, at, took, arguments, answer]``, and in tenth place, only where
there is more to say, an object. In it, ``"arguments"`` or ``"answer"`` is the SHA-256 of one that lies outside the journal;
``"waited"`` is how long a call stood in line before `at`, and ``"batch"`` how many were served together. `at`, `took` and
`waited` are seconds: its service began at `at` and lasted `took`. A step that was tried more than once says so:
``"attempts"`` counts all, and the first of them began ``"before"`` seconds earlier than `at`. About 70 bytes beside the
arguments and the answer; written in about 1 µs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from parti.ports.store import OUTSIDE_FROM

BLOBS = dict[str, bytes]
MORE = Mapping[str, Any] | None


class Entry(NamedTuple):
    """One entry, decoded. `arguments` and `answer` are JSON values; `more` says which of them lie outside, and more."""

    kind: str
    branch: str
    part: str
    digest: str
    attempt: int
    at: float
    took: float
    arguments: Any
    answer: Any
    more: dict[str, Any] = {}  # noqa: RUF012 a NamedTuple's default, never written to

    @property
    def waited(self) -> float:
        """Seconds that the call stood in line before its service began."""
        return float(self.more.get("waited", 0.0))

    @property
    def batch(self) -> int:
        """How many calls were served together; 0 for a call that was served by itself."""
        return int(self.more.get("batch", 0))


class Kind:
    """The kinds of entries. New ones may be added; the meaning of these never changes."""

    STEP: Final = "step"
    """A step answered."""
    READ: Final = "read"
    """Rows of a table as the run saw them; like a step's answer, but looked up anew once a person retries the run."""
    FAIL: Final = "fail"
    """A step failed; the answer is {code, error, kind}."""
    INTENT: Final = "intent"
    """A write is about to start; the digest is that of its arguments, the branch its idempotency key."""
    DONE: Final = "done"
    """A write answered; as INTENT."""
    UNDONE: Final = "undone"
    """A write is known not to have happened; as INTENT."""
    NOW: Final = "now"
    """The time that the run was told."""
    PIN: Final = "pin"
    """The version of a model that the run uses."""
    ASK: Final = "ask"
    """A question was put; the digest is the question's id, the answer its deadline."""
    ANSWER: Final = "answer"
    """A question was settled; the answer is {"value": …}, {"expired": true} or {"withdrawn": true}."""
    SLEEP: Final = "sleep"
    """A sleep began; the answer is the time at which it ends."""
    MEMORY: Final = "memory"
    """Facts of a memory changed, which commits with the run; the answer is {"key", "row": added there, "gone": [keys]}."""
    PUT: Final = "put"
    """A row was written when the run committed."""
    DELETE: Final = "delete"
    """A row was deleted when the run committed."""
    PUBLISH: Final = "publish"
    """An event was published when the run committed."""
    ATTEMPT: Final = "attempt"
    """An attempt failed; the answer is its error."""
    RETRY: Final = "retry"
    """A person started the dead run again: what it had read, was told of the time, and waited for in vain is forgotten."""
    SPEND: Final = "spend"
    """Something was spent of a budget, or (negative) given back; the answer is [billionths of a dollar, tokens, steps].

    A fourth number says that it is reserved for the call with that digest, and may be given back."""
    TAINT: Final = "taint"
    """What the part gave carries labels that the run had not read before; the answer lists them."""
    GATE: Final = "gate"
    """A call would carry labels; the arguments say which and from where, the answer what was decided of it.

    Where values were masked, "masked" in the answer lists their fields, labels, tokens and times, and "gave" is what went on."""
    ARROW: Final = "arrow"
    """The run used a part that the design has no arrow to."""


def encode(
    kind: str, branch: str, part: str, digest: str, attempt: int, at: float, took: float, arguments: bytes,
    answer: bytes, blobs: BLOBS, more: MORE = None,
) -> bytes:  # fmt: skip
    """One entry. Large arguments and answers are put into `blobs` under their digest."""
    if more or len(arguments) > OUTSIDE_FROM or len(answer) > OUTSIDE_FROM:
        return _with_more(kind, branch, part, digest, attempt, at, took, arguments, answer, blobs, more)
    return b'["%b","%b","%b","%b",%d,%.6f,%.6f,%b,%b]' % (
        kind.encode(), _text(branch), _name(part), _text(digest), attempt, at, took, arguments, answer,
    )  # fmt: skip


def _text(value: str) -> bytes:
    """A string without its quotes, as it stands inside JSON."""
    if value.isascii() and (value.isalnum() or not value):
        return value.encode()
    return json.dumps(value)[1:-1].encode()


_name = lru_cache(maxsize=1024)(_text)
"""The same for names of parts and people, of which there are few."""


def _with_more(
    kind: str, branch: str, part: str, digest: str, attempt: int, at: float, took: float, arguments: bytes,
    answer: bytes, blobs: BLOBS, more: MORE,
) -> bytes:  # fmt: skip
    outside: dict[str, Any] = dict(more or {})
    kept = {"arguments": arguments, "answer": answer}
    for name, body in kept.items():
        if len(body) > OUTSIDE_FROM:
            outside[name] = sha256(body).hexdigest()
            blobs[outside[name]] = body
            kept[name] = b"null"
    entry = encode(kind, branch, part, digest, attempt, at, took, kept["arguments"], kept["answer"], blobs)
    return entry[:-1] + b"," + json.dumps(outside).encode() + b"]"


def chunk(entries: Iterable[bytes]) -> bytes:
    """A journal row's body: the entries as one JSON array."""
    return b"[" + b",".join(entries) + b"]"


def decode(body: bytes) -> list[Entry]:
    """The entries of a journal row."""
    return [Entry(*fields) for fields in from_json(body)]
