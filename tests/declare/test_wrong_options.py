"""An option of another type than it takes is one coded error with its place and the next action, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from parti import PartiError, System

Declare = Callable[[System], Any]


def document(path: Any = "/a", **operation: Any) -> dict[str, Any]:
    """An OpenAPI document with one operation."""
    return {"openapi": "3.0.3", "paths": {path: {"post": {"operationId": "a", **operation}}}}


def refused(declare: Declare) -> PartiError:
    with pytest.raises(PartiError, match=r"test_wrong_options.py:\d+") as wrong:
        declare(System("desk"))
    assert wrong.value.fix, "an error without a next action"
    return wrong.value


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": 5}, {"model": 5}, {"settings": 5}, {"max_tokens": None}, {"attempts": "3"}, {"attempts": True},
        {"price": 5}, {"context": -1}, {"context": "8k"}, {"per_minute": "5"}, {"concurrency": "5"}, {"region": 5},
        {"fallbacks": 5}, {"fallbacks": "other"},
    ],
)  # fmt: skip
def test_of_a_language_model(wrong: dict[str, Any]) -> None:
    error = refused(lambda desk: desk.llm(**{"target": "local", **wrong}))
    (name,) = wrong
    assert (error.code, error.what.startswith(f"{name}=")) == ("P105", True), error


@pytest.mark.parametrize(
    "wrong",
    [
        {"turns": "5"}, {"repairs": None}, {"sessions": 1.5}, {"budget": 5}, {"instructions": 5}, {"tools": "look"},
        {"expose": 5},
    ],
)  # fmt: skip
def test_of_an_agent(wrong: dict[str, Any]) -> None:
    error = refused(lambda desk: desk.agent("clerk", llm=desk.llm("local"), **wrong))
    (name,) = wrong
    assert (error.code, error.what.startswith(f"{name}=")) == ("P105", True), error


def test_of_an_agent_that_is_given_one_tool_instead_of_a_list() -> None:
    error = refused(lambda desk: desk.agent("clerk", llm=desk.llm("local"), tools=desk.mcp("far", url="http://far")))
    assert (error.code, error.fix) == ("P105", "write tools=[look, post]")


@pytest.mark.parametrize("wrong", [{"facts": "5"}, {"characters": None}, {"facts": 1.5}])
def test_of_a_memory(wrong: dict[str, Any]) -> None:
    assert refused(lambda desk: desk.memory("notes", **wrong)).code == "P105"


SERVED: list[dict[str, Any]] = [
    {"effects": ["a"]}, {"approval": 5}, {"cost": 5}, {"headers": 5}, {"headers": {"A": 5}}, {"headers": {5: "a"}},
    {"concurrency": "8"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", [*SERVED, {"url": "ftp://far"}, {"url": 5}, {"pin": 5}])
def test_of_an_mcp_server(wrong: dict[str, Any]) -> None:
    error = refused(lambda desk: desk.mcp("far", **{"url": "http://far", **wrong}))
    assert (error.code, next(iter(wrong)) in error.what) == ("P105", True), error


@pytest.mark.parametrize("wrong", [{"command": [5]}, {"command": 5}, {"command": ["srv"], "env": {"A": 5}}])
def test_of_an_mcp_server_that_is_started(wrong: dict[str, Any]) -> None:
    assert refused(lambda desk: desk.mcp("far", **wrong)).code == "P105"


@pytest.mark.parametrize("wrong", [*SERVED, {"base_url": 5}, {"document": 5}, {"document": document(path=5)}])
def test_of_an_http_service(wrong: dict[str, Any]) -> None:
    given = {"document": document(), "base_url": "http://far", **wrong}
    assert refused(lambda desk: desk.openapi("far", **given)).code == "P105"


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"requestBody": {"content": ["application/json"]}}, "the content of its body is no object"),
        ({"requestBody": {"content": {"application/json": None}}}, "None stands where an object should"),
        ({"requestBody": {"content": {5: {}}}}, "its body is 5, not application/json"),
        ({"parameters": 5}, "its parameters are no list"),
        ({"parameters": {"in": "query"}}, "its parameters are no list"),
    ],
)
def test_an_operation_that_is_described_wrongly_cannot_be_offered(operation: dict[str, Any], why: str) -> None:
    given = {"document": document(**operation), "base_url": "http://far"}
    error = refused(lambda desk: desk.openapi("far", only=["a"], **given))
    assert (error.code, why in error.what) == ("P708", True), error
    assert refused(lambda desk: desk.openapi("far", **given)).code == "P106", "nothing else is there"


@pytest.mark.parametrize("info", [None, [], [1], "CRM", {"title": 5}])
def test_a_document_may_say_anything_of_itself(info: Any) -> None:
    desk = System("desk")
    assert desk.openapi("far", document={**document(), "info": info}, base_url="http://far").name == "far"


@pytest.mark.parametrize("limit", [None, 0.5, 60])
def test_what_is_right_is_taken(limit: float | None) -> None:
    desk = System("desk")
    llm = desk.llm("local", per_minute=limit, settings={"seed": 7}, context=1)
    far = desk.mcp("far", url="https://far/mcp", approval="boss", effects={"look": "read"}, headers={"A": "${B}"})
    assert desk.agent("clerk", llm=llm, tools=(far,), expose={"mcp"}, instructions=refused).part.tools == ("far",)
