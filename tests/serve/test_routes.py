"""Paths lead to handlers: literal segments first, placeholders whole, nothing half-matched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from serve_fakes import TOKEN, run
from starlette.requests import Request
from starlette.responses import Response

from parti.errors import DeclarationError
from parti.serve.answers import json_answer
from parti.serve.app import HttpApp
from parti.serve.routes import routes as routes_of
from parti.serve.security import gate


def handler(name: str) -> Any:
    async def answer(request: Request) -> Response:
        return json_answer([name, request.path_params])

    return answer


class Said(dict[str, str]):
    """The headers of an answer, with its status and body."""

    status: int
    body: Any


def sent(app: HttpApp, method: str, path: str) -> Said:
    """The answer to a request for the path as it is written here, which HTTP clients would tidy up."""
    messages: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nothing is read to find a route")

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": []}
    run(app(scope, receive, send))
    start, body = messages
    said = Said((name.decode(), value.decode()) for name, value in start["headers"])
    said.status, said.body = start["status"], json.loads(body["body"])
    return said


def found(app: HttpApp, method: str, path: str) -> tuple[str, dict[str, str]]:
    said = sent(app, method, path)
    assert said.status == 200
    name, params = said.body
    return name, params


@pytest.fixture
def routes() -> HttpApp:
    table = [
        ("GET", "/"), ("GET", "/a/{x}/end"), ("GET", "/a/b/{y}"), ("POST", "/a/{x}"), ("GET", "/a/fixed"),
        ("GET", "/deep/{rest:path}"), ("GET", "/deep/near"), ("PUT", "/a/{other}"), ("GET", "/100%/{größe}"),
        ("GET", "/ü/{one}/{two:path}"),
    ]  # fmt: skip
    return HttpApp(gate(TOKEN, None), routes_of((method, path, handler(f"{method} {path}")) for method, path in table))


@pytest.mark.parametrize(
    ("method", "path", "name", "params"),
    [
        ("GET", "/", "GET /", {}),
        ("HEAD", "/", "GET /", {}),
        ("GET", "/a/b/end", "GET /a/b/{y}", {"y": "end"}),
        ("GET", "/a/c/end", "GET /a/{x}/end", {"x": "c"}),
        ("POST", "/a/fixed", "POST /a/{x}", {"x": "fixed"}),
        ("PUT", "/a/1", "PUT /a/{other}", {"other": "1"}),
        ("GET", "/deep/near", "GET /deep/near", {}),
        ("GET", "/deep/near/far", "GET /deep/{rest:path}", {"rest": "near/far"}),
        ("GET", "/a/%66ixed", "GET /a/fixed", {}),
        ("GET", "/deep/", "GET /deep/{rest:path}", {"rest": ""}),
        ("POST", "/a/on:b:3%3A17%2Fx%252F%25%0A", "POST /a/{x}", {"x": "on:b:3:17/x%2F%\n"}),
        ("GET", "/deep/a%2Fb/c%0A/", "GET /deep/{rest:path}", {"rest": "a/b/c\n/"}),
        ("GET", "/100%25/9", "GET /100%/{größe}", {"größe": "9"}),
        ("GET", "/%C3%BC/%C3%BC/x", "GET /ü/{one}/{two:path}", {"one": "ü", "two": "x"}),
    ],
)
def test_the_most_literal_route_that_answers_the_method_wins(
    routes: HttpApp, method: str, path: str, name: str, params: dict[str, str]
) -> None:
    assert found(routes, method, path) == (name, params)


@pytest.mark.parametrize(
    "path", ["/a", "/a/", "/a//end", "/a/b", "//", "/A/fixed", "/a/fixed/", "/a/c/end%0A", "/a%2Ffixed", "/deep"]
)
def test_a_path_that_nearly_fits_does_not(routes: HttpApp, path: str) -> None:
    said = sent(routes, "GET", path)
    assert (said.status, said.body["code"]) == (405 if path == "/a/b" else 404, "P507")


def test_a_path_that_is_not_utf8_cannot_be_read(routes: HttpApp) -> None:
    said = sent(routes, "POST", "/a/%ff")
    assert (said.status, said.body["code"]) == (400, "P504")


def test_a_wrong_method_is_told_the_methods_of_every_route_of_the_path(routes: HttpApp) -> None:
    said = sent(routes, "DELETE", "/a/fixed")
    assert (said.status, said["allow"]) == (405, "GET, HEAD, POST, PUT")


def test_of_two_equal_paths_the_last_answers() -> None:
    twice = routes_of([("GET", "/a/{x}", handler("first")), ("GET", "/a/{y}", handler("second"))])
    assert found(HttpApp(gate(TOKEN, None), twice), "GET", "/a/1") == ("second", {"y": "1"})


@pytest.mark.parametrize("path", ["/a/{x}.json", "/a/x{y}", "/{rest:path}/end"])
def test_a_placeholder_that_is_not_a_whole_segment_is_refused(path: str) -> None:
    with pytest.raises(DeclarationError, match="P105"):
        routes_of([("GET", path, handler("it"))])
