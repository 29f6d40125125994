"""Reading arrows: what cannot be read is said with its place, and ordinary code says nothing."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import re
from datetime import UTC, datetime, timedelta

import arrows_app
import httpx
import pytest
from arrows_app import BY_NAME, TABLES, TOOLS, Row, Score, Service, answers, book, look_up, orders, other, risk, service
from arrows_marks import Cases, drawn, promised, read
from pydantic import BaseModel, ConfigDict, Field, field_validator

from parti.declare.arrows import read_arrows
from parti.declare.inside import ask, now

case = Cases()
SPOT = re.compile(r"#: (.*)")


@case
async def handed_to_a_library(row):
    json.dumps(book)  #: `book` is handed to json.dumps; what happens there cannot be seen


@case
async def handed_over_inside_a_container(row):
    row.keep([look_up, {"x": 1}])  #: `look_up` is handed to row.keep; what happens there cannot be seen


@case
async def handed_over_inside_an_object(row):
    row.keep(Service(book))  #: `book` is handed to row.keep; what happens there cannot be seen


@case
async def handed_over_by_keyword(row):
    httpx.Client(auth=book)  #: `book` is handed to httpx.Client; what happens there cannot be seen


@case
async def stored_in_a_stranger(row):
    row.table = book  #: `book` is stored where it cannot be followed


@case
async def stored_in_a_container_of_another(row):
    row.tables["x"] = book  #: `book` is stored where it cannot be followed


@case
async def added_to_a_container_of_the_module(row):
    TOOLS.append(look_up)  #: `look_up` is stored where it cannot be followed


@case
async def a_computed_attribute(row):
    await getattr(service, row.id)()  #: an attribute is chosen by a computed name; which it is cannot be told


@case
async def a_computed_attribute_of_a_module(row):
    await getattr(arrows_app, row.id)()  #: an attribute is chosen by a computed name; which it is cannot be told


@case
async def a_computed_attribute_of_a_part(row):
    await getattr(book, row.id)()  #: an attribute is chosen by a computed name; which it is cannot be told


@case
async def a_computed_name(row):
    await globals()[row.id](row)  #: a name of the program is computed here; which it is cannot be told


@case
async def a_computed_name_of_an_object(row):
    await vars(service)[row.id].get("1")  #: a name of the program is computed here; which it is cannot be told


@case
async def a_computed_module(row):
    importlib.import_module(row.id).run()  #: a module is imported by a computed name; which it is cannot be told


@case
async def text_as_program(row):
    eval(row.id)  #: `eval` runs text as program; what it does cannot be read
    exec(row.id)  #: `exec` runs text as program; what it does cannot be read


@case
async def an_unknown_callback(row, callback):
    await callback(row)  #: `callback` is an argument; what is called here is decided by the caller


@case
async def an_unknown_person(row):
    await ask(row.id, "yes?")  #: who is asked is computed


@pytest.mark.parametrize("function", case, ids=lambda function: function.__name__)
def test_what_cannot_be_read_is_said_with_its_place(function):
    lines, first = inspect.getsourcelines(function)
    promised_spots = [(n, SPOT.search(text)[1]) for n, text in enumerate(lines, first) if SPOT.search(text)]
    reading = read(function)
    assert [(spot.place.line, spot.why) for spot in reading.opaque] == promised_spots
    assert all(spot.part == "it" for spot in reading.opaque)
    assert reading.arrows == ()


def test_a_module_of_the_app_that_is_not_loaded_is_said(tmp_path):
    (tmp_path / "arrows_late.py").write_text("def run(row): ...")

    async def late(row):
        from arrows_late import run  # noqa: PLC0415

        run(row)

    spots = read_arrows("it", late, root=tmp_path).opaque
    assert [spot.why for spot in spots] == ["the module arrows_late is imported only when this runs; it is not read"]


def test_endless_growth_of_calls_is_bounded_and_said():
    def grow(row, seen=()):
        return grow(row, (seen, lambda: seen))

    async def start(row):
        await book.put(grow(row))

    reading = read(start)
    assert [arrow.target for arrow in reading.arrows] == ["book"]


def test_calls_deeper_than_the_bound_are_said():
    names = {"book": book}
    exec("\n".join(f"async def f{n}(row): await f{n + 1}(row)" for n in range(60)), names)
    exec("async def f60(row): await book.put(row)", names)
    reading = read(names["f0"])
    assert reading.arrows == ()
    assert [spot.why for spot in reading.opaque] == ["calls go 30 deep; `f30` is not followed from here"]


# Ordinary code

log = logging.getLogger(__name__)
http = httpx.AsyncClient(timeout=3)
RATES = {"EUR": 1.0, "USD": 1.1}
_cache = {}


class Letter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1)
    text: str
    at: datetime | None = None

    @field_validator("to")
    @classmethod
    def known(cls, value):
        return value.strip()

    @classmethod
    def of(cls, row, **more):
        return cls(to=row.id, text=f"{row.amount:.2f}", **more)

    def worth(self, name):
        return getattr(self, name, None)


def converted(row, currency="EUR"):
    global _cache  # noqa: PLW0603
    key = (row.id, currency)
    if key not in _cache:
        _cache = {**_cache, key: round(row.amount * RATES.get(currency, 1.0), 2)}
    return _cache[key]


async def fetched(url, *, tries=3, **options):
    for number in range(tries):
        try:
            async with http.stream("GET", url, **options) as answer:
                answer.raise_for_status()
                return [json.loads(line) async for line in answer.aiter_lines() if line.strip()]
        except httpx.HTTPError as wrong:
            log.warning("try %d of %s: %r", number, url, wrong, extra={"url": url})
    return []


async def ordinary(row):
    """Sixty lines as people write them."""
    started = now()
    log.info("row %s at %s", row.id, started.isoformat())
    until = datetime.now(UTC) + timedelta(days=2)
    raw = json.loads(json.dumps(row.model_dump(mode="json")))
    fields = sorted(raw.items(), key=lambda pair: (pair[0], str(pair[1])))
    words = ", ".join(f"{name}={value!r}" for name, value in fields if not name.startswith("_"))
    found = await fetched(f"https://example.org/{row.id}", params={"words": words[:80]}, headers=dict(a="b"))
    total, seen, by_kind = 0.0, set(), {}
    for index, item in enumerate(found, start=1):
        kind = item.get("kind", "none").lower()
        by_kind.setdefault(kind, []).append(item)
        if kind in seen or index > 10:
            continue
        seen.add(kind)
        total += float(item.get("amount") or 0) * max(RATES.values())
    known = await book.get(row.id)  # -> reads book
    match known:
        case None:
            log.debug("new")
        case Row(id=str() as name, amount=amount) if amount > total:
            total, extra = amount, {"name": name}
            log.debug("grown %s", extra)
    letter = Letter.of(row, at=until)
    letter = letter.model_copy(update={"text": re.sub(r"\d", lambda digit: digit.group(0) * 2, letter.text)})
    score: Score = await risk.predict(Row(id=row.id, amount=converted(row)))  # -> calls risk
    if getattr(score, row.id, None) or letter.worth(row.id) or hasattr(letter, "of"):
        log.error("odd %s", letter.to)
    try:
        answer = await http.post("/letters", json=letter.model_dump(), timeout=httpx.Timeout(3))
        answer.raise_for_status()
        body = answer.json()["results"][0]
    except (httpx.HTTPStatusError, KeyError, IndexError) as wrong:
        log.exception("not posted")
        body = {"error": str(wrong), **{str(key): value for key, value in by_kind.items()}}
    finally:
        seen.clear()
    verdict = score.risk > 0.5
    verdict &= await ask("underwriter", f"{row.id}?", answer=bool, timeout="2d")  # -> asks underwriter
    await book.put(row.model_copy(update={"amount": total}))  # -> writes book
    for part in [body, *by_kind.get("a", [])][:3]:
        await answers.publish(Row(id=str(part), amount=sum(map(float, (1, 2)))))  # -> publishes answers
    return Row(id=await look_up(row.id), amount=float(verdict)) if seen else None  # -> calls look_up


def test_ordinary_code_has_its_arrows_and_no_opaque_spot():
    assert drawn(ordinary) == promised(ordinary)
    assert read(ordinary).opaque == ()


def test_code_of_libraries_is_not_followed():
    async def through_a_library(row):
        return Row.model_validate(row), json.JSONEncoder().encode(row), len(TABLES), list(BY_NAME)

    assert read(through_a_library).arrows == read(through_a_library).opaque == ()


def test_nothing_of_the_app_is_run():
    ran = []

    class Trap:
        def __getattribute__(self, name):
            ran.append(name)
            return object.__getattribute__(self, name)

        @property
        def table(self):
            ran.append("property")
            return other

        def __getitem__(self, key):
            ran.append("item")
            return book

        def __iter__(self):
            ran.append("iter")
            return iter((book,))

        def __len__(self):
            ran.append("len")
            return 1

        def __bool__(self):
            ran.append("bool")
            return True

        def __eq__(self, other):
            ran.append("eq")
            return True

        def __hash__(self):
            ran.append("hash")
            return 1

    trap = Trap()
    held = {trap: orders}

    async def use(row, index):
        await trap.table.put(row)
        await trap[row].get("1")
        await held[trap].publish(row)
        await (trap if row else book).put(row)
        for table in trap:
            await table.scan()
        json.dumps([trap, getattr(trap, index)])

    ran.clear()
    reading = read(use)
    assert ran == []
    targets = {(arrow.kind, arrow.target) for arrow in reading.arrows}
    assert targets == {("writes", "other"), ("reads", "book"), ("publishes", "orders"), ("writes", "book")}
