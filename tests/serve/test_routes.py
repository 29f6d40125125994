"""Paths lead to handlers: literal segments first, placeholders whole, nothing half-matched."""

from __future__ import annotations

from typing import Any

import pytest

from parti.errors import DeclarationError
from parti.serve.asgi import Answer, Request
from parti.serve.refusals import Refusal
from parti.serve.routes import Routes


def handler(name: str) -> Any:
    async def answer(_: Request) -> Answer:
        return Answer(200, name.encode())

    answer.__name__ = name
    return answer


def found(routes: Routes, method: str, path: str) -> tuple[str, dict[str, str]]:
    async def receive() -> Any:
        raise AssertionError("nothing is read to find a route")

    request = Request({"method": method, "path": path, "raw_path": path.encode()}, receive)
    return routes.find(request).__name__, request.params  # type: ignore[attr-defined]


@pytest.fixture
def routes() -> Routes:
    made = Routes()
    for method, path in [
        ("GET", "/"), ("GET", "/a/{x}/end"), ("GET", "/a/b/{y}"), ("POST", "/a/{x}"), ("GET", "/a/fixed"),
        ("GET", "/deep/{rest:path}"), ("GET", "/deep/near"), ("PUT", "/a/{other}"),
    ]:  # fmt: skip
        made.add(method, path, handler(f"{method} {path}"))
    return made


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
    ],
)
def test_the_most_literal_route_that_answers_the_method_wins(
    routes: Routes, method: str, path: str, name: str, params: dict[str, str]
) -> None:
    assert found(routes, method, path) == (name, params)


@pytest.mark.parametrize("path", ["/a", "/a/", "/a//end", "/a/b", "//", "/A/fixed", "/a/fixed/"])
def test_a_path_that_nearly_fits_does_not(routes: Routes, path: str) -> None:
    with pytest.raises(Refusal) as refused:
        found(routes, "GET", path)
    assert refused.value.answer.status == (405 if path == "/a/b" else 404)


def test_a_path_that_is_not_utf8_cannot_be_read(routes: Routes) -> None:
    with pytest.raises(Refusal) as refused:
        found(routes, "POST", "/a/%ff")
    assert refused.value.answer.status == 400


@pytest.mark.parametrize("path", ["/a/{x}.json", "/a/x{y}", "/{rest:path}/end"])
def test_a_placeholder_that_is_not_a_whole_segment_is_refused(path: str) -> None:
    with pytest.raises(DeclarationError, match="P105"):
        Routes().add("GET", path, handler("it"))
