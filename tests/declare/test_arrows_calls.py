"""Reading arrows: control flow, and following the app's own functions, classes and decorators."""

from __future__ import annotations

import asyncio
import functools

import arrows_app
import pytest
from arrows_app import (
    BY_NAME,
    Bound,
    Derived,
    Desk,
    Service,
    Session,
    bare_save,
    book,
    cached_price,
    find,
    look_up,
    opened,
    orders,
    other,
    post,
    price,
    save,
    save_book,
    service,
    tables,
    through,
    timed,
    timed_save,
)
from arrows_marks import Cases, drawn, promised, read

case = Cases()


@case
async def branches(row):
    table = book if row else other
    await table.put(row)  # ~> writes book, writes other
    if row:
        tool = look_up
    elif row is None:
        tool = post
    else:
        return
    await tool(row)  # ~> calls look_up, calls post
    await (row or book).get("1")  # ~> reads book


@case
async def exceptions(row):
    try:
        await book.get("1")  # -> reads book
    except (ValueError, KeyError) as wrong:
        await orders.publish(wrong)  # -> publishes orders
        raise RuntimeError("no") from wrong
    except OSError:
        await post(row)  # -> calls post
    else:
        await other.get("1")  # -> reads other
    finally:
        await book.put(row)  # -> writes book


@case
async def exception_groups(row):
    try:
        await book.get("1")  # -> reads book
    except* ValueError as many:
        await orders.publish(many)  # -> publishes orders
    except* OSError:
        await post(row)  # -> calls post


@case
async def names_given_in_a_try_reach_its_handlers(row):
    table = None
    try:
        table = book
        row.check()
        table = other
        row.check()
    except ValueError:
        await table.put(row)  # ~> writes book, writes other


@case
async def loops(rows):
    while rows:
        async for row in rows:
            if row is None:
                continue
            await book.put(row)  # -> writes book
            break
        else:
            await other.get("1")  # -> reads other
    for _ in range(3):
        await post(rows)  # -> calls post


@case
async def contexts(row, lock):
    async with lock, asyncio.timeout(3) as limit:
        await book.put(row)  # -> writes book
    with open("x") as file, file:
        await other.put(limit)  # -> writes other


@case
async def own_contexts(row):
    async with opened() as table:
        await table.put(row)  # -> writes book
    async with Session() as table:  # => publishes orders, publishes answers
        await table.get("1")  # -> reads book


@case
async def matching(row):
    match row:
        case {"kind": "a", **rest}:
            await book.put(rest)  # -> writes book
        case [first, *others] if others:
            await other.put(first)  # -> writes other
        case Desk(table=inner) | Service(table=inner):
            await look_up(inner)  # -> calls look_up
        case str() | None:
            await post(row)  # -> calls post
        case _:
            await price(row)  # -> calls price


@case
async def following_functions(row):
    await save(book, row)  # => writes book
    await save(table=other, row=row)  # => writes other
    await save(*(book, row))
    await save(**{"table": book, "row": row})
    await arrows_app.save(book, row)


@case
async def following_itself(row):
    await through(other, row)  # => writes other


@case
async def a_choice_is_followed_as_a_choice(row):
    await save(book if row else other, row)  # ~=> writes book, writes other
    run = save_book if row else timed_save
    await run(row)


@case
async def partial_functions(row):
    await save_book(row)  # => writes book
    await functools.partial(save, row=row)(other)  # => writes other
    await functools.partial(look_up, "1")()  # -> calls look_up


@case
async def decorated_functions(row):
    await timed_save(row)  # => writes book
    await timed(save)(other, row)  # => writes other
    cached_price(row)  # => calls price


@case
async def a_decorator_that_forgets(row):
    await bare_save(row)  # => writes book


@case
async def returned_parts(row):
    await (await find("book")).put(row)  # ~> writes book, writes other
    for table in tables():
        await table.get("1")  # ~> reads book, reads other


@case
async def nested_functions(row):
    table = book

    async def inner(row, by=other):
        await table.put(row)  # -> writes book
        await by.get("1")  # -> reads other

    def fall(n):
        return price(row) if n else fall(n - 1)  # -> calls price

    call = lambda tool: tool("1")  # noqa: E731  # -> calls look_up
    await inner(row)
    await call(look_up)
    fall(3)


@case
async def nested_functions_that_change_a_variable(rows):
    table = book

    def turn():
        nonlocal table
        table = other

    for row in rows:
        await table.put(row)  # ~> writes book, writes other
        turn()
    await table.get("1")  # ~> reads book, reads other


@case
async def nested_functions_that_read_what_another_stores(rows):
    table = book

    async def use(row):
        await table.put(row)  # ~> writes book, writes other

    def turn():
        nonlocal table
        table = other

    for row in rows:
        await use(row)
        turn()


@case
async def functions_that_only_others_call(rows, scheduler):
    def chance(row):
        return price(row)  # -> calls price

    scheduler.add(chance)
    rows.sort(key=lambda row: asyncio.run(look_up(row)))  # -> calls look_up
    scheduler.add(save_book, rows)  # ~=> writes book
    scheduler.add(Bound().finish)  # => publishes answers
    await asyncio.to_thread(save, other, rows)  # => writes other
    scheduler.add(book.get, "1")  # ~> reads book


@case
async def functions_in_functions_that_only_others_call(row):
    def outer():
        def inner():
            return price(row)  # -> calls price

        return inner

    return outer


@case
async def local_classes(row):
    class Local:
        table = book

        async def store(self, row):
            await book.put(row)  # -> writes book

    return Local


@case
async def methods_of_an_existing_object(row):
    await service.store(row)  # => writes book
    await service.share(row)  # => writes other
    await service.both(row)  # => publishes orders
    await Service.tell(row)


@case
async def objects_made_on_the_way(row):
    maker = Service(other)
    await maker.store(row)  # => writes other
    await maker.table.get("1")  # -> reads other
    desk = Desk(book)
    await desk.work(row)  # => writes book, calls look_up
    maker.tool = post
    await maker.tool(row)  # -> calls post


@case
async def inheritance(row):
    await Derived().run(row)  # => writes book, writes other


@case
async def special_methods(row):
    session = Session()
    session(row)  # => calls price
    await session["book"].get("1")  # -> reads book
    for table in session:
        await table.get("1")  # ~> reads book, reads other


@case
async def imports_inside(row):
    import arrows_app as app  # noqa: PLC0415
    from arrows_app import save as keep  # noqa: PLC0415

    await app.other.put(row)  # -> writes other
    await keep(book, row)  # => writes book


@case
async def names_of_the_module(row):
    await globals()["book"].put(row)  # -> writes book
    await getattr(arrows_app, "other").get("1")  # noqa: B009  # -> reads other
    await getattr(service, "store" if row else "share")(row)  # ~=> writes book, writes other


@case
async def a_global_set_while_running(row):
    global later  # noqa: PLW0603
    await later.put(row)  # ~> writes book
    later = book


later = None


async def generator(rows):
    for row in rows:
        yield row, book


@case
async def asynchronous_generators(rows):
    async for row, table in generator(rows):
        await table.put(row)  # -> writes book


@case
async def many_callers_of_one_helper(row):
    for name in "abcdefghijklmnopqrstuvwxyz":
        await save(BY_NAME.get(name, book), row)  # ~=> writes book, writes other


@pytest.mark.parametrize("function", case, ids=lambda function: function.__name__)
def test_the_arrows_are_those_the_comments_name(function):
    assert drawn(function) == promised(function)
    assert read(function).opaque == ()


def test_a_decorated_function_is_read_itself():
    assert {arrow.target for arrow in read(timed_save).arrows} == {"book"}


def test_an_arrow_in_a_helper_has_the_place_in_the_helper():
    places = {(arrow.place.file, arrow.place.line) for arrow in read(following_itself).arrows}
    assert places == {("arrows_app.py", save.__code__.co_firstlineno + 1)}
