"""The other views: lists of runs, topics, dead letters, questions, parts and stories, and what is revealed of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from board_desk import Claim, Outside, a_desk
from engine_kit import World, play, wait_for_state

from parti.board.queries import dead, events, part, questions, reveal, runs, story, topics
from parti.board.queries.as_json import as_json
from parti.board.queries.masking import MASK
from parti.board.queries.run import run
from parti.board.queries.runs import Filters
from parti.errors import PartiError
from parti.ports.store import State
from parti.testing.live import Live


async def file(live: Live, *claims: Claim) -> None:
    await live.publish("claims", [one.model_dump_json(by_alias=True).encode() for one in claims])


async def all_pages(world: World, design: Any, **wanted: Any) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        page = await runs.runs(world.store, design, Filters(after=after, **wanted), at=world.clock.now())
        found += [line.id for line in page.runs]
        if page.next is None:
            assert page.exhausted
            return found
        after = page.next


def test_runs_are_paged_each_once_also_where_many_came_at_one_moment() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await file(live, *(Claim(id=f"c{number}") for number in range(57)))
            await live.idle()
            for limit in (1, 7, 50, 200):
                found = await all_pages(world, system.design, part="decide", limit=limit)
                assert len(found) == len(set(found)) == 57
            assert len(await all_pages(world, system.design, key="c5")) == 2
            assert len(await all_pages(world, system.design, state="done", limit=10)) == 114
            assert await all_pages(world, system.design, tenant="other") == []

    play(main)


def test_a_text_is_looked_for_in_what_is_shown_and_it_is_said_how_far() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await file(live, Claim(id="c1", note="a yellow car"), Claim(id="c2", note="a red one"))
            await live.idle()
            now = world.clock.now()
            found = await runs.runs(world.store, system.design, Filters(text="YELLOW"), at=now)
            assert [line.key for line in found.runs] == ["c1"]
            assert (found.looked_at, found.exhausted) == (4, True)
            hidden = await runs.runs(world.store, system.design, Filters(text="Ardent"), at=now)
            assert hidden.runs == (), "a search does not tell what is masked"
            for odd in (Filters(state="odd"), Filters(limit=0), Filters(after="x"), Filters(after="[]")):
                with pytest.raises(PartiError):
                    await runs.runs(world.store, system.design, odd, at=now)

    play(main)


def test_events_are_shown_masked_and_a_masked_field_is_given_at_its_place_alone() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await file(live, *(Claim(id=f"c{number}", note="Ann Ardent was here") for number in range(9)))
            await live.idle()
            newest = await events.tail(live.store, system.design, "claims", limit=3)
            assert len(newest.events) == 3
            assert newest.end == 9
            one = newest.events[0]
            assert one.payload.value["name"] == one.payload.value["accountNumber"] == MASK
            assert one.payload.value["note"] == "••• was here"
            place = one.payload.masked[0].place
            assert (await reveal.revealed(live.store, system.design, place)).value == "Ann Ardent"
            base = place.split("#")[0]
            for odd in ("", "x", base, f"{base}#/id", f"{base}#/nothing", "event/claims/9/99#/name", "run/x/result#",
                        f"entry/x/{'9' * 40}/0/answer#", "event/claims/0/99999999999999999999#/name"):  # fmt: skip
                with pytest.raises(PartiError):
                    await reveal.revealed(live.store, system.design, odd)
            around = await events.events_around(
                live.store, system.design, "claims", one.partition, around=one.offset, limit=2
            )
            assert one.offset in [event.offset for event in around.events]
            detail = await events.event(live.store, system.design, "claims", one.partition, one.offset)
            assert [line.part for line in detail.runs] == ["decide"]
            letter = (await events.tail(live.store, system.design, "letters")).events[0]
            assert letter.payload.value["to"] == MASK
            with pytest.raises(PartiError):
                await events.tail(live.store, system.design, "nothing")

    play(main)


def test_every_masked_place_of_a_run_can_be_revealed() -> None:
    async def main(world: World) -> None:

        system = a_desk()
        async with world.running(system) as live:
            await live.call("file", ["c1", "Ann Ardent"])
            await live.idle()
            count = 0
            for record in await live.store.runs():
                shown = await run(live.store, system.design, record.id, at=world.clock.now())
                text = json.dumps(as_json(shown))
                assert "Ardent" not in text, record.id
                assert "4711" not in text
                for place in _places(as_json(shown)):
                    found = await reveal.revealed(live.store, system.design, place)
                    assert found.value in ("Ann Ardent", "DE-4711-xyz")
                    count += 1
            assert count >= 6

    play(main)


def _places(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["place"]] if {"path", "labels", "place"} == value.keys() else []
        return own + [place for item in value.values() for place in _places(item)]
    return [place for item in value for place in _places(item)] if isinstance(value, list) else []


def test_topics_say_how_far_their_handlers_are_and_what_may_be_published() -> None:
    async def main(world: World) -> None:
        system = a_desk(Outside(fails=2))
        async with world.running(system) as live:
            await file(live, Claim(id="c1"))
            await asyncio.sleep(30)
            found = {one.topic: one for one in await topics.topics(live.store, system.design)}
        assert set(found) == {"claims", "letters"}
        assert found["claims"].lag == {"decide": 0}
        assert found["letters"].dead == 1
        assert found["claims"].schema["required"] == ["id"]
        assert found["claims"].newest == found["claims"].oldest

    play(main)


def test_dead_letters_say_what_happened_and_what_a_retry_does() -> None:
    async def main(world: World) -> None:
        system = a_desk(Outside(fails=2))
        async with world.running(system) as live:
            await file(live, Claim(id="c1"))
            await wait_for_state(live, State.DEAD)
            now = world.clock.now()
            found = await dead.dead_letters(live.store, system.design, topic="letters", at=now)
            [letter] = found.letters
            assert letter.error is not None
            assert letter.error.message.value == "`post` raised RuntimeError: no street for •••"
            assert letter.event is not None
            assert letter.event.payload.value["to"] == MASK
            assert "called again from its first line" in letter.retry
            assert letter.can_retry
            assert (await dead.dead_letters(live.store, system.design, topic="claims", at=now)).letters == ()
            shown = (await events.tail(live.store, system.design, "letters.dead")).events[0]
            assert "Ardent" not in json.dumps(as_json(shown))

    play(main)


def test_a_question_comes_with_all_that_a_person_needs_and_keeps_who_answered() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await file(live, Claim(id="c1", plan="ask"))
            await wait_for_state(live, State.WAITING)
            now = world.clock.now()
            [one] = await questions.questions(live.store, system.design, at=now)
            assert one.text.value == "Pay ••• for c1?"
            assert one.schema == {"type": "boolean"}
            assert one.left_seconds == pytest.approx(9 * 86_400, rel=0.001)
            assert one.event is not None
            assert one.event.payload.value["id"] == "c1"
            assert [(step.part, step.answer.value) for step in one.so_far] == [("look", "••• has •••")]
            assert ("pii", "claims") in [(each.label, each.part) for each in one.provenance]
            await live.answer_all(b"true", by="cleo")
            await live.idle()
            assert await questions.questions(live.store, system.design, at=now) == ()
            [settled] = await questions.questions(live.store, system.design, state="answered", at=now)
            assert (settled.by, settled.state) == ("cleo", "answered")
            assert settled.answer is not None
            assert settled.answer.value is True
            assert settled.answered is not None

    play(main)


def test_a_story_goes_from_the_call_to_the_last_letter_from_wherever_one_looks() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            outcome = await live.call("file", ["c1", "Ann Ardent"])
            await file(live, Claim(id="other"))
            await live.idle()
            last = (await live.store.runs(part="send", of=("main", "c1")))[0].id
            for asked in (outcome.run, last):
                found = await story.story(live.store, system.design, asked, at=world.clock.now())
                assert [node.run.part for node in found.nodes] == ["file", "decide", "send"]
                assert [node.parent for node in found.nodes] == [None, outcome.run, found.nodes[1].run.id]
                assert [one.event.topic for one in found.events] == ["claims", "letters"]
                assert found.root == outcome.run
                assert not found.cut

    play(main)


def test_a_part_shows_its_source_its_labels_and_its_errors_by_cause() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            await file(live, *(Claim(id=f"c{number}", plan="broken", name=f"Name{number}x") for number in range(5)))
            await file(live, *(Claim(id=f"d{number}") for number in range(20)))
            await asyncio.sleep(60)
            now = world.clock.now()
            shown = await part.part(live.store, system.design, "decide", at=now)
            look = await part.part(live.store, system.design, "look", at=now)
            claims = await part.part(live.store, system.design, "claims", at=now)
            with pytest.raises(PartiError):
                await part.part(live.store, system.design, "nothing", at=now)
        assert shown.source is not None
        assert "async def decide(claim: Claim)" in shown.source
        [cause] = shown.errors
        assert (cause.code, cause.count) == ("P307", 5)
        assert "Name" not in cause.message
        assert cause.message.startswith("ValueError: claim … of ••• is broken since 0")
        assert sum(bucket.count for bucket in look.histogram) == 20
        assert look.p50_seconds == pytest.approx(0.1, abs=0.01)
        assert ("name", "pii") in [(one.path, one.label) for one in claims.labels]
        assert claims.schema is not None
        assert look.options["concurrency"] is None
        for one in system.design.parts:
            as_json(await part.part(world.store, system.design, one.name, at=now))

    play(main)
