"""Lists that a page reads again and again are bounded, whatever lies in what they list."""

from __future__ import annotations

import json

from board_desk import Claim, a_desk
from engine_kit import World, play, wait_for_state

from parti.board.queries.as_json import as_json
from parti.board.queries.events import LINE_BYTES, event, events_around, tail
from parti.board.queries.questions import question, questions
from parti.ports.store import State

LARGE = "long " * 20_000


def test_a_list_of_events_shows_the_beginning_of_large_ones_and_a_look_into_one_more() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            large, small = (Claim(id="c1", note=note).model_dump_json(by_alias=True).encode() for note in (LARGE, ""))
            await live.publish("claims", [large, small])
            await live.idle()
            lists = [await tail(live.store, system.design, "claims")]
            lists += [await events_around(live.store, system.design, "claims", number, around=0) for number in range(2)]
            for found in lists:
                assert len(json.dumps(as_json(found))) < 3 * LINE_BYTES
                assert all("Ardent" not in json.dumps(as_json(one)) for one in found.events)
            [beginning] = [one for one in lists[0].events if one.payload.cut]
            whole = await event(live.store, system.design, "claims", beginning.partition, beginning.offset)
            assert len(str(whole.payload.value)) > 10 * LINE_BYTES

    play(main)


def test_a_brief_list_of_questions_leaves_out_the_run_and_still_masks_what_it_read() -> None:
    async def main(world: World) -> None:
        system = a_desk()
        async with world.running(system) as live:
            claim = Claim(id="c1", plan="ask", note=LARGE)
            await live.publish("claims", [claim.model_dump_json(by_alias=True).encode()])
            await wait_for_state(live, State.WAITING)
            now = world.clock.now()
            [brief] = await questions(live.store, system.design, brief=True, at=now)
            [full] = await questions(live.store, system.design, at=now)
            assert full.event is not None and full == await question(live.store, system.design, full.id, at=now)
            assert (brief.event, brief.arguments, brief.so_far) == (None, None, ())
            assert (brief.text, brief.run, brief.provenance) == (full.text, full.run, full.provenance)
            assert "Ann" not in str(brief.text.value)
            assert len(json.dumps(as_json(brief))) < 4_000

    play(main)
