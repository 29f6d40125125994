"""The operations port: what HTTP, the command line and the board may ask of a running system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

from parti.design.graph import Design
from parti.design.tenants import MAIN_TENANT
from parti.ports.chance import Chance
from parti.ports.clock import Clock
from parti.ports.store import ModelVersion, QuestionRecord, RunRecord, Store
from parti.units import Seconds

EVALUATIONS: Final = "evaluation:"
"""Notes that hold results of evaluations, oldest first."""


def key_of_evaluation(at: Seconds, name: str, version: str) -> str:
    """The name of the note that holds one result; names sort by time."""
    return f"{EVALUATIONS}{at:017.6f}:{name}:{version}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the call of a durable endpoint ended: its run, the JSON result, and whether it was answered before."""

    run: str
    result: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class Published:
    """Where published events lie."""

    topic: str
    positions: Sequence[tuple[int, int]]
    """Partition and offset of each event; empty for a repeated key whose first answer was lost in a crash."""


def run_of_call(part: str, tenant: str, key: str) -> str:
    """The run of a call with an idempotency key; different tenants never share one."""
    owner = "" if tenant == MAIN_TENANT else f"{quote(tenant, safe='')}@"
    return f"{part}:{owner}{quote(key, safe='')}"


class Operations(Protocol):
    """A running system. All methods raise PartiError for what the caller did wrong."""

    @property
    def design(self) -> Design:
        """What runs."""
        ...

    @property
    def store(self) -> Store:
        """What it has stored."""
        ...

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    @property
    def chance(self) -> Chance:
        """Where its fresh keys come from."""
        ...

    async def call(
        self,
        endpoint: str,
        arguments: Sequence[Any],
        *,
        idempotency_key: str = "",
        tenant: str = "main",
        tell: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Run a durable endpoint; returns when its end is on disk. A repeated key waits for, or gets, the first answer.

        `tell` is given what the run tells meanwhile (`parti.tell`).

        Raises Overloaded when too many calls are under way, P310 when the key was used with other arguments, StepFailed
        or P307 when the run failed.
        """
        ...

    async def answer_plain(self, endpoint: str, arguments: Sequence[Any], *, tenant: str = "main") -> bytes:
        """Call a plain endpoint: reads committed data; its JSON result."""
        ...

    async def publish(
        self, topic: str, payloads: Sequence[bytes], *, tenant: str = "main", idempotency_key: str = ""
    ) -> Published:
        """Check and store events (JSON); all or none. Raises P402 with the index of the first bad one, P310
        when the key was used with others, P504 for a name that no tenant may have, Overloaded."""
        ...

    async def retry(self, run: str) -> RunRecord:
        """Start a dead run again."""
        ...

    async def cancel(self, run: str) -> RunRecord:
        """End a run that has not ended."""
        ...

    async def answer(self, question: str, answer: bytes, *, by: str) -> QuestionRecord:
        """Answer an open question with JSON that fits its schema."""
        ...

    async def add_version(self, version: ModelVersion, onnx: bytes) -> ModelVersion:
        """Store a new version of a model (its number is given by the store's order)."""
        ...

    async def add_evaluation(self, key: str, result: bytes) -> None:
        """Keep the result (JSON) of an evaluation under a key that `key_of_evaluation` gave, as long as runs are kept."""
        ...

    async def note_reveal(self, place: str, *, by: str) -> None:
        """Journal that `by` asks to see the masked value at `place`; it is on disk when this returns. Raises P504 for a
        name or place that is empty or too long."""
        ...

    async def figures(self) -> dict[str, dict[str, Any]]:
        """The figures of every monitor."""
        ...
