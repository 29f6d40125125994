"""Reading arrows: what a part is used for, and every way in which a function can name one."""

from __future__ import annotations

import asyncio
from collections import namedtuple
from types import SimpleNamespace

import arrows_app
import pytest
from arrows_app import BY_NAME, TABLES, TOOLS, Service, book, handle, look_up, orders, other, post, price, risk, service
from arrows_marks import Cases, drawn, promised, read

from parti.declare.inside import ask

case = Cases()


@case
async def each_use_of_each_part(row):
    await book.get("1")  # -> reads book
    await book.scan(limit=3)  # -> reads book
    await book.put(row)  # -> writes book
    await book.delete("1")  # -> writes book
    await orders.publish(row)  # -> publishes orders
    await risk.predict(row)  # -> calls risk
    await risk.reasons(row, count=2)  # -> calls risk
    await look_up("1")  # -> calls look_up
    await price(row)  # -> calls price
    await handle(row)  # -> calls handle


@case
async def dead_letters_are_a_topic(row):
    await orders.dead.publish(row)  # -> publishes orders.dead


@case
async def names_and_texts_of_parts_draw_nothing(row):
    return book.name, book.part.key, f"{book} {book!r:>10}", isinstance(book, str), book in TABLES, len(TABLES)


@case
async def the_line_is_that_of_the_expression(row):
    return await asyncio.gather(
        book.get(
            "1",
        ),  # the call above spans lines; its arrow is where `book.get` stands
        other.get("1"),  # -> reads other
    ) and (row, await book.get("1"))  # -> reads book


@case
async def asking_a_person(row):
    await ask("boss", "yes?")  # -> asks boss
    await ask(who="clerk", text="yes?")  # -> asks clerk
    await ask(arrows_app.ROLE, "yes?")  # -> asks auditor
    await ask(arrows_app.Role.CHIEF, "yes?")  # -> asks chief
    await ask("day" if row else "night", "yes?")  # ~> asks day, asks night
    for role in ("left", "right"):
        await ask(role, "yes?")  # ~> asks left, asks right


async def approve(who, row):
    return await ask(who, f"approve {row}?")


@case
async def asking_through_a_helper(row):
    await approve("boss", row)  # => asks boss
    await approve("clerk", row)  # => asks clerk


HOLDER = SimpleNamespace(table=book)
PAIR = namedtuple("PAIR", "first second")(book, other)


@case
async def attributes_of_modules_classes_and_instances(row):
    await arrows_app.book.put(row)  # -> writes book
    await Service.shared.put(row)  # -> writes other
    await service.table.put(row)  # -> writes book
    await HOLDER.table.get("1")  # -> reads book
    await PAIR.second.get("1")  # -> reads other
    await arrows_app.slotted.table.get("1")  # -> reads book


@case
async def computed_attributes(row):
    await service.scores.predict(row)  # -> calls risk
    await service.kept.get("1")  # -> reads book
    await service.anything.get("1")  # -> reads other


@case
async def default_arguments(row, table=book, *, tool=post):
    await table.put(row)  # -> writes book
    await tool(row)  # -> calls post


def closing_over(table):
    async def a_closure(row):
        await table.put(row)  # -> writes book

    return a_closure


case(closing_over(book))


@case
async def local_aliases(row):
    table = book
    put = table.put
    await put(row)  # -> writes book
    first, second = book, other
    await second.get("1")  # -> reads other
    first, second = second, first
    await first.get("1")  # -> reads other
    (one, *_, last) = (book, 1, 2, other)
    await one.get("1")  # -> reads book
    await last.get("1")  # -> reads other
    await (walrus := book).get("1")  # -> reads book
    await walrus.put(row)  # -> writes book


@case
async def known_keys_and_positions(row):
    await BY_NAME["book"].put(row)  # -> writes book
    await BY_NAME.get("other").put(row)  # -> writes other
    await TABLES[-1].get("1")  # -> reads other
    await {"a": book, "b": other}["b"].get("1")  # -> reads other
    await [book, other][0].get("1")  # -> reads book
    await dict(x=book)["x"].get("1")  # -> reads book


@case
async def unknown_keys_and_positions(row, index):
    await BY_NAME[row.id].put(row)  # ~> writes book, writes other
    await TABLES[index].get("1")  # ~> reads book, reads other
    await TOOLS[index]("1")  # ~> calls look_up, calls post
    await BY_NAME.get(row.id, other).get("1")  # ~> reads book, reads other


@case
async def loops_over_known_containers(row):
    for table in TABLES:
        await table.put(row)  # ~> writes book, writes other
    for name, table in BY_NAME.items():
        await table.get(name)  # ~> reads book, reads other
    for table in BY_NAME.values():
        await table.get("1")  # ~> reads book, reads other
    for number, table in enumerate(sorted(TABLES, key=str)):
        await table.get(str(number))  # ~> reads book, reads other
    for table, tool in zip(TABLES, TOOLS, strict=True):
        await table.get(await tool("1"))  # ~> reads book, reads other, calls look_up, calls post
    for key in BY_NAME:
        await BY_NAME[key].get("1")  # ~> reads book, reads other


@case
async def gathering_over_known_parts(rows):
    await asyncio.gather(*(tool("1") for tool in (look_up, post)))  # ~> calls look_up, calls post
    await asyncio.gather(*[table.get("1") for table in TABLES])  # ~> reads book, reads other
    await asyncio.gather(*map(price, rows))  # -> calls price
    return {table.name: [await table.get(r) for r in rows] for table in TABLES}  # ~> reads book, reads other


@case
async def an_asynchronous_comprehension(rows):
    return [await book.get(row.id) async for row in rows if await look_up(row.id)]  # -> reads book, calls look_up


@case
async def containers_built_on_the_way(row):
    tables = []
    tables.append(book)
    for table in tables:
        await table.get("1")  # -> reads book
    if row:
        tables.append(other)
    tables += [other]
    for table in tables:
        await table.put(row)  # ~> writes book, writes other
    by_name = {}
    by_name["book"] = book
    await by_name["book"].get("1")  # -> reads book
    for table in [*TABLES, *by_name.values()][:2]:
        await table.delete("1")  # ~> writes book, writes other
    for table in {**BY_NAME, "x": book}.values():
        await table.delete("1")  # ~> writes book, writes other


@pytest.mark.parametrize("function", case, ids=lambda function: function.__name__)
def test_the_arrows_are_those_the_comments_name(function):
    if function.__name__ == "the_line_is_that_of_the_expression":
        first = function.__code__.co_firstlineno
        expected = promised(function) | {("reads", "book", first + 3, False)}
    else:
        expected = promised(function)
    assert drawn(function) == expected
    assert read(function).opaque == ()


def test_the_persons_are_listed():
    assert read(asking_through_a_helper).persons == ("boss", "clerk")


def test_the_arrows_are_sorted_and_the_same_each_time():
    reading = read(loops_over_known_containers)
    assert list(reading.arrows) == sorted(set(reading.arrows))
    assert reading == read(loops_over_known_containers)
