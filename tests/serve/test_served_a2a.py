"""Agents of the Agent2Agent protocol, called by the official client over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from a2a.client import ClientConfig, ClientFactory
from a2a.helpers import new_text_message
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    InvalidParamsError,
    ListTasksRequest,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskState,
    UnsupportedOperationError,
)
from served_desk import asked, in_desk

from parti.ports.llm import LlmFailure
from parti.testing import Script, calls
from parti.testing.live import Live

POST = calls(("post", {"to": "ann"}), text="I post it")


@asynccontextmanager
async def client_of(live: Live, agent: str = "poet", *, streaming: bool = False) -> AsyncIterator[Any]:
    async with httpx.AsyncClient(timeout=20) as http:
        factory = ClientFactory(ClientConfig(streaming=streaming, httpx_client=http))
        client = await factory.create_from_url(f"{live.url}/a2a/{agent}")
        async with client:
            yield client


def message(text: str, *, id: str = "", **fields: Any) -> SendMessageRequest:
    said = new_text_message(text, role=Role.ROLE_USER, **fields)
    said.message_id = id or said.message_id
    return SendMessageRequest(message=said)


async def sent(client: Any, request: SendMessageRequest) -> list[Any]:
    return [event async for event in client.send_message(request)]


async def told(client: Any, request: SendMessageRequest) -> Any:
    (only,) = await sent(client, request)
    return only.task


def test_a_message_is_a_run_and_its_task_holds_the_output() -> None:
    async def test(live: Live) -> None:
        async with client_of(live) as client:
            task = await told(client, message("a poem", id="m1", context_id="c1"))
            again = await client.get_task(GetTaskRequest(id=task.id))
        assert task == again
        assert (task.id, task.context_id) == ("poet.served:m1", "c1")
        assert task.status.state == TaskState.TASK_STATE_COMPLETED
        assert task.artifacts[0].parts[0].text == "roses are red"
        assert task.history[0].parts[0].text == "a poem"
        run = await live.store.run(task.id)
        assert run is not None and run.state.value == "done"

    in_desk(test, ["roses are red"])


def test_a_stream_tells_the_output_in_pieces() -> None:
    async def test(live: Live) -> None:
        async with client_of(live, streaming=True) as client:
            first, *chunks, last = await sent(client, message("a poem", id="m1"))
        assert (first.task.id, first.task.status.state) == ("poet.served:m1", TaskState.TASK_STATE_WORKING)
        assert [one.artifact_update.artifact.parts[0].text for one in chunks] == ["roses", " are", " red"]
        assert [one.artifact_update.append for one in chunks] == [False, True, True]
        assert last.status_update.status.state == TaskState.TASK_STATE_COMPLETED

    in_desk(test, ["roses are red"])


@pytest.mark.parametrize("streaming", [False, True])
def test_an_output_that_is_no_text_is_data(streaming: bool) -> None:
    letter = {"to": "ann", "text": "hello"}

    async def test(live: Live) -> None:
        async with client_of(live, "writer", streaming=streaming) as client:
            events = await sent(client, message("a letter"))
        artifact = events[1].artifact_update.artifact if streaming else events[0].task.artifacts[0]
        assert dict(artifact.parts[0].data.struct_value) == letter

    in_desk(test, [letter])


def test_a_message_sent_twice_is_one_run() -> None:
    script = Script(["first", "second"])

    async def test(live: Live) -> None:
        async with client_of(live) as client:
            first = await told(client, message("a", id="m"))
            assert await told(client, message("a", id="m")) == first
            with pytest.raises(InvalidParamsError, match="P310"):
                await told(client, message("b", id="m"))
        assert len(script.asked) == 1

    in_desk(test, script)


def test_a_failed_run_is_a_failed_task_without_its_inside() -> None:
    async def test(live: Live) -> None:
        async with client_of(live) as client:
            task = await told(client, message("a"))
        async with client_of(live, streaming=True) as client:
            *_, last = await sent(client, message("a"))
        for status in (task.status, last.status_update.status):
            assert status.state == TaskState.TASK_STATE_FAILED
            assert status.message.parts[0].text == "a language model did not answer (P701)"

    in_desk(test, [LlmFailure("P701", "secret", lasting=True)])


def test_a_task_can_be_left_watched_and_found() -> None:
    async def test(live: Live) -> None:
        async with client_of(live, "poster", streaming=True) as client:
            request = message("a", id="m", context_id="c")
            request.configuration.CopyFrom(SendMessageConfiguration(return_immediately=True))
            async with client_of(live, "poster") as patient:
                left = await told(patient, request)
            assert left.status.state == TaskState.TASK_STATE_WORKING
            await asked(live)
            stream = client.subscribe(SubscribeToTaskRequest(id=left.id))
            assert (await anext(stream)).task.id == left.id
            await live.answer_all(b"true")
            *_, last = [event async for event in stream]
            assert last.status_update.status.state == TaskState.TASK_STATE_COMPLETED
            tasks = (await client.list_tasks(ListTasksRequest(context_id="c", include_artifacts=True))).tasks
            assert [task.artifacts[0].parts[0].text for task in tasks] == ["done"]
            assert not (await client.list_tasks(ListTasksRequest(context_id="other"))).tasks
            with pytest.raises(UnsupportedOperationError):
                await anext(client.subscribe(SubscribeToTaskRequest(id=left.id)))

    in_desk(test, [POST, "done"])


def test_a_task_that_is_cancelled_is_a_cancelled_run() -> None:
    async def test(live: Live) -> None:
        async with client_of(live, "poster") as client:
            waiting = asyncio.ensure_future(told(client, message("a", id="m")))
            await asked(live)
            cancelled = await client.cancel_task(CancelTaskRequest(id="poster.served:m"))
            assert cancelled.status.state == TaskState.TASK_STATE_CANCELED
            assert (await waiting).status.state == TaskState.TASK_STATE_CANCELED
            with pytest.raises(TaskNotCancelableError):
                await client.cancel_task(CancelTaskRequest(id="poster.served:m"))
            run = await live.store.run("poster.served:m")
            assert run is not None and run.state.value == "cancelled"

    in_desk(test, [POST])


def test_what_is_no_task_of_this_agent_is_not_found() -> None:
    async def test(live: Live) -> None:
        async with client_of(live) as client:
            done = await told(client, message("a"))
        async with client_of(live, "writer") as client:
            for id in (done.id, "writer.served:none", "writer.served:acme@k", "nonsense"):
                with pytest.raises(TaskNotFoundError):
                    await client.get_task(GetTaskRequest(id=id))
                with pytest.raises(TaskNotFoundError):
                    await client.cancel_task(CancelTaskRequest(id=id))
                with pytest.raises(TaskNotFoundError):
                    await told(client, message("more", task_id=id))

    in_desk(test, ["x"])


def test_a_message_without_text_and_a_second_one_to_a_task_are_refused() -> None:
    async def test(live: Live) -> None:
        async with client_of(live) as client:
            with pytest.raises(InvalidParamsError):
                await told(client, message(""))
            with pytest.raises(InvalidParamsError):
                await told(client, message("a", id="ü"))
            done = await told(client, message("a"))
            with pytest.raises(UnsupportedOperationError):
                await told(client, message("more", task_id=done.id))

    in_desk(test, ["x"])


def test_too_many_calls_are_refused_by_the_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parti.declare.exposing.CONCURRENCY", 1)

    async def test(live: Live) -> None:
        async with client_of(live, "poster") as client, client_of(live, "poster", streaming=True) as streaming:
            first = asyncio.ensure_future(told(client, message("a")))
            await asked(live)
            for other in (client, streaming):
                with pytest.raises(Exception, match="P503"):
                    await sent(other, message("b"))
            await live.answer_all(b"true")
            assert (await first).status.state == TaskState.TASK_STATE_COMPLETED

    in_desk(test, [POST, "done"])


def test_cards_tell_of_each_agent_and_of_the_first() -> None:
    async def test(live: Live) -> None:
        async with httpx.AsyncClient(base_url=live.url) as client:
            first = (await client.get("/.well-known/agent-card.json")).json()
            writer = (await client.get("/a2a/writer/.well-known/agent-card.json")).json()
            none = await client.get("/a2a/hidden/.well-known/agent-card.json")
            evil = await client.post("/a2a/poet", json={}, headers={"Origin": "https://evil.example"})
        assert (first["name"], first["description"], first["capabilities"]["streaming"]) == (
            "poet",
            "Write poems.",
            True,
        )
        assert first["supportedInterfaces"][0]["url"] == f"{live.url}/a2a/poet"
        assert writer["defaultOutputModes"] == ["application/json"]
        assert (none.status_code, none.json()["code"], evil.status_code) == (404, "P308", 403)

    in_desk(test)


def test_clients_of_the_version_before_are_answered() -> None:
    async def test(live: Live) -> None:
        said = {"kind": "message", "messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "a poem"}]}
        request = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": said}}
        async with httpx.AsyncClient(base_url=live.url) as client:
            result = (await client.post("/a2a/poet", json=request)).json()["result"]
            asked = {"jsonrpc": "2.0", "id": 2, "method": "tasks/get", "params": {"id": result["id"]}}
            again = (await client.post("/a2a/poet", json=asked)).json()["result"]
            wrong = (await client.post("/a2a/poet", content=b"{")).json()
        assert (result["status"]["state"], result["artifacts"][0]["parts"][0]["text"]) == ("completed", "red")
        assert again["artifacts"] == result["artifacts"]
        assert wrong["error"]["code"] == -32700

    in_desk(test, ["red"])


def test_the_tasks_of_other_tenants_do_not_hide_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parti.serve.outwards.a2a_agent.PAGE_MAX", 1)

    async def test(live: Live) -> None:
        async with client_of(live) as client:
            own = await told(client, message("a poem"))
            await live.call("poet.served", ["a poem", ""], idempotency_key="k", tenant="acme")
            listed = await client.list_tasks(ListTasksRequest())
            assert [task.id for task in listed.tasks] == [own.id]

    in_desk(test, ["roses are red", "violets are blue"])
