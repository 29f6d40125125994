"""Agents call HTTP services by their OpenAPI documents: arguments go where they belong, and answers are what they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from engine_kit import result_of, run, wait_for_state
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from parti import Outcome, PartiError, System
from parti.ports.llm import Returned
from parti.ports.store import State
from parti.testing import Script, calls, running

NAMED = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
LEVEL = {"name": "level", "in": "query", "schema": {"type": "string", "enum": ["low", "high"]}}
TAGS = {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
NOTE = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "due": {"type": "string", "nullable": True}},
    "required": ["text"],
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Customers"},
    "servers": [{"url": "http://127.0.0.1:9"}],
    "paths": {
        "/customers/{id}": {
            "parameters": [NAMED],
            "get": {"operationId": "get", "summary": "One customer.", "parameters": [LEVEL, TAGS]},
            "put": {"operationId": "put", "requestBody": {"$ref": "#/components/requestBodies/note"}},
        },
        "/notes": {
            "post": {
                "operationId": "note",
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}},
            }
        },
        "/upload": {"post": {"operationId": "upload", "requestBody": {"content": {"multipart/form-data": {}}}}},
    },
    "components": {
        "schemas": {"Note": NOTE},
        "requestBodies": {"note": {"required": True, "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}}}}}},
    },
}  # fmt: skip


@asynccontextmanager
async def service(seen: list[dict[str, Any]], answers: list[Response]) -> AsyncIterator[str]:
    """A service that keeps what it is asked, and answers what it is told."""

    async def answer(request: Request) -> Response:
        seen.append(
            {
                "asked": f"{request.method} {request.scope['path']}",
                "query": request.query_params.multi_items(),
                "auth": request.headers.get("authorization"),
                "key": request.headers.get("idempotency-key"),
                "body": json.loads(await request.body() or "null"),
            }
        )
        return answers.pop(0) if answers else JSONResponse({"n": len(seen)})

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task


def a_desk(url: str, **options: Any) -> System:
    desk = System("desk")
    crm = desk.openapi("crm", **{"document": DOCUMENT, "base_url": url, "timeout": "5s", **options})
    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[crm])

    @desk.post("/work", timeout="1h")
    async def work(task: str) -> Outcome[str]:
        return await clerk.attempt(task)

    return desk


def play(script: Script, *answers: Response, park: bytes = b"", **options: Any) -> list[dict[str, Any]]:
    """What the service saw while the agent did as the script says."""
    seen: list[dict[str, Any]] = []

    async def main() -> None:
        async with service(seen, list(answers)) as url, running(a_desk(url, **options), script=script) as live:
            work = asyncio.ensure_future(result_of(live, "work", "do it"))
            if park:
                await wait_for_state(live, State.PARKED)
                await live.answer_all(park)
            assert (await work)["output"] == "done"

    run(main())
    return seen


def told(script: Script) -> list[tuple[str, bool]]:
    found = [message for message in script.asked[-1].messages if isinstance(message, Returned)]
    return [(one.text, one.failed) for one in found]


def test_arguments_go_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "s3cret")
    script = Script(
        [
            calls(("crm_get", {"id": "a/b ?", "level": "high", "tags": ["x", "y"]})),
            calls(("crm_note", {"text": "call", "due": None})),
            calls(("crm_put", {"id": "a", "body": [{"text": "x"}]})),
            "done",
        ]
    )
    got, note, put = play(script, headers={"Authorization": "Bearer ${CRM_TOKEN}"})
    assert got["asked"] == "GET /customers/a/b ?" and got["auth"] == "Bearer s3cret" and got["key"] is None
    assert got["query"] == [("level", "high"), ("tags", "x"), ("tags", "y")]
    assert (note["asked"], note["body"]) == ("POST /notes", {"text": "call", "due": None})
    assert (put["asked"], put["body"]) == ("PUT /customers/a", [{"text": "x"}])
    assert len(note["key"]) == len(put["key"]) == 32 and note["key"] != put["key"]
    assert told(script) == [('{"n":1}', False), ('{"n":2}', False), ('{"n":3}', False)]
    names = [tool.name for tool in script.asked[0].tools]
    assert names == ["crm_get", "crm_put", "crm_note"], "an upload is no JSON, and is left out"
    assert script.asked[0].tools[0].about == "One customer."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"id": "a", "level": "middling"}, "is not one of ['low', 'high']"),
        ({"level": "low"}, "'id' is a required property"),
        ({"id": ".."}, "id may not be '..'"),
        ({"id": ""}, "id may not be ''"),
        ({"id": "a", "admin": True}, "Additional properties are not allowed"),
    ],
)
def test_arguments_that_do_not_fit_are_told_and_never_sent(given: dict[str, Any], said: str) -> None:
    script = Script([calls(("crm_get", given)), "done"])
    assert play(script) == []
    ((text, failed),) = told(script)
    assert said in text and failed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (JSONResponse({"detail": "no such"}, status_code=404), 'error: 404 Not Found: {"detail":"no such"}'),
        (RedirectResponse("http://elsewhere/"), "error: 307"),
        (PlainTextResponse("x" * 2_000_000), "error: P707 the result has more than 1,048,576 bytes"),
    ],
)
def test_what_the_service_refuses_is_told(answer: Response, said: str) -> None:
    script = Script([calls(("crm_get", {"id": "a"})), "done"])
    assert len(play(script, answer)) == 1
    assert told(script)[0][0].startswith(said) and told(script)[0][1]


def test_a_picture_is_left_out() -> None:
    script = Script([calls(("crm_get", {"id": "a"})), "done"])
    play(script, Response(b"\x89PNG", media_type="image/png"))
    assert told(script) == [("[image/png left out]", False)]


@pytest.mark.parametrize(
    ("wanted", "times"), [(("crm_get", {"id": "a"}), 2), (("crm_put", {"id": "a", "body": []}), 2)]
)
def test_a_service_that_fails_is_asked_once_more_where_that_does_no_harm(wanted: Any, times: int) -> None:
    script = Script([calls(wanted), "done"])
    seen = play(script, JSONResponse({}, status_code=500))
    assert len(seen) == times
    assert len({one["key"] for one in seen}) == 1
    assert not told(script)[0][1]


def test_a_post_that_fails_is_put_to_the_operator_and_never_repeated() -> None:
    script = Script([calls(("crm_note", {"text": "call"})), "done"])
    park = b'{"happened": true, "result": {"text": "noted"}}'
    assert len(play(script, JSONResponse({}, status_code=500), park=park)) == 1
    assert told(script) == [("noted", False)]


def test_a_post_is_made_again_where_it_is_declared_idempotent() -> None:
    script = Script([calls(("crm_note", {"text": "call"})), "done"])
    first, second = play(script, JSONResponse({}, status_code=503), effects={"note": "idempotent"})
    assert first["key"] == second["key"]


def test_a_service_that_is_not_there_did_nothing() -> None:
    script = Script([calls(("crm_note", {"text": "call"})), "done"])
    play(script, base_url="http://127.0.0.1:9")
    assert told(script)[0][0].startswith("error: `crm` cannot be reached: ConnectError")


def test_documents_are_read_from_json_and_yaml(tmp_path: Path) -> None:
    (tmp_path / "crm.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "crm.yaml").write_text(json.dumps(DOCUMENT))  # JSON is YAML
    designs = [
        a_desk("", document=tmp_path / f"crm.{kind}", only=["get"]).design.by_name["crm"] for kind in ("json", "yaml")
    ]
    assert designs[0].document == designs[1].document  # type: ignore[union-attr]
    assert designs[0].url == "http://127.0.0.1:9"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"document": {"swagger": "2.0"}}, "P105 the document of `crm`: it is not an OpenAPI 3 document"),
        ({"document": "missing.json"}, "P105 missing.json cannot be read"),
        ({"document": {**DOCUMENT, "servers": []}}, "P105 the document does not say where `crm` is"),
        ({"only": ["upload"]}, "P708 `crm.upload` cannot be offered to a language model: its body is multipart"),
        ({"only": ["nothing"]}, "P106 no operation of `crm` is wanted"),
        ({"effects": {"get": "harmless"}}, "P105 'harmless' is no effect of 'get'"),
        ({"headers": {}, "timeout": "soon"}, "P105"),
    ],
)
def test_what_cannot_be_declared_says_where_and_why(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PartiError, match=r"test_openapi_tools.py:\d+") as wrong:
        a_desk("", **options)
    assert said in str(wrong.value)
