"""Server-sent events: what a run tells reaches who listens, in order, and its end comes last."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from parti import System, ask, tell
from parti.serve import events
from parti.testing import Script, running

SSE = {"accept": "text/event-stream"}


def a_desk() -> System:
    desk = System("desk")
    poet = desk.agent("poet", llm=desk.llm("local"))

    @desk.step()
    async def fail() -> None:
        raise ValueError("no")

    @desk.post("/count")
    async def count(to: int) -> int:
        for number in range(to):
            tell(f"{number}\n")
        if to == 7:
            await fail()
        return to

    @desk.post("/poem")
    async def poem() -> str:
        work = poet.stream("write")
        async for piece in work:
            tell(piece)
        return work.output

    @desk.post("/waits", timeout="1h")
    async def waits() -> str:
        tell("asking")
        return "yes" if await ask("teller", "Well?") else "no"

    return desk


def read(text: str) -> list[tuple[str, Any]]:
    """The events of a response: kind and data."""
    found = []
    for block in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def posted(path: str, headers: dict[str, str] = SSE, script: Script | None = None) -> httpx.Response:
    async def main() -> httpx.Response:
        async with (
            running(a_desk(), http=True, script=script or Script([])) as live,
            httpx.AsyncClient(base_url=live.url, timeout=20) as client,
        ):
            return await client.post(path, headers=headers)

    return asyncio.run(main())


def test_what_is_told_comes_in_order_and_the_result_last() -> None:
    response = posted("/count?to=3")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert read(response.text) == [("told", "0\n"), ("told", "1\n"), ("told", "2\n"), ("result", 3)]
    assert "\nid: count:" in f"\n{response.text}"


def test_a_run_that_tells_nothing_has_a_result_all_the_same() -> None:
    assert read(posted("/count?to=0").text) == [("result", 0)]


def test_who_does_not_ask_for_events_gets_the_answer_alone() -> None:
    response = posted("/count?to=3", {})
    assert (response.headers["content-type"], response.json()) == ("application/json", 3)


def test_what_a_model_says_is_streamed() -> None:
    response = posted("/poem", script=Script(["roses are red"]))
    *told, last = read(response.text)
    assert "".join(text for kind, text in told if kind == "told") == "roses are red"
    assert last == ("result", "roses are red")


def test_a_failure_after_something_was_told_is_the_last_event() -> None:
    kind, problem = read(posted("/count?to=7").text)[-1]
    assert (kind, problem["code"]) == ("error", "P302")


def test_a_request_that_does_not_fit_is_refused_as_any_other() -> None:
    response = posted("/count?to=many")
    assert (response.status_code, response.json()["code"]) == (422, "P402")


def test_a_listener_that_goes_away_ends_nothing() -> None:
    async def main() -> None:
        async with running(a_desk(), http=True, script=Script([])) as live:
            headers = SSE | {"idempotency-key": "k"}
            async with httpx.AsyncClient(base_url=live.url, timeout=20) as client:
                async with client.stream("POST", "/waits", headers=headers) as response:
                    lines = response.aiter_lines()
                    assert [await anext(lines), await anext(lines)] == ["event: told", 'data: "asking"']
                again = asyncio.ensure_future(client.post("/waits", headers={"idempotency-key": "k"}))
                while not await live.answer_all(b"true"):
                    await live.engine.clock.wait(0.01)
                assert (await again).json() == "yes"

    asyncio.run(main())


def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "QUIET_MAX", 0.05)

    async def main() -> str:
        async with (
            running(a_desk(), http=True, script=Script([])) as live,
            httpx.AsyncClient(base_url=live.url, timeout=20) as client,
            client.stream("POST", "/waits", headers=SSE) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith(": "):
                    return line
        return ""

    assert asyncio.run(main()) == ": still at work"


def test_a_reader_who_falls_too_far_behind_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PIECES_MAX", 3)
    found = read(posted("/count?to=500").text)
    assert len(found) < 500
    assert found[-1][0] == "told", "there is no result: it can be asked for with the key"
