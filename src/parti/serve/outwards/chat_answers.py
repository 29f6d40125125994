"""Answers of chat completions: whole, as a stream of chunks, and errors, all in OpenAI's shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.ports.operations import Outcome
from parti.serve.answers import Answer, json_answer
from parti.serve.outwards.calls import Work, left_of, worded

STATUS: Final = {422: 400}
"""Where OpenAI's servers answer with another status: what does not fit is a bad request."""

CODES_THERE: Final = {"P308": "model_not_found", "P502": "invalid_api_key"}
"""Codes that clients know by other names."""

TYPES: Final = {401: "authentication_error", 403: "permission_error", 500: "server_error", 503: "server_error"}


@dataclass(slots=True)
class Completion:
    """One completion. `run` is its id, `created` the seconds since 1970, `plain` whether the output is a text."""

    run: str
    model: str
    created: int
    plain: bool
    usage: bool
    _sent: list[str] = field(default_factory=list, init=False)

    def whole(self, outcome: Outcome) -> dict[str, Any]:
        """The answer in one piece."""
        work = Work.of(outcome)
        message = {"role": "assistant", "content": work.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage(work)}

    def told(self, piece: str) -> bytes:
        """See events.Writing."""
        return self._delta(piece)

    def ended(self, outcome: Outcome) -> bytes:
        """See events.Writing: what of the output was not told yet, and how it ended."""
        work = Work.of(outcome)
        said = self._delta(left_of(work.text, "".join(self._sent))) + self._chunk({}, finish="stop")
        if self.usage:
            said += _data({**self._head("chat.completion.chunk"), "choices": [], "usage": usage(work)})
        return said + b"data: [DONE]\n\n"

    def failed(self, problem: bytes) -> bytes:
        """See events.Writing."""
        return b"data: " + problem + b"\n\n"

    def _delta(self, text: str) -> bytes:
        if not text:
            return b""
        first: dict[str, Any] = {} if self._sent else {"role": "assistant"}
        self._sent.append(text)
        return self._chunk({**first, "content": text})

    def _chunk(self, delta: dict[str, Any], *, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        said = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return _data({**said, "usage": None} if self.usage else said)

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.run, "object": kind, "created": self.created, "model": self.model}


def usage(work: Work) -> dict[str, int]:
    """What the work took, in tokens of the agent's own model."""
    return {
        "prompt_tokens": work.tokens_in,
        "completion_tokens": work.tokens_out,
        "total_tokens": work.tokens_in + work.tokens_out,
    }


def refused(answer: Answer) -> Answer:
    """A problem as OpenAI's clients read it. They are told not to repeat what would be a second run."""
    said = from_json(bytes(answer.body))
    status = STATUS.get(answer.status_code, answer.status_code)
    fields = said.get("errors")
    facts = {
        "message": worded(said),
        "type": TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": ".".join(str(part) for part in fields[0]["field"][1:]) or None if fields else None,
        "code": CODES_THERE.get(said["code"], said["code"]),
    }
    kept = ("retry-after", "parti-run", "www-authenticate", "connection")
    headers = {name: answer.headers[name] for name in kept if name in answer.headers}
    return json_answer({"error": facts}, status, headers | {"x-should-retry": "true" if status == 503 else "false"})


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + to_json(value) + b"\n\n"
