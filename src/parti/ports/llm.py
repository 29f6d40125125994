"""The LLM port: what is sent to a language model, what comes back, and who sends it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from parti.design.llm import Llm
from parti.units import Seconds

Tell = Callable[[str], None]
"""Is given each piece of text as it arrives."""

Again = Callable[[], Awaitable[None]]
"""Is awaited before a request is sent again although the one before may have been paid; raises where that may not be."""


Waited = Callable[[Seconds], None]
"""Is told how long a request stood in line, each time that it did, before it is sent."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says to the model: "system" for instructions, "user" for everything else."""

    role: Literal["system", "user"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a call of the tool `name`. `arguments` is the JSON text that it wrote, whatever that holds."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The model's own turn, as it was. `raw` is what the provider needs to see again (JSON; "" where nothing more)."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of a tool call; `failed` where it is an error."""

    call: str
    tool: str
    text: str
    failed: bool = False


Message = Said | Answered | Returned


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that the model may ask for. `schema` is the JSON schema of its arguments, an object."""

    name: str
    about: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """The JSON value that the answer must be: its name, and its JSON schema."""

    name: str
    about: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model. Without `output` it answers with text. `size` is that of its messages in bytes, where it is known."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output: OutputSpec | None = None
    max_tokens: int = 1024
    settings: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = field(default=None, compare=False)


Finish = Literal["stop", "length", "tools", "refused", "other"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. With `Request.output`, `text` is the JSON text of the output, unless tools are called.

    `model` is the version that the provider says answered; tokens are as it counted them; `first` is the time to the
    first token and `took` the whole call, in seconds. `usd` is what it cost: by the declared price, else by the provider's
    list; None where nobody knows.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = "stop"
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None
    first: Seconds = 0.0
    took: Seconds = 0.0
    raw: str = ""

    @property
    def turn(self) -> Answered:
        """The answer as a message of the conversation."""
        return Answered(self.text, self.calls, self.raw)

    def as_json(self) -> bytes:
        """As it stands in a journal or on a tape, readable for ever: unset fields are left out."""
        facts = {name: getattr(self, name) for name in _FIELDS}
        kept = {name: value for name, value in facts.items() if value not in ("", 0, None)}
        if self.calls:
            kept["calls"] = [[call.id, call.name, call.arguments] for call in self.calls]
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()

    @staticmethod
    def of_json(facts: Mapping[str, Any]) -> Answer:
        """An answer out of a journal or a tape."""
        calls = tuple(ToolCall(*call) for call in facts.get("calls", ()))
        return Answer(calls=calls, **{"text": "", **{name: facts[name] for name in _FIELDS if name in facts}})


_FIELDS = ("text", "finish", "model", "tokens_in", "tokens_out", "usd", "first", "took", "raw")


class LlmFailure(Exception):
    """A model did not answer. `lasting` says that asking again does not help; `wait` how long to wait before, if it said.

    `paid` says that the request may cost something all the same: it was sent, and nobody refused it.
    """

    def __init__(
        self, code: str, what: str, *, lasting: bool = False, wait: Seconds = 0.0, fix: str = "", paid: bool = False
    ) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.lasting = lasting
        self.wait = wait
        self.fix = fix
        self.paid = paid


PriceList = Callable[[Llm, int, int], float | None]
"""What so many tokens in and out cost by the list of who serves the model, in US dollars; None where it has no such model."""


class Provider(Protocol):
    """Answers requests by one declared model. One for each Llm and process; closed with it."""

    async def answer(self, llm: Llm, request: Request, *, tell: Tell | None = None) -> Answer:
        """Ask once. With `tell`, text is told as it arrives. Raises LlmFailure. Cancelling it ends the call."""
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...


class Llms(Protocol):
    """All models of a system: retries, fallbacks, rates and caches are behind this."""

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
        """The answer, by `llm` or one of its fallbacks. `key` is whose turn it takes: rates are shared fairly between keys.

        Raises LlmError (P7xx), whose `paid` says whether the last request may have been paid; and what `again` raises.
        """
        ...

    def reserve_for(self, llm: Llm, request: Request) -> tuple[float | None, int]:
        """The most that one request should cost: US dollars, and tokens in and out. An estimate from above.

        Dollars are None where nobody knows the price of the model, or of one of its fallbacks.
        """
        ...

    async def close(self) -> None:
        """Close every provider."""
        ...
