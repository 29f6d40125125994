"""Who gets in: the operator's token, and pages of other sites that are kept out of a server on loopback."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from serve_desk import PLACE, endpoint, file
from serve_fakes import OPERATOR, TOKEN, Ask, FakeOperations, run

from parti.design.graph import Design
from parti.errors import PartiError
from parti.serve import http_app
from parti.serve.security import host_of, is_loopback

ROUTES = [
    ("GET", "design"), ("GET", "runs"), ("GET", "runs/r:1"), ("GET", "runs/r:1/journal"), ("POST", "runs/r:1/retry"),
    ("POST", "runs/r:1/cancel"), ("GET", "topics"), ("POST", "topics/applications"), ("GET", "questions"),
    ("POST", "questions/q:1"), ("POST", "models/risk"), ("GET", "monitors"), ("GET", "no-such-route"),
    ("GET", "health/"),
]  # fmt: skip


def requested(app: Any, path: str, **more: Any) -> httpx.Response:
    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path, **more)

    answer: httpx.Response = run(go())
    return answer


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} x", "Bearer é"]
)
def test_no_route_of_the_operator_opens_without_the_token(ask: Ask, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = ask(method, f"/-/{path}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "P502")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/%2D/runs", "/-%2Fruns", "//-/runs", "/-/../-/runs"])
def test_no_spelling_of_a_path_goes_around_the_token(ask: Ask, path: str) -> None:
    assert ask("GET", path).status_code in (401, 404)


@pytest.mark.parametrize("path", ["/-/no-such-route", "/-/", "/-/runs/"])
def test_no_endpoint_answers_where_the_operator_asks(path: str) -> None:
    operations = FakeOperations(Design("all", (endpoint(file, "GET", "/{name:path}", durable=False),), place=PLACE))
    app = http_app(operations, token=TOKEN, design_json=dict)
    said = [requested(app, given, headers=OPERATOR) for given in (path, "/other")]
    assert [answer.status_code for answer in said] == [404, 200]
    assert said[0].json()["code"] == "P507"


def test_health_is_open_to_everybody(ask: Ask) -> None:
    answer = ask("GET", "/-/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "system": "lending-desk"})


def test_health_fails_with_the_reason(ask: Ask) -> None:
    answer = ask("GET", "/-/health", healthy="the disk is full")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "system": "lending-desk", "error": "the disk is full"}


def test_an_empty_token_is_refused(operations: FakeOperations) -> None:
    with pytest.raises(PartiError, match="P501"):
        http_app(operations, token="", design_json=dict)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:9", "LOCALHOST", "desk.lan:80"])
def test_a_server_on_loopback_goes_by_its_own_names(ask: Ask, host: str) -> None:
    assert ask("GET", "/-/health", hosts={"desk.lan"}, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::2]"])
def test_a_server_on_loopback_refuses_other_names(ask: Ask, host: str) -> None:
    answer = ask("GET", "/applications/a1", hosts={"desk.lan"}, headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "P502")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example:80"])
def test_a_page_of_another_site_cannot_call_a_server_on_loopback(
    ask: Ask, operations: FakeOperations, origin: str
) -> None:
    answer = ask("PUT", "/applications/a1/note?text=x", hosts=set(), headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "P502")
    assert operations.calls == []


def test_a_page_of_this_machine_may_call_a_server_on_loopback(ask: Ask) -> None:
    headers = {"Origin": "http://localhost:3000"}
    assert ask("PUT", "/applications/a1/note?text=x", hosts=set(), headers=headers).status_code == 200


def test_a_server_that_knows_no_names_believes_any(ask: Ask) -> None:
    assert ask("GET", "/-/health", hosts=None, headers={"Host": "anything.example"}).status_code == 200


def test_hosts_are_read_from_addresses_of_every_form() -> None:
    assert [host_of(text) for text in ("a.b:1", "A.B", "[::1]:80", "[::1]", "")] == ["a.b", "a.b", "::1", "::1", ""]
    assert [is_loopback(host) for host in ("127.8.9.1", "::1", "localhost", "10.0.0.1", "x", "")] == [True] * 3 + [
        False
    ] * 3
