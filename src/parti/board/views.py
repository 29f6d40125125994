"""What each view of the page asks for, by the name of its address: one line a view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from parti.board.asked import Asked
from parti.board.queries.dead import dead_letters
from parti.board.queries.events import event, events_around, tail
from parti.board.queries.kinds import kind_of
from parti.board.queries.part import part
from parti.board.queries.picture import picture
from parti.board.queries.questions import question, questions
from parti.board.queries.run import run
from parti.board.queries.runs import Filters, runs
from parti.board.queries.story import story
from parti.board.queries.topics import topics
from parti.board.shown import Shown
from parti.design.graph import Part

View = Callable[[Asked], Awaitable[object]]
"""Reads what is asked for; raises P308 for what there is not, P504 for a query that it cannot read."""


def views(shown: Shown) -> Mapping[str, View]:
    """Every view of what is shown. ``GET /-/board/api/<name>?<words>`` answers with its value as JSON."""
    running = shown.operations
    store, design, now = running.store, running.design, running.clock.now
    return {
        "plan": lambda _: _plan(shown),
        "findings": lambda _: shown.findings(),
        "picture": lambda asked: picture(store, design, at=asked.moment("at") or now(), now=now()),
        "part": lambda asked: part(store, design, asked.text("name"), at=now()),
        "runs": lambda asked: runs(store, design, _filters(asked), at=now()),
        "run": lambda asked: run(store, design, asked.text("id"), at=now()),
        "story": lambda asked: story(store, design, asked.text("id"), at=now()),
        "topics": lambda _: topics(store, design),
        "tail": lambda asked: tail(store, design, asked.text("topic"), limit=asked.count("limit", 50)),
        "events": lambda asked: events_around(
            store, design, asked.text("topic"), asked.count("partition", 0), around=asked.count("around", 0)
        ),
        "event": lambda asked: event(
            store, design, asked.text("topic"), asked.count("partition", 0), asked.count("offset", 0), at=now()
        ),
        "dead-letters": lambda asked: dead_letters(
            store, design, topic=asked.text("topic"), part=asked.text("part"), after=asked.text("after"), at=now()
        ),
        "questions": lambda asked: questions(
            store,
            design,
            state=asked.text("state", "open"),
            who=asked.text("who"),
            limit=asked.count("limit", 50),
            brief=bool(asked.count("brief", 0)),
            at=now(),
        ),
        "question": lambda asked: question(store, design, asked.text("id"), at=now()),
    }


async def _plan(shown: Shown) -> object:
    """The drawing, and what a card says of each part of it."""
    design = shown.operations.design
    parts = [_about(one) for one in design.parts]
    return {"system": design.name, "digest": design.digest, "drawing": shown.drawing, "parts": parts}


def _about(one: Part) -> dict[str, str]:
    return {"name": one.name, "kind": kind_of(one), "about": one.about, "place": str(one.place)}


def _filters(asked: Asked) -> Filters:
    return Filters(
        part=asked.text("part"),
        state=asked.text("state"),
        key=asked.text("key"),
        tenant=asked.text("tenant"),
        text=asked.text("text"),
        since=asked.moment("since"),
        until=asked.moment("until"),
        after=asked.text("after"),
        limit=asked.count("limit", 50),
    )
