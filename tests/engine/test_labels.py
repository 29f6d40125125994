"""Labels are held while a system runs: what a run has read is in its journal, and gates decide what it may then do."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from engine_kit import Play, World, entries_of, the_run, wait_for_state
from labels_kit import BOB, EVE, LETTER, Bank, office

from parti import Gate, Label, PartiError, System
from parti.ports.llm import Answered
from parti.ports.store import State
from parti.testing import Script, calls

READ_THEN_PAY = [calls(("letter", {"id": "letter-0001"})), calls(("pay", {"to": EVE, "amount": 5000})), "done"]
ASKS = Gate("ask", who="boss")


def script(*said: Any) -> Script:
    return Script(list(said or READ_THEN_PAY))


async def answer_all(live: Any, value: bytes) -> int:
    """Answer every open question; how many there were."""
    found = [one for one in await live.store.questions() if one.state == "open"]
    for question in found:
        await live.engine.answer(question.id, value, by="boss")
    return len(found)


def test_what_a_run_has_read_is_in_its_journal_once_for_each_label(in_world: Play) -> None:
    async def main(world: World) -> None:
        said = (calls(("letter", {"id": "a"})), calls(("letter", {"id": "b"})), "done")
        async with world.running(office(Bank()), script=script(*said)) as live:
            await live.call("do", ["read a and b"])
            taints = [one for one in await entries_of(live.store, (await the_run(live)).id) if one.kind == "taint"]
            assert [(one.part, one.answer) for one in taints] == [("letter", ["untrusted"])]

    in_world(main)


def test_a_write_after_an_untrusted_letter_is_refused_by_default(in_world: Play) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        async with world.running(office(bank), script=script()) as live:
            await live.call("do", ["read letter-0001"])
            gates = [one for one in await entries_of(live.store, (await the_run(live)).id) if one.kind == "gate"]
            assert [one.answer["then"] for one in gates] == ["refuse"]
            assert gates[0].arguments["concerns"][0]["labels"] == ["untrusted"]
        assert bank.paid == []

    in_world(main)


def test_a_write_before_anything_untrusted_was_read_is_made_unasked(in_world: Play) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        said = (calls(("pay", {"to": BOB})), calls(("letter", {"id": "a"})), "done")
        async with world.running(office(bank), script=script(*said)) as live:
            await live.call("do", ["pay Bob, then read"])
        assert bank.paid == [(BOB, 1.0)]

    in_world(main)


def test_labels_off_pays_whom_the_letter_says(in_world: Play) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        async with world.running(office(bank, labels="off"), script=script()) as live:
            await live.call("do", ["read letter-0001"])
            kinds = {one.kind for one in await entries_of(live.store, (await the_run(live)).id)}
            assert not kinds & {"taint", "gate"}
        assert bank.paid == [(EVE, 5000.0)]

    in_world(main)


@pytest.mark.parametrize(("answer", "paid"), [(b"true", [(EVE, 5000.0)]), (b"false", [])])
def test_a_person_is_shown_the_argument_its_value_and_its_source_and_decides(
    in_world: Play, answer: bytes, paid: list[Any]
) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        gate = Gate("ask", who="boss", trace=True)
        async with world.running(office(bank, gate), script=script(), crash=True) as live:
            calling = live.engine.spawn(live.call("do", ["read letter-0001"]))
            await wait_for_state(live, State.WAITING)
            (question,) = await live.store.questions()
            assert question.who == "boss"
            assert EVE in question.text
            assert "`to` may be untrusted (seen in letter.text)" in question.text
            calling.cancel()
        async with world.running(office(bank, gate), script=script("done")) as live:
            assert await answer_all(live, answer) == 1
            await live.idle()
            assert (await the_run(live)).state is State.DONE
        assert bank.paid == paid

    in_world(main)


def test_a_person_is_asked_so_often_an_hour_and_then_it_is_refused(in_world: Play) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        said = [calls(("letter", {"id": "a"})), calls(*(("pay", {"to": f"{EVE}{n}"}) for n in range(3))), "done"]
        async with world.running(office(bank, Gate("ask", who="boss", per_hour=2)), script=script(*said)) as live:
            calling = live.engine.spawn(live.call("do", ["read"]))
            await wait_for_state(live, State.WAITING)
            while await answer_all(live, b"false"):
                await live.engine.clock.wait(1)
            await calling
            gates = [one for one in await entries_of(live.store, (await the_run(live)).id) if one.kind == "gate"]
            assert sorted(one.answer["then"] for one in gates) == ["ask", "ask", "too often"]

    in_world(main)


def test_a_refusal_in_a_handler_ends_the_run_at_once_and_a_retry_decides_anew(in_world: Play) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        async with world.running(office(bank), script=script()) as live:
            with pytest.raises(PartiError, match="P901 `pay` is not cleared"):
                await live.call("obey", ["a"])
            run = await the_run(live)
            assert run.attempt == 1
        async with world.running(office(bank, Gate("allow")), script=script()) as live:
            await live.engine.retry(run.id)
            await live.idle()
        assert len(bank.paid) == 1

    in_world(main)


def test_a_system_that_says_nothing_of_labels_journals_nothing_of_them(in_world: Play) -> None:
    async def main(world: World) -> None:
        desk = System("desk")

        @desk.tool(effect="read")
        async def look(id: str) -> str:
            return id

        @desk.tool(effect="write", key="id")
        async def act(id: str) -> str:
            return id

        @desk.post("/do")
        async def do(id: str) -> str:
            return await act(await look(id))

        async with world.running(desk) as live:
            await live.call("do", ["a"])
            kinds = [one.kind for one in await entries_of(live.store, (await the_run(live)).id)]
            assert not {"taint", "gate"} & set(kinds)
            assert live.engine.services.labelling is None

    in_world(main)


class Sort(StrEnum):
    """What a letter is about."""

    BILL = "bill"
    OTHER = "other"


def sorting(bank: Bank, released: bool) -> System:
    """An office in which what a letter is about decides what is paid: by a quarantined reading, or by any."""
    desk = office(bank)
    llm = desk.llm("local", name="sorter")
    sort = desk.extractor("sort", llm=llm, output=Sort)

    @desk.tool(effect="read", labels=Label.UNTRUSTED)
    async def inbox() -> str:
        return LETTER

    @desk.guard(releases=Label.UNTRUSTED)
    async def first_sort() -> Sort:
        return await sort(await inbox())

    @desk.tool(effect="write", key="what", labels=Label.TRUSTED)
    async def file(what: str) -> str:
        bank.paid.append((what, 0.0))
        return "filed"

    @desk.post("/sort", timeout="9d", labels=Label.TRUSTED)
    async def sorted_in(id: str) -> str:
        return await file((await first_sort()).value if released else await inbox())

    return desk


@pytest.mark.parametrize(("released", "filed"), [(True, [("bill", 0.0)]), (False, [])])
def test_a_quarantined_reading_leaves_the_run_clean_and_a_plain_one_does_not(
    in_world: Play, released: bool, filed: list[Any]
) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        async with world.running(sorting(bank, released), script=script('"bill"')) as live:
            try:
                await live.call("sorted_in", ["a"])
            except PartiError as refusal:
                assert refusal.code == "P901"
            read = [one.part for one in await entries_of(live.store, (await the_run(live)).id) if one.kind == "taint"]
            assert read == ([] if released else ["inbox"])
        assert bank.paid == filed

    in_world(main)


def test_an_extractor_of_plain_text_is_refused_when_it_is_declared() -> None:
    desk = System("desk")
    with pytest.raises(PartiError, match="P105 names's output can be any text"):
        desk.extractor("names", llm=desk.llm("local"), output=str)


@pytest.mark.parametrize("after", range(1, 9))
def test_a_crash_at_any_moment_loses_no_label_and_pays_no_stranger(in_world: Play, after: int) -> None:
    bank = Bank()

    async def main(world: World) -> None:
        def play(request: Any) -> Any:
            return READ_THEN_PAY[sum(isinstance(one, Answered) for one in request.messages)]

        async with world.running(office(bank), script=Script(play), crash=True) as live:
            calling = live.engine.spawn(live.call("do", ["read letter-0001"]))
            await live.engine.clock.wait(after * 0.003)
            calling.cancel()
        async with world.running(office(bank), script=Script(play)) as live:
            await live.idle()
            for run in await live.store.runs():
                kinds = [one.kind for one in await entries_of(live.store, run.id)]
                assert kinds.count("taint") == 1
                assert kinds.count("gate") == 1
        assert bank.paid == []

    in_world(main)
