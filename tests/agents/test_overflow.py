"""A conversation that grows over its model's window: what is declared gives way, the journal says so, and nothing is paid twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from engine_kit import Play, World, entries_of, play, result_of, the_run

from parti import Budget, Outcome, PartiError, Summarise, System, Truncate
from parti.agents.conversation import size_of
from parti.agents.overflow import SUMMARY
from parti.agents.tokens import tokens_in
from parti.engine import sessions
from parti.journal.entries import Entry, Kind
from parti.ports.agents import Earlier
from parti.ports.llm import Answer, Answered, LlmFailure, Request, Returned, Said
from parti.testing import Script, calls, said

ROOM = 1_000
ANSWER = 100


def a_desk(overflow: Any, *, page: int = 300, **options: Any) -> System:
    """An agent that reads pages of so many bytes, under a window that holds a few of them."""
    desk = System("desk")
    llm = desk.llm("local", context=ROOM + ANSWER, max_tokens=ANSWER)

    @desk.tool(effect="read")
    async def read(number: int) -> str:
        """A page of the book."""
        return f"<{number}>".ljust(page, "x")

    options = {"turns": 300, "instructions": "Read well.", **options}
    reader = desk.agent("reader", llm=llm, tools=[read], overflow=overflow, **options)

    @desk.post("/read", timeout="1h")
    async def reading(task: str) -> Outcome[str]:
        return await reader.attempt(task)

    @desk.post("/chat", key="user", timeout="1h")
    async def chat(user: str, text: str) -> str:
        return await reader.run(text)

    return desk


def reads(pages: int, summary: Callable[[Request], Any] = lambda request: "They read on.") -> Script:
    """Reads so many pages, one a turn; and summarises by `summary`."""
    turn = 0

    def answer(request: Request) -> Any:
        nonlocal turn
        if not request.tools:
            return summary(request)
        turn += 1
        return calls(("read", {"number": turn})) if turn <= pages else "done"

    return Script(answer)


def read_of(request: Request) -> list[str]:
    """The numbers of the pages that a request shows."""
    return [one.text[1 : one.text.index(">")] for one in request.messages if isinstance(one, Returned)]


def texts(request: Request) -> list[str]:
    return [one.text for one in request.messages if isinstance(one, Said)]


def is_paired(request: Request) -> bool:
    """Whether each call is followed by its result, and each result follows its call."""
    waiting: list[str] = []
    for one in request.messages:
        match one:
            case Answered(calls=made):
                if waiting:
                    return False
                waiting = [call.id for call in made]
            case Returned(call=id):
                if not waiting or waiting.pop(0) != id:
                    return False
            case Said() if waiting:
                return False
    return not waiting


def work(in_world: Play, overflow: Any, script: Script, **options: Any) -> tuple[dict[str, Any], list[Entry]]:
    """The outcome, and the journal."""

    async def main(world: World) -> tuple[dict[str, Any], list[Entry]]:
        async with world.running(a_desk(overflow, **options), script=script) as live:
            outcome: dict[str, Any] = await result_of(live, "reading", "Read the book.")
            return outcome, await entries_of(world.store, (await the_run(live)).id)

    return in_world(main)


def asked_turns(script: Script) -> list[Request]:
    return [request for request in script.asked if request.tools]


def asked_summaries(script: Script) -> list[Request]:
    return [request for request in script.asked if not request.tools]


def left_out(entries: list[Entry]) -> list[dict[str, Any]]:
    """What the journal says is gone."""
    asked = [entry.arguments for entry in entries if isinstance(entry.arguments, dict)]
    return [one for facts in asked for one in facts.get("left_out", [])]


def test_without_a_declaration_nothing_is_left_out(in_world: Play) -> None:
    script = reads(30)
    outcome, entries = work(in_world, None, script)
    assert outcome["reason"] == "done"
    assert len(read_of(script.asked[-1])) == 30
    assert left_out(entries) == []


def test_truncate_leaves_out_the_oldest_turns_whole_and_keeps_what_matters(in_world: Play) -> None:
    script = reads(30)
    outcome, _ = work(in_world, Truncate(keep=0.5), script)
    assert (outcome["reason"], outcome["turns"]) == ("done", 31)
    for number, request in enumerate(script.asked):
        assert tokens_in(request) <= ROOM
        assert is_paired(request)
        assert texts(request)[0] == "Read well."
        assert texts(request)[-1] == "Read the book."
        shown = read_of(request)
        assert shown == [str(page) for page in range(number + 1 - len(shown), number + 1)], "the newest, with no gap"
        assert number == 0 or shown


def test_what_is_left_out_is_told_to_the_model_and_by_the_journal(in_world: Play) -> None:
    script = reads(30)
    _, entries = work(in_world, Truncate(keep=0.5), script)
    gone = 2 * (30 - len(read_of(script.asked[-1])))
    assert texts(script.asked[-1])[1] == f"({gone} earlier messages were left out here: there is no room for them.)"
    told = left_out(entries)
    cut = [entry.arguments for entry in entries if "left_out" in (entry.arguments or ())]
    assert {next(iter(facts)) for facts in cut} == {"left_out"}, (
        "it comes first, where `parti why` shortens what follows"
    )
    assert sum(one["messages"] for one in told) == gone
    assert all(one["tokens"] > 0 for one in told)
    assert 2 < len(told) < 10, "the window is filled again before it is cut again"


def test_a_long_result_is_cut_in_the_middle_and_says_how_much_is_gone(in_world: Play) -> None:
    script = reads(1)
    outcome, entries = work(in_world, Truncate(), script, page=9_000)
    assert outcome["reason"] == "done"
    (result,) = [one for one in script.asked[-1].messages if isinstance(one, Returned)]
    head, mark, tail = result.text.split("\n")
    assert head.startswith("<1>xxx")
    assert mark == f"… {9_000 - len(head) - len(tail):,} characters left out …"
    assert abs(len(head) - len(tail)) <= 1
    assert tokens_in(script.asked[-1]) <= ROOM
    assert left_out(entries)[0]["results"] == 1


def test_results_of_one_turn_share_the_room_and_the_longest_give_way() -> None:
    script = Script([calls(*[("read", {"number": number}) for number in range(9)]), "done"])
    outcome, _ = work(play, Truncate(), script, page=2_000)
    assert outcome["reason"] == "done"
    results = [one.text for one in script.asked[-1].messages if isinstance(one, Returned)]
    assert len({len(text.encode()) for text in results}) <= 2
    assert is_paired(script.asked[-1])
    assert tokens_in(script.asked[-1]) <= ROOM


def test_long_results_are_never_cut_where_that_is_declared(in_world: Play) -> None:
    with pytest.raises(PartiError, match=r"P703 `local`: the request has about 3,\d\d\d tokens and may have 1,000"):
        work(in_world, Truncate(results=None), reads(1), page=9_000)


@pytest.mark.parametrize("overflow", [Truncate(), Summarise(tokens=100), Summarise(tokens=100, otherwise=Truncate())])
def test_a_task_that_does_not_fit_alone_is_refused_by_how_much_before_it_is_asked(
    in_world: Play, overflow: Any
) -> None:
    script = reads(0)

    async def main(world: World) -> None:
        async with world.running(a_desk(overflow), script=script) as live:
            with pytest.raises(PartiError) as caught:
                await live.call("reading", ["x" * 6_000])
            assert caught.value.code == "P703"
            assert ": 1," in caught.value.what and "too many" in caught.value.what

    in_world(main)
    assert script.asked == []


def test_a_provider_that_counts_more_than_the_estimate_is_sent_less(in_world: Play) -> None:
    """The window is half as large in truth: what it refuses is shortened and asked again, and the journal has both."""
    inner = reads(12)

    def strict(request: Request) -> Any:
        if tokens_in(request) > ROOM // 2:
            return LlmFailure("P703", "600 tokens, 100 too many", lasting=True)
        return inner._play(request)  # type: ignore[misc]

    script = Script(strict)
    outcome, entries = work(in_world, Truncate(keep=0.9), script)
    assert (outcome["reason"], outcome["turns"]) == ("done", 13)
    refused = [entry for entry in entries if entry.kind == Kind.FAIL]
    assert 1 <= len(refused) <= 2, "what it learned of the window holds for the rest of the work"


def test_a_result_that_is_cut_again_and_again_says_how_much_of_the_whole_is_gone(in_world: Play) -> None:
    inner = reads(1)

    def strict(request: Request) -> Any:
        if tokens_in(request) > 250:
            return LlmFailure("P703", "too many", lasting=True)
        return inner._play(request)  # type: ignore[misc]

    script = Script(strict)
    assert work(in_world, Truncate(keep=1.0), script, page=9_000)[0]["reason"] == "done"
    (text,) = [one.text for one in script.asked[-1].messages if isinstance(one, Returned)]
    head, mark, tail = text.split("\n")
    assert mark == f"… {9_000 - len(head) - len(tail):,} characters left out …"


def test_what_just_does_not_fit_still_fits_beside_the_note_on_what_is_gone() -> None:
    for page in range(0, 30):
        script = reads(40)
        assert work(play, Truncate(keep=1.0), script, page=page)[0]["reason"] == "done"


def test_a_provider_that_refuses_whatever_is_sent_ends_in_its_own_error(in_world: Play) -> None:
    script = Script(lambda request: LlmFailure("P703", "9 tokens, 1 too many", lasting=True))
    with pytest.raises(PartiError, match="P703 `local`: 9 tokens, 1 too many"):
        work(in_world, Truncate(), script)


# Summaries


def test_summarise_puts_a_summary_in_the_place_of_the_oldest_turns(in_world: Play) -> None:
    count = 0

    def summary(request: Request) -> str:
        nonlocal count
        count += 1
        return f"summary {count}"

    script = reads(30, summary)
    outcome, entries = work(in_world, Summarise(tokens=50), script)
    assert (outcome["reason"], outcome["turns"]) == ("done", 31)
    summaries = asked_summaries(script)
    assert 3 < len(summaries) < 10, "made again only when the window is full again"
    last = asked_turns(script)[-1]
    assert texts(last)[1] == f"{SUMMARY}\nsummary {len(summaries)}"
    for request in script.asked:
        assert tokens_in(request) <= ROOM + ANSWER
        assert is_paired(request)
    assert f"summary {len(summaries) - 1}" in texts(summaries[-1])[1], "each goes on from the one before"
    told = [str(page) for request in summaries for page in range(1, 31) if f"<{page}>" in texts(request)[1]]
    assert told == [str(page) for page in range(1, 31 - len(read_of(last)))], "each page is told once, in order"
    assert [one["summary"] for one in left_out(entries)] == ["local"] * len(summaries)


def test_a_summary_that_the_provider_finds_too_long_is_asked_of_less_and_loses_nothing(in_world: Play) -> None:
    """The provider counts twice what the estimate does: each part of the summary is made shorter until it fits."""

    def summary(request: Request) -> Any:
        if tokens_in(request) > ROOM // 2:
            return LlmFailure("P703", "600 tokens, 100 too many", lasting=True)
        summed.append(texts(request)[1])
        return "They read on."

    summed: list[str] = []
    script = reads(12, summary)
    outcome, entries = work(in_world, Summarise(tokens=50), script)
    assert (outcome["reason"], outcome["turns"]) == ("done", 13)
    assert any(entry.kind == Kind.FAIL for entry in entries)
    shown = {number for request in asked_turns(script)[-1:] for number in read_of(request)}
    gone = {str(number) for number in range(1, 13)} - shown
    assert gone and all(any(f"<{number}>" in text for text in summed) for number in gone)


def test_a_summary_that_is_too_long_however_short_it_is_ends_in_the_error_of_the_provider(in_world: Play) -> None:
    script = reads(12, lambda request: LlmFailure("P703", "9 tokens, 1 too many", lasting=True))
    with pytest.raises(PartiError, match=r"P703 .*9 tokens, 1 too many"):
        work(in_world, Summarise(tokens=50), script)
    asked = asked_summaries(script)
    assert 2 <= len(asked) <= 5
    assert sorted(map(tokens_in, asked), reverse=True) == [tokens_in(request) for request in asked]


def test_a_summary_is_a_step_that_says_what_it_is_and_costs_what_it_costs(in_world: Play) -> None:
    script = reads(8, lambda request: Answer("short", tokens_in=300, tokens_out=7, usd=0.5))
    outcome, entries = work(in_world, Summarise(tokens=50), script, budget=Budget(usd=1, tokens=10**6))
    steps = [entry for entry in entries if entry.kind == Kind.STEP and "summarises" in (entry.arguments or ())]
    assert len(steps) == len(asked_summaries(script)) == 1
    assert steps[0].arguments["for"] == "reader"
    assert steps[0].arguments["summarises"]["messages"] > 2
    assert outcome["usd"] == 0.5
    assert outcome["turns"] == 9
    assert outcome["tokens"] == 307 + 8 * 15 + 11


def test_a_budget_that_has_no_summary_left_stops_the_agent_and_says_so(in_world: Play) -> None:
    script = reads(30, lambda request: Answer("short", tokens_in=300, tokens_out=7))
    outcome, _ = work(in_world, Summarise(tokens=50), script, budget=Budget(steps=18))
    assert outcome["reason"] == "steps"


def test_another_model_may_summarise_and_is_told_no_more_than_its_window_holds(in_world: Play) -> None:
    desk = System("desk")
    llm = desk.llm("local", context=ROOM + ANSWER, max_tokens=ANSWER)
    small = desk.llm("local", name="small", context=500)

    @desk.tool(effect="read")
    async def read(number: int) -> str:
        return f"<{number}>".ljust(1_200, "y")

    how = Summarise(by=small, tokens=50, otherwise=Truncate())
    reader = desk.agent("reader", llm=llm, tools=[read], overflow=how, turns=30)

    @desk.post("/read")
    async def reading() -> str:
        return await reader.run("Read.")

    turns, sums = reads(9), Script(lambda request: f"sum {len(sums.asked)}")

    async def main(world: World) -> None:
        async with world.running(desk, script={"local": turns, "small": sums}) as live:
            assert await result_of(live, "reading") == "done"
            entries = await entries_of(world.store, (await the_run(live)).id)
            assert not any(entry.kind == Kind.ARROW for entry in entries), "the call is an arrow of the design"

    in_world(main)
    assert all(tokens_in(request) <= 450 for request in sums.asked)
    assert all(request.max_tokens == 50 for request in sums.asked)
    read_by = "".join(texts(request)[1] for request in sums.asked)
    assert read_by.count("y") >= 1_190 * 6, "a long message comes in pieces, and none is lost"
    assert ("reader", "calls", "small", True) in [
        (arrow.source, arrow.kind, arrow.target, arrow.may) for arrow in desk.design.arrows
    ]


BROKEN: dict[str, tuple[Any, str]] = {
    "fails": (LlmFailure("P702", "no such model", lasting=True), "P702"),
    "is cut off": (Answer("half a", finish="length", tokens_out=50), "P704"),
    "refuses": (Answer("no", finish="refused"), "P704"),
    "is empty": ("  ", "P704"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_summary_that_fails_is_a_coded_error_where_nothing_else_is_declared(in_world: Play, what: str) -> None:
    broken, code = BROKEN[what]
    with pytest.raises(PartiError, match="what was said to `reader` cannot be summarised") as caught:
        work(in_world, Summarise(tokens=50), reads(30, lambda request: broken))
    assert caught.value.code == code


@pytest.mark.parametrize("what", BROKEN)
def test_a_summary_that_fails_gives_way_to_what_is_declared_and_the_journal_says_why(in_world: Play, what: str) -> None:
    script = reads(12, lambda request: BROKEN[what][0])
    outcome, entries = work(in_world, Summarise(tokens=50, otherwise=Truncate(keep=0.5)), script)
    assert outcome["reason"] == "done"
    assert all(one["because"] for one in left_out(entries))
    assert "messages were left out here" in texts(asked_turns(script)[-1])[1]


def test_a_summary_made_before_one_that_fails_stays(in_world: Play) -> None:
    script = reads(20, lambda request: "kept" if len(asked_summaries(script)) == 1 else "")
    work(in_world, Summarise(tokens=50, otherwise=Truncate(keep=0.5)), script)
    _, note, *_ = texts(asked_turns(script)[-1])
    assert note.startswith(f"{SUMMARY}\nkept\n(") and note.endswith("there is no room for them.)")


# Crashes


@pytest.mark.parametrize("overflow", [Truncate(keep=0.5), Summarise(tokens=50)], ids=["truncate", "summarise"])
def test_a_crash_at_every_call_goes_on_with_the_same_requests_and_pays_nothing_twice(overflow: Any) -> None:
    straight = reads(12)
    work(play, overflow, straight)
    for number in range(1, len(straight.asked) + 1):
        play(lambda world, number=number: _crashed(world, overflow, straight, number))  # type: ignore[misc]


async def _crashed(world: World, overflow: Any, straight: Script, number: int) -> None:
    """The process ends during the call of that number; another goes on."""
    inner, reached = reads(12), asyncio.Event()

    async def dying(request: Request) -> Answer:
        if len(script.asked) == number:
            reached.set()
            await asyncio.Event().wait()
        return _answered(inner, request)

    script = Script(dying)
    async with world.running(a_desk(overflow), script=script, crash=True) as live:
        asked = asyncio.ensure_future(live.call("reading", ["Read the book."], idempotency_key="k"))
        await reached.wait()
        await asyncio.sleep(0.1)  # what was answered before is on the disk
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    after = Script(lambda request: _answered(inner, request))
    async with world.running(a_desk(overflow), script=after) as live:
        outcome = await result_of(live, "reading", "Read the book.", idempotency_key="k")
    assert outcome["reason"] == "done"
    assert script.asked[: number - 1] + after.asked == straight.asked


def _answered(script: Script, request: Request) -> Answer:
    line = script._play(request)  # type: ignore[misc]
    return line if isinstance(line, Answer) else said(line)


# Sessions


def test_a_session_goes_on_from_its_summary_which_is_made_once(in_world: Play) -> None:
    script = Script(lambda request: "sum" if "Read well." not in texts(request) else "yes " * 20)

    async def main(world: World) -> None:
        for round in range(4):  # another process each
            async with world.running(a_desk(Summarise(tokens=50), sessions=100), script=script) as live:
                for number in range(10):
                    await live.call("chat", ["ann", f"{round}.{number} ".ljust(100, "z")])

    in_world(main)
    chats = [request for request in script.asked if "Read well." in texts(request)]
    sums = [request for request in script.asked if "Read well." not in texts(request)]
    assert len(chats) == 40
    assert 2 < len(sums) < 10, "a summary that was paid is kept with the session"
    assert texts(chats[-1])[1] == f"{SUMMARY}\nsum"
    told = "".join(texts(request)[1] for request in sums)
    shown = len(texts(chats[-1])) - 3
    numbers = [f"{round}.{number} " for round in range(4) for number in range(10)][: 39 - shown]
    assert all(told.count(number) == 1 for number in numbers), "each exchange is summarised once, and none is lost"


def test_a_session_outlives_a_crash_between_its_summary_and_its_commit() -> None:
    def answer(request: Request) -> str:
        return "sum" if "Read well." not in texts(request) else "yes " * 20

    async def main(world: World) -> None:
        reached = asyncio.Event()

        async def dying(request: Request) -> Answer:
            if len(script.asked) >= 2 and "Read well." not in texts(script.asked[-2]):  # the turn after a summary
                reached.set()
                await asyncio.Event().wait()
            return said(answer(request))

        script, after = Script(dying), Script(answer)
        desk = a_desk(Summarise(tokens=50), sessions=100)
        async with world.running(desk, script=script, crash=True) as live:
            for number in range(100):
                asked = asyncio.ensure_future(live.call("chat", ["ann", "z" * 100], idempotency_key=str(number)))
                await asyncio.wait(
                    [asked, stopped := asyncio.ensure_future(reached.wait())], return_when="FIRST_COMPLETED"
                )
                stopped.cancel()
                if not asked.done():
                    asked.cancel()
                    break
            await asyncio.gather(asked, return_exceptions=True)
        async with world.running(desk, script=after) as live:
            assert await result_of(live, "chat", "ann", "z" * 100, idempotency_key=str(number)) == "yes " * 20
            row = await world.store.row("session:reader", "main", "ann")
        assert len(after.asked) == 1, "the summary was not asked for again"
        assert row is not None and row.endswith(b',"sum"]')

    play(main)


def test_truncating_a_session_loses_nothing_of_what_is_kept(in_world: Play) -> None:
    script = Script(lambda request: "yes " * 20)

    async def main(world: World) -> None:
        async with world.running(a_desk(Truncate(), sessions=30), script=script) as live:
            for number in range(30):
                await live.call("chat", ["ann", f"{number} ".ljust(100, "z")])
            row = await world.store.row("session:reader", "main", "ann")
            assert row is not None
            assert row.count(b"zzz ") == 0 and row.count(b"yes yes") == 30 * 10

    in_world(main)
    assert all(tokens_in(request) <= ROOM for request in script.asked)


def test_a_retry_that_reads_another_session_keeps_all_of_it_in_words() -> None:
    """A person's retry reads the session anew: a summary of what is not there any more stands for nothing in it."""
    before = Earlier((("a", "b"), ("c", "d"), ("e", "f")), "old")
    left = Earlier((("e", "f"),), "new")
    journaled = sessions.as_journaled(before, left)
    assert sessions.after_replay(before, journaled) == left
    assert sessions.after_replay(before, None) == before
    other = Earlier((("c", "d"), ("e", "f"), ("g", "h")), "newer")
    assert sessions.after_replay(other, journaled) == other


def test_an_agent_that_stops_after_a_summary_leaves_its_session_as_it_was(in_world: Play) -> None:
    summaries = 0

    def answer(request: Request) -> Any:
        nonlocal summaries
        if "Read well." not in texts(request):
            summaries += 1
            return "sum"
        return Answer("no", finish="refused") if summaries else "yes " * 20

    async def main(world: World) -> None:
        async with world.running(a_desk(Summarise(tokens=50), sessions=100), script=Script(answer)) as live:
            kept = None
            while not summaries:
                kept = await world.store.row("session:reader", "main", "ann")
                with suppress(PartiError):
                    await live.call("chat", ["ann", "z" * 100])
            assert kept is not None
            assert await world.store.row("session:reader", "main", "ann") == kept

    in_world(main)


# Long conversations


@pytest.mark.parametrize("overflow", [Truncate(), Summarise(tokens=50)], ids=["truncate", "summarise"])
def test_a_conversation_of_200_turns_goes_on_in_a_small_window_with_linear_journal_bytes(overflow: Any) -> None:
    def written(turns: int) -> int:
        script = reads(turns)

        async def main(world: World) -> int:
            async with world.running(a_desk(overflow), script=script) as live:
                assert (await result_of(live, "reading", "Read."))["reason"] == "done"
                rows = await world.store.journal((await the_run(live)).id)
                return sum(len(row.body) for row in rows)

        return play(main)

    fifty, all_of_them = written(50), written(200)
    assert all_of_them < 4.2 * fifty
    assert all_of_them < 200 * 2_000


def test_a_replay_of_a_long_conversation_takes_the_same_way() -> None:
    """Started again after each of 2 x 60 steps, with two hundred requests that must have the digests that they had."""
    for overflow in (Truncate(keep=0.4), Summarise(tokens=50)):
        straight, replaying = reads(60), reads(60)
        work(play, overflow, straight)

        async def main(world: World, script: Script = replaying, overflow: Any = overflow) -> None:
            world.replay_each = True
            async with world.running(a_desk(overflow), script=script) as live:
                await live.call("reading", ["Read the book."])

        play(main)
        assert replaying.asked == straight.asked


def test_a_called_agent_and_a_stream_are_kept_within_the_window_alike(in_world: Play) -> None:
    desk = System("desk")
    llm = desk.llm("local", context=ROOM + ANSWER, max_tokens=ANSWER)

    @desk.tool(effect="read")
    async def read(number: int) -> str:
        return f"<{number}>".ljust(300, "x")

    reader = desk.agent("reader", llm=llm, tools=[read], overflow=Summarise(tokens=50), turns=40)
    boss = desk.agent("boss", llm=llm, tools=[reader], instructions="Lead.")

    @desk.post("/lead")
    async def lead() -> str:
        pieces = []
        work = boss.stream("Go.")
        async for piece in work:
            pieces.append(piece)
        return "".join(pieces)

    inner = reads(20, lambda request: "secret summary")

    def answer(request: Request) -> Any:
        if "Lead." not in texts(request):
            return inner._play(request)  # type: ignore[misc]
        told = [one.text for one in request.messages if isinstance(one, Returned)]
        return f"They say {told[0]}" if told else calls(("reader", {"task": "Read."}))

    script = Script(answer)

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "lead") == 'They say "done"'

    in_world(main)
    assert sum(not request.tools for request in script.asked) > 1
    assert all(tokens_in(request) <= ROOM + ANSWER for request in script.asked)


def test_a_memory_note_counts_and_goes_before_the_turns_of_the_task(in_world: Play) -> None:
    desk = System("desk")
    llm = desk.llm("local", context=ROOM + ANSWER, max_tokens=ANSWER)
    notes = desk.memory("notes")

    @desk.tool(effect="read")
    async def read(number: int) -> str:
        return f"<{number}>".ljust(300, "x")

    reader = desk.agent("reader", llm=llm, tools=[read], memory=notes, overflow=Truncate(keep=0.8), turns=40)

    @desk.post("/read", key="user")
    async def reading(user: str) -> str:
        await notes.remember("The book is long. " * 60)
        return await reader.run("Read the book.")

    script = reads(9)

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "reading", "ann") == "done"

    in_world(main)
    assert "The book is long." in texts(script.asked[0])[0]
    cut = next(request for request in script.asked if "left out here" in texts(request)[0])
    assert not any("The book is long." in text for text in texts(cut))
    assert read_of(cut)[0] == "1", "the note alone made enough room"
    assert size_of(cut.messages[0]) < 100
