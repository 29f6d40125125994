"""Requests for chat completions: what is read of them, and the task that their messages are."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import to_json

from parti.serve.refusals import Refusal, body_misfits, problem, unfit
from parti.serve.requests import strict_json

ASKS: Final = "Go on with this conversation: answer its last message. Roles and texts are in JSON."


class Piece(BaseModel):
    """A part of a message's content."""

    type: str
    text: str | None = None
    refusal: str | None = None


class ChatMessage(BaseModel):
    """One message. What else it holds is left aside."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Piece] | None = None

    def text(self, at: int) -> str:
        """Its text. Raises Refusal 422 for content that is no text; `at` is its place among the messages."""
        if not isinstance(self.content, list):
            return self.content or ""
        for number, piece in enumerate(self.content):
            if piece.type not in ("text", "refusal"):
                field = ["body", "messages", at, "content", number]
                raise unfit([{"field": field, "error": f"{piece.type!r} is not read"}], fix="send texts alone")
        return "".join(piece.text or piece.refusal or "" for piece in self.content)


class StreamOptions(BaseModel):
    """What is asked of a stream."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """What `POST /v1/chat/completions` takes. How the model works is the agent's own: temperature and so on are left aside."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    tools: list[Any] | None = Field(default=None, max_length=0)
    functions: list[Any] | None = Field(default=None, max_length=0)
    """The caller's own tools cannot be called; an agent has those that it was declared with."""

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with what it took."""
        return self.stream_options is not None and self.stream_options.include_usage

    def task(self) -> str:
        """The task: a single message of the user as it is, a longer conversation as JSON.

        JSON, as a text could otherwise pretend to be somebody else's. Raises Refusal 422.
        """
        said = [(message.role, message.text(at)) for at, message in enumerate(self.messages)]
        if not any(text for _, text in said):
            raise unfit([{"field": ["body", "messages"], "error": "All are empty"}], fix="say what is to be done")
        if len(said) == 1 and said[0][0] == "user":
            return said[0][1]
        return f"{ASKS}\n{to_json([{'role': role, 'content': text} for role, text in said]).decode()}"


def chat_request(body: bytes) -> ChatRequest:
    """Read a request. Raises Refusal 422 (P402) naming each field that does not fit, 400 (P504) for what is not JSON."""
    if not body.strip():
        raise Refusal(problem(400, "P504", "the body is empty", fix="send JSON"))
    try:
        return ChatRequest.model_validate_json(strict_json(body))
    except ValidationError as wrong:
        raise unfit(body_misfits(wrong), fix="send what OpenAI's API reference says, without tools") from None
