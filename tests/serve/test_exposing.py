"""What `expose=` declares, and who may call what is exposed."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from served_desk import a_desk

from parti import PartiError, System
from parti.design.endpoint import Endpoint
from parti.drawings import design_json
from parti.serve.openapi import openapi_document
from parti.testing import Script, running
from parti.testing.live import Live
from parti.wiring import serving

TOKEN = {"Authorization": "Bearer long-token"}


def test_an_exposed_agent_has_an_endpoint_that_calls_it() -> None:
    design = a_desk().design
    served = design.get(Endpoint, "poet.served")
    assert (served.agent, served.durable, served.expose) == ("poet", True, ("mcp", "a2a", "openai"))
    assert [arrow.target for arrow in design.arrows_from("poet.served")] == ["poet"]
    assert "hidden.served" not in design.by_name
    assert b"served" not in openapi_document(design), "it answers no path"
    drawn = {part["name"]: part["options"] for part in design_json(design)["parts"]}
    assert drawn["poet"]["expose"] == ["mcp", "a2a", "openai"]
    assert drawn["place"]["expose"] == ["mcp"]


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda desk, llm: desk.agent("a", llm=llm, expose=("rest",)), "cannot be exposed as rest"),
        (lambda desk, llm: desk.agent("a", llm=llm, expose="mcp"), r'write expose=\("mcp",\)'),
        (lambda desk, llm: desk.post("/a", expose=("openai",)), "POST /a cannot be exposed as openai"),
    ],
)
def test_what_cannot_be_exposed_is_said_with_its_place(declare: Callable[[Any, Any], Any], said: str) -> None:
    desk = System("desk")
    with pytest.raises(PartiError, match=said) as caught:
        declare(desk, desk.llm("local"))
    assert caught.value.code == "P105"
    assert "test_exposing.py" in str(caught.value.place)


@pytest.mark.parametrize(("package", "extra"), [("mcp", "mcp"), ("a2a.types", "a2a")])
def test_a_missing_package_is_said_before_anything_is_served(
    package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    async def main() -> None:
        with pytest.raises(PartiError, match=rf"pip install 'parti\[{extra}\]'"):
            async with running(a_desk(), http=True, script=Script([])):
                pass

    asyncio.run(main())


def on_all_addresses(test: Callable[[Live, str], Any]) -> None:
    """Run a test against a desk that other machines could reach."""

    async def main() -> None:
        async with (
            running(a_desk(), script=Script(["one", "two"])) as live,
            serving(live.engine, host="0.0.0.0", token="long-token") as (url, _),
        ):
            await test(live, url.replace("0.0.0.0", "127.0.0.1"))

    asyncio.run(asyncio.wait_for(main(), 30))


def test_other_machines_need_the_token() -> None:
    async def test(_: Live, url: str) -> None:
        async with httpx.AsyncClient(base_url=url) as client:
            models = await client.get("/v1/models")
            assert (models.status_code, models.json()["error"]["code"]) == (401, "invalid_api_key")
            assert (await client.post("/mcp", json={})).status_code == 401
            assert (await client.post("/a2a/poet", json={})).status_code == 401
            card = (await client.get("/.well-known/agent-card.json")).json()
            assert card["securityRequirements"], "the card is for all, and says what is needed"
            assert (await client.get("/v1/models", headers=TOKEN)).status_code == 200

    on_all_addresses(test)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_token_lets_a_caller_act_for_a_tenant(mode: Any) -> None:
    async def test(live: Live, url: str) -> None:
        headers = TOKEN | {"Parti-Tenant": "acme"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            asked = {"model": "poet", "messages": [{"role": "user", "content": "x"}]}
            said = await client.post("/v1/chat/completions", json=asked, headers={"Idempotency-Key": "k"})
        assert said.json()["id"] == "poet.served:acme@k"
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as tools,
        ):
            result = await tools.call_tool("poet", {"task": "y"})
        run = await live.store.run(result.meta["parti/run"])  # type: ignore[index]
        assert run is not None and run.tenant == "acme"

    on_all_addresses(test)


def test_a_plain_endpoint_that_fails_tells_nothing_of_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    desk = System("desk")

    @desk.get("/broken", expose=("mcp",))
    async def broken() -> int:
        """Fails."""
        raise ZeroDivisionError("secret")

    async def main() -> None:
        async with running(desk, http=True) as live, Client(f"{live.url}/mcp") as tools:
            result = await tools.call_tool("broken", {})
        said = result.content[0].text  # type: ignore[union-attr]
        assert (result.is_error, said.partition(";")[0]) == (True, "the handler raised (P307")
        assert "secret" not in said

    with caplog.at_level(logging.ERROR, "parti"):
        asyncio.run(main())
    assert "secret" in caplog.text
