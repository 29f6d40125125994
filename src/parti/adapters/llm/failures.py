"""What goes wrong with a model, as an LlmFailure: what may pass, what must be mended first, and what is too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic_ai import exceptions as theirs

from parti.adapters.llm.surrogates import whole
from parti.design.llm import Llm
from parti.ports.llm import LlmFailure

PASSING: Final = frozenset({408, 409, 425, 429})
"""HTTP statuses below 500 after which the same request may succeed."""

UNCERTAIN: Final = frozenset({408, 502, 504})
"""HTTP statuses by which a gateway gave up on a model that may have worked, and been paid."""

UNREACHABLE: Final = frozenset({"ConnectError", "ConnectTimeout", "ConnectionRefusedError", "PoolTimeout", "gaierror"})
"""Errors of HTTP clients that come before anything is sent."""

QUOTE_MAX: Final = 600
"""How much of what a provider says is quoted, in characters."""

TOO_LONG: Final = re.compile(
    r"context (size|length|window)|exceed_context_size|prompt is too long|too long for requested model"
    r"|exceeds the maximum number of tokens|max_new_tokens. must be",
    re.IGNORECASE,
)
"""How servers whose words Pydantic AI does not know (llama.cpp, Cohere, Gemini, TGI) say that a request is too long."""


def failure_of(llm: Llm, error: Exception) -> LlmFailure:
    """The failure that an error of a request amounts to. Whatever nobody foresaw may pass."""
    match error:
        case LlmFailure():
            return error
        case TimeoutError():
            return _passing(f"`{llm.name}` did not answer within {llm.timeout:g} s", paid=True)
        case theirs.ModelAPIError():
            return _of_provider(llm, error)
        case theirs.ContentFilterError():
            return LlmFailure("P701", f"`{llm.name}` refused: {_quote(error)}", lasting=True, paid=True)
        case theirs.UserError() | NotImplementedError():
            return mistake(llm, error)
        case theirs.UnexpectedModelBehavior():
            return _passing(f"`{llm.name}` gave no answer that can be read: {_quote(error)}", paid=True)
        case LookupError():  # what Pydantic AI makes of an answer without choices
            return _passing(f"`{llm.name}` gave no answer that can be read: something in it is missing", paid=True)
        case _:
            return _passing(f"`{llm.name}` failed with {type(error).__name__}: {_quote(error)}", paid=True)


def _of_provider(llm: Llm, error: theirs.ModelAPIError) -> LlmFailure:
    quote = _quote(error)
    status = error.status_code if isinstance(error, theirs.ModelHTTPError) else 0
    match error:
        case theirs.ModelContextWindowExceededError():
            return _too_long(llm, error)
        case theirs.ModelAuthenticationError():
            return _lasting(f"`{llm.name}` was refused ({status or 'no access'}): {quote}", fix=_fix_of_key(llm))
        case theirs.ModelNotFoundError():
            fix = f"correct the target or model of `{llm.name}`" + (f" ({_near(error)}?)" if _near(error) else "")
            return _lasting(f"`{llm.name}` names a model or address that does not exist: {quote}", fix=fix)
        case theirs.ModelQuotaExceededError():
            fix = "add credit or raise the limit at the provider, or declare fallbacks=[...]"
            return LlmFailure("P701", f"the account of `{llm.name}` is used up: {quote}", lasting=True, fix=fix)
    refused = isinstance(error, theirs.ModelRequestRejectedError) or 400 <= status < 500
    if refused and status not in PASSING:
        if status == 413 or TOO_LONG.search(f"{error.provider_error_type} {quote}"):
            return _too_long(llm, error)
        fix = "correct what the provider names: settings, tools, output or messages"
        return _lasting(f"`{llm.name}` cannot be asked so ({status or 'rejected'}): {quote}", fix=fix)
    paid = status in UNCERTAIN or (not status and not _was_unreachable(error))
    if isinstance(error, theirs.ModelConnectionError):
        quote = _cut(f"{quote} ({_root(error)})")
    said = f" ({status})" if status else ""
    return _passing(f"`{llm.name}` did not answer{said}: {quote}", wait=error.retry_after or 0.0, paid=paid)


def mistake(llm: Llm, error: Exception) -> LlmFailure:
    """P702 for a model that cannot be asked as declared: what is missing, and what to set or install."""
    text = str(error).split("To try Pydantic AI", maxsplit=1)[0].strip()  # advice that is of no use here
    if command := re.search(r"pip install [^`]+", text):
        fix = command.group().strip()
    elif names := " or ".join(dict.fromkeys(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", text))):
        return _lasting(
            f"`{llm.name}` cannot be asked: {names} is not set", fix=f"set the environment variable {names}"
        )
    elif ":" not in llm.target:
        fix = f"say whose model it is: 'provider:{llm.target}', like 'openai:{llm.target}'"
    else:
        fix = f"correct the target of `{llm.name}`: 'provider:model', or the URL of an OpenAI-compatible server"
    return _lasting(f"`{llm.name}` cannot be asked: {_cut(text) or type(error).__name__}", fix=fix)


def _passing(what: str, wait: float = 0.0, *, paid: bool = False) -> LlmFailure:
    return LlmFailure("P701", what, wait=wait, paid=paid)


def _lasting(what: str, fix: str) -> LlmFailure:
    return LlmFailure("P702", what, lasting=True, fix=fix)


def _too_long(llm: Llm, error: theirs.ModelAPIError) -> LlmFailure:
    """P703, with the numbers that llama.cpp gives beside its message."""
    body = _inner(error.body)
    numbers = [f"{name}: {body[name]}" for name in ("n_prompt_tokens", "n_ctx") if name in body]
    said = "; ".join([_quote(error), *numbers])
    fix = "send less, ask a model with a larger context window, or declare overflow=Truncate() of the agent"
    return LlmFailure("P703", f"the request is too long for `{llm.name}`: {said}", lasting=True, fix=fix)


def _fix_of_key(llm: Llm) -> str:
    if "://" in llm.target:
        return "set the environment variable OPENAI_API_KEY to a key that this server takes"
    provider = llm.target.split(":", maxsplit=1)[0]
    usual = f"{provider.split('-', maxsplit=1)[0].upper()}_API_KEY"
    return f"set a valid key of `{provider}`, usually in the environment variable {usual}"


def _near(error: theirs.ModelAPIError) -> str:
    return getattr(error, "suggested_model_id", None) or ""


def _inner(body: object) -> dict[str, Any]:
    """The object that describes the error, wherever the provider put it."""
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, dict) else body


def _quote(error: Exception) -> str:
    """What the provider says, else what the error says, short enough to be shown."""
    said = _inner(getattr(error, "body", None)).get("message")
    return _cut(said if isinstance(said, str) and said else str(error) or type(error).__name__)


def _root(error: BaseException) -> str:
    """The first cause of an error, which says more than "Connection error."."""
    *_, first = _causes(error)
    return str(first) or type(first).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _was_unreachable(error: BaseException) -> bool:
    """Whether no connection was made at all, so that nothing was sent."""
    return any(type(cause).__name__ in UNREACHABLE for cause in _causes(error))


def _cut(text: str) -> str:
    text = whole(text)
    return text if len(text) <= QUOTE_MAX else f"{text[:QUOTE_MAX]}..."
