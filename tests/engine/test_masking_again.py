"""Masking over crashes, restarts, sessions and changes of mind: the journal says what went on, and a run keeps its tokens."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
from engine_kit import Play, World, entries_of, play, the_run, wait_for_state
from hypothesis import given, settings
from hypothesis import strategies as st
from masks_kit import ANN, Outside, Person, bank

from parti import Gate, Label, PartiError, System, ask
from parti.ports.detector import Detected
from parti.ports.llm import Request
from parti.ports.store import State
from parti.testing import Script, calls
from parti.trust.forms import is_findable
from parti.trust.tokens import TOKEN

MASK = Gate("mask")


def desk(outside: Outside, gate: Gate = MASK, **options: Any) -> System:
    """A desk that tells others of a person, waits for the boss, and tells them again."""
    desk = System("desk", gate=gate, **options)
    cloud = desk.llm("openai:gpt-5-mini", name="cloud")

    @desk.tool(effect="read", labels=Label.TRUSTED)
    async def person(id: str) -> Person:
        return Person(id=id)

    @desk.tool(effect="write", key="id", labels=Label.TRUSTED)
    async def post(id: str, text: str) -> str:
        outside.done.append(text)
        return "posted"

    clerk = desk.agent("clerk", llm=cloud, tools=[person])

    @desk.post("/both", timeout="9d", labels=Label.TRUSTED)
    async def both(id: str) -> int:
        name = (await person(id)).name
        await post("1", f"About {name}")
        await ask("boss", "go on?", answer=bool)
        await post("2", f"Again {name}")
        return 1

    @desk.post("/agent", timeout="9d", labels=Label.TRUSTED)
    async def agent(id: str) -> int:
        said = await clerk.run(f"who is {id}?")
        await ask("boss", "go on?", answer=bool)
        await post("1", f"The clerk says: {said}")
        return 1

    @desk.post("/stream", timeout="9d", labels=Label.TRUSTED)
    async def stream(id: str) -> int:
        pieces = [piece async for piece in clerk.stream(f"who is {id}?")]
        await post("1", "".join(pieces))
        return 1

    return desk


def clerk_says(request: Request) -> Any:
    """Look the person up, and repeat the name."""
    if len(request.messages) == 1:
        return calls(("person", {"id": "a"}))
    return f"It is {next(one[0] for one in TOKEN.finditer(str(request.messages)) if ':name:' in one[0])} indeed"


async def go_on(live: Any) -> None:
    """Answer whoever waits, and see the run through."""
    await live.answer_all(b"true", by="boss")
    await live.idle()
    assert (await the_run(live)).state is State.DONE


@pytest.mark.parametrize("endpoint", ["both", "agent"])
def test_a_run_keeps_its_tokens_over_a_crash(in_world: Play, endpoint: str) -> None:
    """Also where the value was read inside of an agent's work, which is done and not made again."""
    outside, script = Outside(), Script(clerk_says)

    async def main(world: World) -> None:
        async with world.running(desk(outside), script=script, crash=True) as live:
            calling = live.engine.spawn(live.call(endpoint, ["a"]))
            await wait_for_state(live, State.WAITING)
            calling.cancel()
        async with world.running(desk(outside), script=Script([])) as live:
            await go_on(live)
        found = [
            one[0] for text in [*outside.done, str(script.asked)] for one in TOKEN.finditer(text) if ":name:" in one[0]
        ]
        assert len(set(found)) == 1
        assert ANN not in str(outside.done)

    in_world(main)


@pytest.mark.parametrize("later", [{"labels": "off"}, {"gate": Gate("allow")}])
def test_what_went_on_masked_stays_so_whatever_is_declared_later(in_world: Play, later: dict[str, Any]) -> None:
    """A write that was made with a token is known by it: it is not made again with the value."""
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(desk(outside), script=Script([]), crash=True) as live:
            calling = live.engine.spawn(live.call("both", ["a"]))
            await wait_for_state(live, State.WAITING)
            calling.cancel()
        async with world.running(desk(outside, **later), script=Script([])) as live:
            await go_on(live)
        first, second = outside.done
        assert TOKEN.search(first)
        assert second == f"Again {ANN}"

    in_world(main)


def test_a_run_of_before_masks_goes_on_with_what_it_did(in_world: Play) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(desk(outside, labels="off"), script=Script([]), crash=True) as live:
            calling = live.engine.spawn(live.call("both", ["a"]))
            await wait_for_state(live, State.WAITING)
            calling.cancel()
        async with world.running(desk(outside), script=Script([])) as live:
            await go_on(live)
        assert outside.done[0] == f"About {ANN}"
        assert len(outside.done) == 2
        assert ANN not in outside.done[1]

    in_world(main)


def test_a_program_reads_values_in_a_stream_and_hands_on_tokens(in_world: Play) -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(desk(outside), script=Script(clerk_says)) as live:
            await live.call("stream", ["a"])
            (said,) = [
                one.answer["text"]
                for one in await entries_of(live.store, (await the_run(live)).id)
                if one.kind == "step" and one.part == "clerk"
            ]
            assert said == f"It is {ANN} indeed"
        (told,) = outside.done
        assert re.fullmatch(rf"It is {TOKEN.pattern} indeed", told)

    in_world(main)


def test_what_a_session_said_before_leaves_behind_tokens(in_world: Play) -> None:
    """Another run knew which values were in it: this one knows the messages."""
    scripts = [Script(clerk_says), Script(["hello"])]
    desk = System("desk", gate=MASK)

    @desk.tool(effect="read", labels=Label.TRUSTED)
    async def person(id: str) -> Person:
        return Person(id=id)

    clerk = desk.agent("clerk", llm=desk.llm("openai:gpt-5-mini", name="cloud"), tools=[person], sessions=3)

    @desk.post("/chat", key="user", labels=Label.TRUSTED)
    async def chat(user: str, text: str) -> int:
        return len(await clerk.run(text))

    async def main(world: World) -> None:
        for script in scripts:
            async with world.running(desk, script=script) as live:
                await live.call("chat", ["u", "go"])
        assert ANN not in str(scripts[1].asked)
        assert ":said:" in str(scripts[1].asked)

    in_world(main)


class Names:
    """A detector that knows one name."""

    def find(self, text: str) -> list[Detected]:
        """Where it stands."""
        return [Detected(one.start(), one.end(), "PERSON") for one in re.finditer("Eve Elder", text)]


class Note(Person):
    """With a free text."""

    text: Annotated[str, Label.PII] = "Eve Elder wrote a long letter about the weather and her garden."


@pytest.mark.parametrize("detect", [False, True])
def test_a_free_text_is_masked_whole_or_searched(in_world: Play, detect: bool) -> None:
    desk, script = System("desk", gate=Gate("mask", detect=detect)), Script(["ok"])
    cloud = desk.llm("openai:gpt-5-mini", name="cloud")

    @desk.tool(effect="read", labels=Label.TRUSTED)
    async def note(id: str) -> Note:
        return Note(id=id)

    @desk.post("/sum", labels=Label.TRUSTED)
    async def sum_up(id: str) -> int:
        found = await note(id)
        return len(await cloud.ask(f"Sum up for {found.name}: {found.text}"))

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            live.engine.services.detector = Names()
            await live.call("sum_up", ["a"])
        (request,) = script.asked
        text = TOKEN.sub("#", str(request.messages[-1]))
        assert ("Sum up for #: # wrote a long letter" in text) is detect
        assert ("Sum up for #: #'" in text) is not detect
        assert "Elder" not in text

    in_world(main)


def test_stranger_and_person_in_one_call_are_asked_about_and_masked(in_world: Play) -> None:
    """A mask takes no distrust away: the boss is asked about that, and what goes on is masked all the same."""
    outside = Outside()
    desk = System("desk", gate=Gate("mask", who="boss"))

    @desk.tool(effect="read")
    async def note(id: str) -> Note:
        return Note(id=id)

    @desk.tool(effect="write", key="id", labels=Label.TRUSTED)
    async def post(id: str, text: str) -> str:
        outside.done.append(text)
        return "posted"

    @desk.post("/tell", timeout="9d", labels=Label.TRUSTED)
    async def tell(id: str) -> int:
        await post("1", f"About {(await note(id)).name}")
        return 1

    async def main(world: World) -> None:
        async with world.running(desk, script=Script([])) as live:
            calling = live.engine.spawn(live.call("tell", ["a"]))
            await wait_for_state(live, State.WAITING)
            (question,) = await live.store.questions()
            assert "untrusted" in question.text
            await live.answer_all(b"true", by="boss")
            await calling
        (told,) = outside.done
        assert re.fullmatch(rf"About {TOKEN.pattern}", told)

    in_world(main)


@pytest.mark.parametrize(
    "declare",
    [lambda: Gate("ask", detect=True), lambda: Gate("refuse", who="boss"), lambda: Gate("masked")],  # type: ignore[arg-type]
)
def test_a_gate_that_makes_no_sense_is_refused(declare: Any) -> None:
    with pytest.raises(PartiError, match="P105"):
        declare()


@settings(max_examples=10, deadline=None)
@given(
    st.text(min_size=2, max_size=12).filter(
        lambda text: text.isprintable() and sum(map(str.isalnum, text)) > 1 and is_findable(text)
    ),
    st.sampled_from(["{name}", "To {name}: hello", "{name},{name}", "row {row}"]),
    st.integers(0, 6),
)
def test_whatever_the_name_and_wherever_it_crashes_it_does_not_leave(name: str, prompt: str, crash_after: int) -> None:
    """Neither to the model nor to the post, and the run ends as it would have. A name that reads as a flag is one only where it is all of a field."""
    outside, script = Outside(), Script(lambda request: {"subject": "s", "text": _echo(request)})

    async def main(world: World) -> None:
        async with world.running(bank(outside), script=script) as live:
            await live.call("rename", ["a", name])
        async with world.running(bank(outside), script=script, crash=True) as live:
            calling = live.engine.spawn(live.call("write", ["a", prompt], idempotency_key="one"))
            await live.engine.clock.wait(crash_after * 0.003)
            calling.cancel()
        async with world.running(bank(outside), script=script) as live:
            await live.idle()
            runs = await live.store.runs(part="write")
            assert [(run.state, run.error) for run in runs if run.state is not State.DONE] == []

    play(main)
    word = re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)")
    for text in [str(one.text) for request in script.asked for one in request.messages] + [
        one[1] for one in outside.done
    ]:
        assert not word.search(TOKEN.sub("\0", text).replace("Sum up", ""))


def _echo(request: Request) -> str:
    return f"You said: {request.messages[-1].text}"
