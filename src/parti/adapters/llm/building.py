"""From the target of an Llm to the model of Pydantic AI that answers for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic_ai.models import Model, infer_model

from parti.adapters.llm.failures import mistake
from parti.design.llm import Llm
from parti.ports.llm import LlmFailure

SCHEMES: Final = ("http://", "https://")

KEY: Final = "OPENAI_API_KEY"
"""Where the key for a server given by its URL is read; servers that ask for none get a placeholder."""


def build_model(llm: Llm, build: Callable[[Llm], Model[Any]] | None = None) -> Model[Any]:
    """The model of `llm`, without retries of its own, since Parti retries. Raises LlmFailure (P702)."""
    try:
        model = (build or model_of)(llm)
        _stop_retries(model)
    except LlmFailure:
        raise
    except Exception as error:  # the libraries of providers raise what they like about keys and names
        raise mistake(llm, error) from error
    return model


def model_of(llm: Llm) -> Model[Any]:
    """The model that the target names: `provider:model`, `provider` with `Llm.model`, or the URL of a server."""
    if llm.target.startswith(SCHEMES):
        return _by_url(llm)
    name = llm.target if ":" in llm.target or not llm.model else f"{llm.target}:{llm.model}"
    return infer_model(name)


def _by_url(llm: Llm) -> Model[Any]:
    """A model behind an OpenAI-compatible server; the version is part of its URL (``http://localhost:8080/v1``)."""
    from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415 half a second that other providers spare
    from pydantic_ai.profiles.openai import OpenAIModelProfile  # noqa: PLC0415
    from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider  # noqa: PLC0415

    if not llm.model:
        raise LlmFailure(
            "P702", f"`{llm.name}` does not say which model of {llm.target} it is", lasting=True, fix='add model="..."'
        )
    key = os.environ.get(KEY)
    if f".{urlsplit(llm.target).hostname}".endswith(".openai.com"):
        return OpenAIChatModel(llm.model, provider=OpenAIProvider(base_url=llm.target, api_key=key))
    # Not OpenAI's own provider: that would send other servers what only OpenAI can read, and price them like OpenAI.
    # `max_tokens` is the field that every server knows. A stream without a finish reason was cut off.
    profile = OpenAIModelProfile(
        openai_chat_supports_max_completion_tokens=False, openai_chat_streaming_requires_finish_reason=True
    )
    provider = OpenAICompatibleProvider("openai-compatible", base_url=llm.target, api_key=key)
    return OpenAIChatModel(llm.model, provider=provider, profile=profile)


def _stop_retries(model: Model[Any]) -> None:
    """Set the SDK client's own retries to none, where it has such a number (OpenAI, Anthropic, Groq).

    The setting `max_retries` would do the same, by copying the client for each request.
    """
    client = getattr(model.provider, "client", None)
    if isinstance(getattr(client, "max_retries", None), int):
        setattr(client, "max_retries", 0)  # noqa: B010 the type of the client is not known here


def retries_by_setting(model: Model[Any]) -> bool:
    """Whether the retries of `model` can only be turned off by a setting of each request."""
    client = getattr(model.provider, "client", None)
    return client is not None and not hasattr(client, "max_retries") and "max_retries" not in model.unsupported_settings
