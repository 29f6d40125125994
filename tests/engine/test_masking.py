"""A gate that masks lets things go with what is labelled behind tokens, in every way out, and puts it back in what comes of it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from engine_kit import Play, World, entries_of, the_run
from masks_kit import ANN, IBAN, PASSWORD, Outside, bank

from parti import Gate, PartiError
from parti.cli.why import why
from parti.ports.llm import Request
from parti.testing import Script, calls, running

TOKEN = re.compile(r"\[(?:PII|SECRET):[a-z0-9_]+:[a-z2-7]{10}\]")


def letter(request: Request) -> dict[str, str]:
    """A letter that repeats the prompt."""
    return {"subject": "Hi", "text": f"You said: {request.messages[-1].text}"}


def said_to(script: Script) -> str:
    """All that the model was shown."""
    return "\n".join(str(one) for request in script.asked for one in request.messages)


async def gates_of(live: Any, part: str) -> list[Any]:
    """The decisions of gates in the only run of an endpoint."""
    return [one for one in await entries_of(live.store, (await the_run(live, part)).id) if one.kind == "gate"]


def test_a_model_outside_sees_tokens_and_its_letter_has_the_values_again(in_world: Play) -> None:
    outside, script = Outside(), Script(letter)

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=script) as live:
            await live.call("put", ["a"])
            await live.call("write", ["a", "Write to {name} that {iban} is closed, {name}."])
            shown = said_to(script)
            assert ANN not in shown
            assert IBAN not in shown
            names = [one for one in TOKEN.findall(shown) if ":name:" in one]
            assert len(names) == 2
            assert len(set(names)) == 1
            (step,) = [
                one
                for one in await entries_of(live.store, (await the_run(live, "write")).id)
                if one.kind == "step" and one.part == "cloud"
            ]
            assert ANN in step.answer["text"]  # what the run goes on with
            gate, written, _ = await gates_of(live, "write")
            assert gate.answer["then"] == "mask"
            assert {(one["field"], one["label"], one["times"]) for one in gate.answer["masked"]} == {
                ("people.name", "pii", 2), ("people.iban", "pii", 1)}  # fmt: skip
            assert ANN not in str(gate)
            assert written.answer["then"] == "mask"  # and the letter is posted with the same tokens
        (done,) = outside.done
        assert set(TOKEN.findall(done[1])) == set(TOKEN.findall(shown))
        assert ANN not in done[1]

    in_world(main)


def test_a_whole_row_in_a_prompt_is_masked_field_by_field(in_world: Play) -> None:
    script = Script(['{"subject": "", "text": ""}'])

    async def main(world: World) -> None:
        async with world.running(bank(Outside()), script=script) as live:
            await live.call("put", ["a"])
            await live.call("write", ["a", "Sum up {row}"])
        shown = said_to(script)
        for value in (ANN, IBAN, "41", "12 High Street", "after six pm"):
            assert value not in TOKEN.sub("", shown)
        assert "Bonn" in shown

    in_world(main)


def test_arguments_of_a_write_a_search_and_an_answer_leave_behind_tokens(in_world: Play) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=Script([])) as live:
            await live.call("put", ["a"])
            await live.call("posts", ["a", ["name"]])
            await live.call("looks", ["a"])
            told = await live.call("tells", ["a"])
            assert ANN not in str(told)
            assert '"bank":"ours"' in str(told).replace(" ", "")
        (id, text, about), query = outside.done
        assert id == "a"
        assert re.fullmatch(rf"About {TOKEN.pattern}: {TOKEN.pattern}\.", text)
        assert about["name"] in text
        assert TOKEN.fullmatch(query)

    in_world(main)


def test_a_gate_that_traces_masks_the_arguments_that_are_of_concern(in_world: Play) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(bank(outside, Gate("mask", trace=True)), script=Script([])) as live:
            await live.call("put", ["a"])
            await live.call("posts", ["a", ["name"]])
            gate, *_ = await gates_of(live, "posts")
            assert gate.answer["then"] == "mask"
            assert {one["argument"] for one in gate.arguments["concerns"]} <= {"id", "text", "about"}
        ((_, text, about),) = outside.done
        assert ANN not in text
        assert TOKEN.fullmatch(about["name"])

    in_world(main)


def test_a_secret_is_published_behind_a_token(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(bank(Outside()), script=Script([])) as live:
            await live.call("leaks", ["a"])
            (event,) = await live.events("notices")
            assert re.fullmatch(r"use \[SECRET:password:\w{10}\]", event["text"])

    in_world(main)


@pytest.mark.parametrize(
    ("endpoint", "argument", "why"),
    [
        ("posts", ["age"], "is no text"),
        ("sends", "age", "is no text"),
        ("sends", "to", "decides what is done"),
        ("sends", "code", "no token fits there"),
    ],
)
def test_what_cannot_stand_behind_a_token_is_refused_with_the_reason(
    in_world: Play, endpoint: str, argument: Any, why: str
) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=Script([])) as live:
            await (live.call("rename", ["a", "Ann"]) if argument == "code" else live.call("put", ["a"]))
            with pytest.raises(PartiError, match="P901") as refused:
                await live.call(endpoint, ["a", argument])
            assert why in str(refused.value)
            (gate,) = await gates_of(live, endpoint)
            assert gate.answer["then"] == "refuse"
        assert outside.done == []

    in_world(main)


def test_a_person_is_asked_where_a_mask_names_one_and_cannot_mask(in_world: Play) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(bank(outside, Gate("mask", who="boss")), script=Script([])) as live:
            await live.call("put", ["a"])
            calling = live.engine.spawn(live.call("sends", ["a", "age"]))
            while not await live.answer_all(b"true", by="boss"):
                await live.engine.clock.wait(0.01)
            await calling
        assert outside.done == [("a", "boss", 41, "")]

    in_world(main)


def test_an_agents_turns_share_their_tokens_and_its_calls_get_the_values(in_world: Play) -> None:
    outside = Outside()

    def think(request: Request) -> Any:
        said = str(request.messages[-1])
        if len(request.messages) == 1:
            return calls(("person", {"id": "b"}))
        if len(request.messages) == 3:
            name = next(one for one in TOKEN.findall(said) if ":name:" in one)
            return calls(("post", {"id": "x", "text": f"Dear {name}"}))
        return f"posted to {next(one for one in TOKEN.findall(str(request.messages)) if ':name:' in one)}"

    script = Script(think)

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=script) as live:
            await live.call("twice", ["write to b"])
            turns = [
                one
                for one in await entries_of(live.store, (await the_run(live)).id)
                if one.kind == "step" and one.part == "cloud"
            ]
            assert f"Dear {ANN}" in str(turns[1].answer["calls"])
            assert turns[2].answer["text"] == f"posted to {ANN}"
        shown = said_to(script)
        assert ANN not in shown
        assert len({one for one in TOKEN.findall(shown) if ":name:" in one}) == 1
        (_, first, _), (_, last, _) = outside.done
        assert TOKEN.findall(first) == TOKEN.findall(last)
        assert ANN not in str(outside.done)

    in_world(main)


def test_a_secret_goes_back_only_into_an_argument_that_says_so(in_world: Play) -> None:
    outside = Outside()

    def think(request: Request) -> Any:
        if len(request.messages) == 1:
            return calls(("login", {"user": "root"}))
        token = next(one for one in TOKEN.findall(str(request.messages)) if one.startswith("[SECRET"))
        if len(request.messages) == 3:
            return calls(("enter", {"id": "1", "password": token}), ("post", {"id": "2", "text": token}))
        return token

    script = Script(think)

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=script) as live:
            await live.call("do", ["log in"])
        assert PASSWORD not in said_to(script)
        assert ("1", PASSWORD) in outside.done
        assert TOKEN.fullmatch(next(one[1] for one in outside.done if one[0] == "2"))

    in_world(main)


def test_runs_and_tenants_have_tokens_of_their_own(in_world: Play) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=Script([])) as live:
            for tenant in ("main", "other"):
                await live.call("put", ["a"], tenant=tenant)
                for _ in range(2):
                    await live.call("looks", ["a"], tenant=tenant)
        assert len(set(outside.done)) == 4

    in_world(main)


def test_why_shows_which_fields_were_masked_and_no_value(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bank.parti"

    async def main() -> str:
        async with running(bank(Outside()), path, script=Script([])) as live:
            await live.call("leaks", ["a"])
            return (await the_run(live, "leaks")).id

    run = asyncio.run(main())
    why(run, store=path)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if " gate " in line and "notices" in line]
    assert "mask login.password (secret) 1x" in line
    assert PASSWORD not in line
