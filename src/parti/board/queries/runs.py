"""Runs: lists of them, narrowed down, a page at a time; with a text that is looked for in a bounded number of them.

The store filters by part, state, key and time. A text is looked for in what the list shows and in a run's own arguments, result and
error as they are shown, masked fields left out: a search must not tell what the page hides.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import inf, nextafter
from typing import Final

from parti.board.queries.lines import RunLine, known_of, origin_of, run_line, run_lines, shown
from parti.board.queries.masking import Known, mask
from parti.board.queries.sources import arguments_raw, event_raw, json_of, key_is_masked, result_raw
from parti.design.graph import Design
from parti.design.tenants import MAIN_TENANT
from parti.errors import RunError
from parti.ports.store import RunRecord, State, Store
from parti.units import Seconds

LIMIT_MAX: Final = 200
LOOKED_AT_MAX: Final = 400
"""Runs that are read for one page, at most, where a text is looked for: about 0.2 ms each, while nothing else is done."""

PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; empty fields ask for nothing. `since` and `until` bound the time of creation (seconds since 1970).

    `key` is the whole key, of the `tenant` (by default "main"). `after` is `next` of the page before.
    """

    part: str = ""
    state: str = ""
    key: str = ""
    tenant: str = ""
    text: str = ""
    since: Seconds | None = None
    until: Seconds | None = None
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RunsShown:
    """A page, the latest runs first. `looked_at` runs were read, back to `looked_until`; `exhausted` says that there are no more."""

    runs: tuple[RunLine, ...]
    next: str | None
    looked_at: int
    looked_until: Seconds | None
    exhausted: bool


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Goes on below the moment `until`; `seen` are the runs of exactly that moment that were shown."""

    until: Seconds
    seen: frozenset[str] = frozenset()

    def text(self) -> str:
        return json.dumps([self.until, *sorted(self.seen)])


async def runs(store: Store, design: Design, filters: Filters, *, at: Seconds) -> RunsShown:
    """A page of runs. Raises P308 for a state that there is not, and for a cursor or limit that cannot be."""
    if filters.state and filters.state not in set(State):
        raise RunError("P308", f"there is no state {filters.state!r}", fix=f"one of: {', '.join(State)}")
    if not 1 <= filters.limit <= LIMIT_MAX:
        raise RunError("P308", f"a page has no {filters.limit} runs", fix=f"ask for 1 to {LIMIT_MAX}")
    cursor = _read(filters.after)
    found: list[RunRecord] = []
    looked_at, bound = 0, LOOKED_AT_MAX if filters.text else filters.limit
    while len(found) < filters.limit:
        page = await _page(store, filters, cursor, min(PAGE, max(2, bound + 1)))
        fresh = [one for one in page.records if cursor is None or one.id not in cursor.seen]
        for record in fresh:
            if len(found) == filters.limit or (looked_at == bound and filters.text):
                break
            looked_at += 1
            cursor = _after(cursor, record)
            if await _fits(store, design, record, filters):
                found.append(record)
        else:
            if not page.more:
                return RunsShown(
                    tuple(await run_lines(store, design, found, at)), None, looked_at, _until(cursor), True
                )
            if not fresh:
                cursor = _past(cursor, page)
            continue
        break
    lines = tuple(await run_lines(store, design, found, at))
    return RunsShown(lines, cursor.text() if cursor else None, looked_at, _until(cursor), False)


@dataclass(frozen=True, slots=True)
class _Page:
    records: list[RunRecord]
    more: bool


async def _page(store: Store, filters: Filters, cursor: _Cursor | None, limit: int) -> _Page:
    """The next runs at or below the cursor. Runs of the cursor's moment come again, and are known by `seen`."""
    until = filters.until or 0.0
    if cursor is not None:
        until = _next_up(cursor.until)
        limit += len(cursor.seen)
    records = await store.runs(
        part=filters.part,
        state=State(filters.state) if filters.state else None,
        since=filters.since or 0.0,
        until=until,
        of=(filters.tenant or MAIN_TENANT, filters.key) if filters.key else None,
        tenant="" if filters.key else filters.tenant,
        limit=limit,
    )
    return _Page(records, len(records) == limit)


def _next_up(moment: Seconds) -> Seconds:
    """A moment just later, so that `until` includes `moment` itself."""
    return nextafter(moment, inf)


def _after(cursor: _Cursor | None, record: RunRecord) -> _Cursor:
    if cursor is not None and cursor.until == record.created:
        return replace(cursor, seen=cursor.seen | {record.id})
    return _Cursor(record.created, frozenset([record.id]))


def _past(cursor: _Cursor | None, page: _Page) -> _Cursor:
    """Below a moment of which all runs were shown."""
    last = page.records[-1].created
    return _Cursor(
        last, frozenset(one.id for one in page.records if one.created == last) | (cursor.seen if cursor else set())
    )


def _until(cursor: _Cursor | None) -> Seconds | None:
    return cursor.until if cursor else None


def _read(text: str) -> _Cursor | None:
    if not text:
        return None
    try:
        until, *seen = json.loads(text)
        return _Cursor(float(until), frozenset(map(str, seen)))
    except (ValueError, TypeError) as wrong:
        raise RunError(
            "P308", f"{text[:70]!r} is no place in the list", fix="give `next` of the page before"
        ) from wrong


async def _fits(store: Store, design: Design, record: RunRecord, filters: Filters) -> bool:
    """Whether a run that the store found is listed. One whose key is masked is not found by it: to guess a key is to see it."""
    if filters.key and key_is_masked(design, record):
        return False
    return not filters.text or await _says(store, design, record, filters.text)


async def _says(store: Store, design: Design, record: RunRecord, text: str) -> bool:
    """Whether a run says a text, in whatever case: in its line, or in its input, result and error as they are shown."""
    wanted = text.casefold()
    known: Known = await known_of(store, design, record)
    line = run_line(design, record, record.ended or record.created, known)
    if wanted in f"{line.id} {line.key} {line.error or ''}".casefold():
        return True
    event = await origin_of(store, record)
    raws = [arguments_raw(design, record), result_raw(design, record), event_raw(design, event) if event else None]
    said = [shown(raw, known) for raw in raws if raw]
    texts = [json.dumps(one.value, ensure_ascii=False) for one in said if one]
    error = json.dumps(mask(json_of(record.error), None, "", known).value, ensure_ascii=False)
    return any(wanted in one.casefold() for one in [*texts, error])
