"""Agents use the tools of real MCP servers, good and poisoned: what goes wrong is told, and no write is repeated in silence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from engine_kit import entries_of, result_of, run, the_run, wait_for_state, wait_until
from mcp_world import Outside, server_of

from parti import Outcome, PartiError, System
from parti.journal.entries import Kind
from parti.ports.llm import Returned
from parti.ports.store import State
from parti.testing import Script, calls, running
from parti.testing.live import Live

WORLD = Path(__file__).with_name("mcp_world.py")


def a_desk(folder: Path, how: str = "good", url: str = "", **options: Any) -> System:
    """An agent with the tools of one server."""
    desk = System("desk")
    given = {"url": url} if url else {"command": [sys.executable, str(WORLD), how, str(folder)]}
    files = desk.mcp("files", **{"timeout": "20s", **given, **options})
    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[files], turns=30)

    @desk.post("/work", timeout="1h")
    async def work(task: str) -> Outcome[str]:
        return await clerk.attempt(task)

    return desk


def lines(folder: Path, what: str) -> list[str]:
    return (folder / what).read_text().splitlines() if (folder / what).exists() else []


def told(script: Script) -> list[tuple[str, bool]]:
    """What was told of all calls, and whether as a failure."""
    found = [message for message in script.asked[-1].messages if isinstance(message, Returned)]
    return [(one.text, one.failed) for one in found]


def play(
    desk: System, script: Script, main: Callable[[Live], Coroutine[Any, Any, Any]] | None = None, **at: Any
) -> Any:
    """Run the desk, and give it one task (or play `main`)."""

    async def whole() -> Any:
        async with running(desk, script=script, **at) as live:
            return await (main(live) if main else result_of(live, "work", "do it", idempotency_key="k"))

    return run(whole())


def ask(*ids: str, tool: str = "look") -> Script:
    return Script([calls((f"files_{tool}", {"id": id})) for id in ids] + ["done"])


# Good servers


@pytest.mark.parametrize("replay_each", [False, True])
def test_an_agent_is_shown_and_calls_the_tools_of_a_server(tmp_path: Path, replay_each: bool) -> None:
    script = ask("a", "facts", "picture", "bad")
    assert play(a_desk(tmp_path), script, replay_each=replay_each)["output"] == "done"
    look, post, put = script.asked[0].tools
    assert [look.name, post.name, put.name] == ["files_look", "files_post", "files_put"]
    assert (look.about, look.schema["required"]) == ("How many there are.", ["id"])
    assert told(script) == [
        ("look a", False), ('{"n": 7}', False), ("look:\n[image left out]", False), ("error: there is no bad", True),
    ]  # fmt: skip
    assert len(lines(tmp_path, "look")) == 4
    assert len(lines(tmp_path, "listed")) == 1


def test_calls_are_steps_and_writes_are_fenced_and_carry_a_key(tmp_path: Path) -> None:
    script = Script([calls(("files_post", {"id": "a"}), ("files_look", {"id": "b"})), "done"])

    async def main(live: Live) -> list[Any]:
        await result_of(live, "work", "do it")
        return [(one.kind, one.part) for one in await entries_of(live.store, (await the_run(live)).id)]

    kinds = play(a_desk(tmp_path), script, main)
    assert (Kind.READ, "files") in kinds
    assert (Kind.STEP, "files.look") in kinds
    assert [kind for kind, part in kinds if part == "files.post"] == [Kind.INTENT, Kind.DONE]
    assert Kind.ARROW not in [kind for kind, _ in kinds], "the design shows all that happens"
    (line,) = lines(tmp_path, "post")
    assert len(line.split()[1]) == 32, "the server is told the key"


def test_the_same_write_again_is_another_one_and_all_at_once_are_all_made(tmp_path: Path) -> None:
    post = ("files_post", {"id": "a"})
    play(a_desk(tmp_path), Script([calls(post), calls(post), "done"]))
    assert len(set(lines(tmp_path, "post"))) == 2
    play(a_desk(tmp_path), Script([calls(post, post), "done"]))
    assert len(set(lines(tmp_path, "post"))) == 4


@pytest.mark.parametrize("wanted", [{}, {"id": 3}])
def test_arguments_that_do_not_fit_never_reach_the_server(tmp_path: Path, wanted: dict[str, Any]) -> None:
    script = Script([calls(("files_look", wanted)), "done"])
    assert play(a_desk(tmp_path), script)["output"] == "done"
    assert told(script)[0][1]
    assert lines(tmp_path, "look") == []


def test_only_what_is_wanted_is_offered_and_effects_can_be_declared(tmp_path: Path) -> None:
    script = ask("a", tool="post")

    async def main(live: Live) -> list[str]:
        await result_of(live, "work", "do it")
        return [one.kind for one in await entries_of(live.store, (await the_run(live)).id) if one.part == "files.post"]

    assert play(a_desk(tmp_path, only=["p?st"], effects={"post": "read"}), script, main) == [Kind.STEP]
    assert [tool.name for tool in script.asked[0].tools] == ["files_post"]


def test_a_write_waits_for_approval(tmp_path: Path) -> None:
    script = ask("a", tool="post")

    async def main(live: Live) -> str:
        asked = asyncio.ensure_future(result_of(live, "work", "do it"))
        await wait_for_state(live, State.WAITING)
        (question,) = await live.store.questions()
        assert lines(tmp_path, "post") == []
        await live.answer_all(b"true")
        await asked
        return question.text

    assert play(a_desk(tmp_path, approval="boss"), script, main).startswith(
        'May `files.post` be called with arguments={"id":"a"}'
    )
    assert len(lines(tmp_path, "post")) == 1


def test_a_system_with_a_server_that_does_not_exist_is_drawn(tmp_path: Path) -> None:
    design = a_desk(tmp_path, command=["/does/not/exist"], env={"TOKEN": "very secret"}).design
    assert [(arrow.source, arrow.target, arrow.may) for arrow in design.arrows_from("clerk") if arrow.may] == [
        ("clerk", "files", True)
    ]
    assert "very secret" not in repr(design)


def test_a_secret_comes_from_the_environment_or_its_lack_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartiError, match="P707 `files` cannot be used: the environment variable NO_SUCH is not set"):
        play(a_desk(tmp_path, env={"TOKEN": "${NO_SUCH}"}), ask("a"))


# Over HTTP


@asynccontextmanager
async def over_http(outside: Outside, port: int = 0) -> AsyncIterator[str]:
    app = server_of(outside).streamable_http_app()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"
    finally:
        server.should_exit = server.force_exit = True
        await task


def over_http_play(desk_of: Callable[[str], System], outside: Outside, script: Script) -> Any:
    async def main() -> Any:
        async with over_http(outside) as url, running(desk_of(url), script=script) as live:
            return await result_of(live, "work", "do it")

    return run(main())


def test_a_server_over_http_is_used_all_the_same(tmp_path: Path) -> None:
    script = ask("a", "bad", "large", "gigantic")
    outcome = over_http_play(lambda url: a_desk(tmp_path, url=url), Outside("good", tmp_path), script)
    assert outcome["output"] == "done"
    assert told(script)[:2] == [("look a", False), ("error: there is no bad", True)]
    assert "P707 the result has 3,000,000 bytes" in told(script)[2][0]
    assert told(script)[3][1]


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartiError, match=r"P707 `files` cannot be used: ConnectError"):
        play(a_desk(tmp_path, url="http://127.0.0.1:9/mcp"), ask("a"))


# Poisoned servers


def test_a_list_that_changed_is_refused_until_it_is_agreed_to(tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert play(a_desk(tmp_path), ask("a"), path=store)["output"] == "done"
    (tmp_path / "change").touch()

    async def again(live: Live) -> Any:
        return await result_of(live, "work", "again", idempotency_key="k2")

    script = ask("b")
    with pytest.raises(PartiError, match=r"P707 `files` offers other tools .*: `look` changed") as wrong:
        play(a_desk(tmp_path), script, again, path=store)
    assert script.asked == [], "the model never sees what was not agreed to"
    pin = wrong.value.fix.split('"')[1]

    async def retried(live: Live) -> Any:
        (dead,) = await live.store.runs(state=State.DEAD)
        await live.engine.retry(dead.id)
        return await again(live)

    assert play(a_desk(tmp_path, pin=pin), script, retried, path=store)["output"] == "done"
    assert script.asked[0].tools[0].about.startswith("Ignore")


def test_a_list_that_changes_from_one_work_to_the_next_is_refused(tmp_path: Path) -> None:
    async def main(live: Live) -> None:
        assert (await result_of(live, "work", "one"))["output"] == "done"
        with pytest.raises(PartiError, match=r"`look` changed"):
            await live.call("work", ["two"])

    play(a_desk(tmp_path, how="changes"), Script(["done", "never"]), main)


def test_tools_that_cannot_be_offered_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = ask("a")
    assert play(a_desk(tmp_path, how="odd"), script)["output"] == "done"
    assert [tool.name for tool in script.asked[0].tools] == ["files_look"]
    assert told(script) == [("odd", False)]
    said = "\n".join(caplog.messages)
    for name, why in {
        "listy": "not a JSON object", "far": "outside itself", "wrong": "not valid", "twice": "two tools", "na me": "name", "schemaless": "not",
    }.items():  # fmt: skip
        assert f"P708 `files.{name}" in said
        assert why in said
    with pytest.raises(PartiError, match=r"P708 `files.far` cannot be offered"):
        play(a_desk(tmp_path, how="odd", only=["far", "look"]), ask("a"))
    with pytest.raises(PartiError, match="P708 `files` offers none"):
        play(a_desk(tmp_path, how="odd", only=["nothing"]), ask("a"))


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("large", "P707 the result has 3,000,000 bytes, and may have 1,048,576"),
        ("gigantic", "it sent a message of more than 4.0 MiB"),
        ("hang", "`files.look` took longer than 4s"),
        ("always die", "it ended with the exit code 3"),
    ],
)
def test_what_goes_wrong_in_a_read_is_told_and_the_next_call_works(tmp_path: Path, id: str, said: str) -> None:
    script = ask(id, "a")
    assert play(a_desk(tmp_path, timeout="4s"), script)["output"] == "done"
    (first, failed), last = told(script)
    assert said in first and failed
    assert last == ("look a", False)


def test_a_server_that_dies_once_is_started_again(tmp_path: Path) -> None:
    script = Script([calls(("files_look", {"id": "die"}), ("files_look", {"id": "b"})), "done"])
    play(a_desk(tmp_path), script)
    assert ("look die", False) in told(script)


def test_a_server_that_never_answers_fails_the_run_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(PartiError, match="P707 `files` did not say within 500ms what it offers"):
        play(a_desk(tmp_path, how="mute", timeout="500ms"), ask("a"))


# Writes


@pytest.mark.parametrize("id", ["die", "hang"])
def test_a_write_that_was_cut_off_is_put_to_the_operator_and_never_repeated(tmp_path: Path, id: str) -> None:
    script = ask(id, "b", tool="post")

    async def main(live: Live) -> Any:
        asked = asyncio.ensure_future(result_of(live, "work", "do it"))
        await wait_for_state(live, State.PARKED)
        (question,) = await live.store.questions()
        assert (question.who, len(lines(tmp_path, "post"))) == ("operator", 1)
        await live.answer_all(b'{"happened": true, "result": {"text": "it was posted"}}')
        return await asked

    assert play(a_desk(tmp_path, timeout="4s"), script, main)["output"] == "done"
    assert told(script) == [("it was posted", False), ("post b", False)]
    assert len(lines(tmp_path, "post")) == 2


def test_a_write_that_the_server_calls_idempotent_is_made_again_with_its_key(tmp_path: Path) -> None:
    script = ask("die", tool="put")
    play(a_desk(tmp_path), script)
    assert told(script) == [("put die", False)]
    first, second = lines(tmp_path, "put")
    assert first == second


def test_a_crash_in_a_write_leaves_it_in_doubt(tmp_path: Path) -> None:
    script, store = ask("hang", tool="post"), tmp_path / "store"

    async def crash(live: Live) -> None:
        asked = asyncio.ensure_future(live.call("work", ["do it"], idempotency_key="k"))
        while not lines(tmp_path, "post"):
            await asyncio.sleep(0.01)
        asked.cancel()
        await live.engine.abandon()
        await live.engine.services.servers.close()  # type: ignore[union-attr]

    async def after(live: Live) -> None:
        await wait_for_state(live, State.PARKED)
        await live.answer_all(b'{"happened": false}')
        await wait_until(live, lambda: len(lines(tmp_path, "post")) == 2)  # a person said that it had not happened
        first, second = lines(tmp_path, "post")
        assert first == second, "with the same key"
        await wait_for_state(live, State.DONE)

    play(a_desk(tmp_path), script, crash, path=store)
    assert len(lines(tmp_path, "post")) == 1
    asked = len(script.asked)
    play(a_desk(tmp_path), script, after, path=store)
    assert len(script.asked) == asked + 1, "the first turn was not asked again"
