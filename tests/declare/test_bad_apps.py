"""Mistakes in an app file: each is one coded error with its place and the next action, before anything runs."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from parti import PartiError, System
from parti.declare.loading import load

HEAD = """\
from pydantic import BaseModel
from parti import System

class Order(BaseModel):
    id: str

class Other(BaseModel):
    id: str
    more: int

desk = System("desk")
orders = desk.topic("orders", Order, key="id")
"""


def failure(folder: Path, body: str, head: str = HEAD) -> PartiError:
    """What loading an app says; its design is read, too."""
    file = folder / "app.py"
    file.write_text(head + textwrap.dedent(body))
    with pytest.raises(PartiError) as caught:
        assert load(file).design is None
    error = caught.value
    assert error.fix, "an error without a next action"
    return error


def expect(error: PartiError, code: str, place: str, words: str) -> None:
    assert (error.code, str(error.place)) == (code, place), error
    assert words in error.what, error


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(PartiError, match="P101 there is no file"):
        load(tmp_path / "gone.py")


def test_a_file_that_does_not_import_names_its_own_line(tmp_path: Path) -> None:
    expect(failure(tmp_path, "1 / 0\n"), "P101", "app.py:13", "ZeroDivisionError")


def test_a_file_with_a_syntax_error_names_the_line(tmp_path: Path) -> None:
    expect(failure(tmp_path, "def (:\n"), "P101", "app.py:13", "syntax error")


def test_a_file_that_misses_a_package_names_it(tmp_path: Path) -> None:
    error = failure(tmp_path, "import no_such_package\n")
    expect(error, "P101", "app.py:13", "no_such_package")
    assert "no_such_package" in error.fix


def test_a_file_that_exits_is_not_a_system(tmp_path: Path) -> None:
    expect(failure(tmp_path, "raise SystemExit(3)\n"), "P101", "app.py:13", "SystemExit")


def test_a_file_without_a_system(tmp_path: Path) -> None:
    expect(failure(tmp_path, "x = 1\n", head=""), "P102", "app.py", "no system")


def test_a_file_with_two_systems(tmp_path: Path) -> None:
    expect(failure(tmp_path, "second = System('second')\n"), "P102", "app.py", "2 systems")


def test_a_handler_with_an_untyped_argument(tmp_path: Path) -> None:
    error = failure(tmp_path, "@desk.on(orders)\nasync def ship(order) -> None: ...\n")
    expect(error, "P103", "app.py:13", "the argument `order` of `ship` has no type")


def test_a_step_that_does_not_say_what_it_returns(tmp_path: Path) -> None:
    expect(failure(tmp_path, "@desk.step()\nasync def add(a: int): ...\n"), "P103", "app.py:13", "what it returns")


def test_a_type_that_is_not_known(tmp_path: Path) -> None:
    body = "@desk.on(orders)\nasync def ship(order: 'Ordr') -> None: ...\n"
    expect(failure(tmp_path, body), "P103", "app.py:13", "'Ordr'")


def test_two_parts_of_one_name_say_where_the_first_is(tmp_path: Path) -> None:
    error = failure(tmp_path, "again = desk.table('orders', Order, key='id')\n")
    expect(error, "P104", "app.py:13", "declared already, at app.py:12")


def test_a_key_that_is_no_field(tmp_path: Path) -> None:
    expect(failure(tmp_path, "t = desk.table('book', Order, key='nr')\n"), "P105", "app.py:13", "'nr'")


def test_a_duration_that_is_none(tmp_path: Path) -> None:
    error = failure(tmp_path, "@desk.every('soon')\nasync def tick() -> None: ...\n")
    expect(error, "P105", "app.py:13", "'soon' is not a duration")


@pytest.mark.parametrize(
    "declaration",
    [
        "desk.topic('t', Order, key='id', retain='soon')",
        "desk.model('m', inputs=Order, output=Order, timeout='soon')",
        "desk.tool(effect='read', timeout='soon')",
        "desk.step(timeout='soon')",
        "desk.step(retry=0)",
        "desk.step(retry=Retry(0))",
        "desk.step(retry=Retry(first='soon'))",
        "desk.on(orders, timeout=-5)",
        "desk.on(orders, concurrency=0)",
        "desk.get('/x', concurrency=0)",
        "desk.get('/x', timeout='soon')",
        "desk.post('/x', timeout='soon')",
        "desk.stand_in('teller', after='soon')",
        "System('other', slo=Slo(p99='soon'))",
        "desk.every(f)",
        "desk.get(f)",
        "desk.monitor(f)",
        "desk.stand_in(f)",
    ],
)
def test_a_wrong_option_names_the_line_that_gives_it(tmp_path: Path, declaration: str) -> None:
    error = failure(tmp_path, f"from parti import Retry, Slo\nasync def f() -> None: ...\n{declaration}\n")
    expect(error, "P105", "app.py:15", "")


@pytest.mark.parametrize(
    "declaration", ["desk.on(f)", "desk.on('t')", "desk.on(orders, to='t')", "desk.source(to='t')"]
)
def test_what_is_not_a_topic_names_the_line_that_gives_it(tmp_path: Path, declaration: str) -> None:
    error = failure(tmp_path, f"async def f() -> None: ...\n{declaration}\n")
    expect(error, "P106", "app.py:14", "not a topic")


def test_a_declaration_that_is_not_loaded_by_parti_names_its_place_as_well() -> None:
    desk = System("desk")
    with pytest.raises(PartiError) as caught:
        desk.step(timeout="soon")
    assert str(caught.value.place) == f"{Path(__file__).name}:{caught.tb.tb_lineno}"


def test_a_part_that_is_declared_twice(tmp_path: Path) -> None:
    body = "@desk.step()\n@desk.every('1s')\nasync def tick() -> None: ...\n"
    expect(failure(tmp_path, body), "P105", "app.py:13", "declared twice")


def test_a_handler_that_reads_another_type_than_its_topic_holds(tmp_path: Path) -> None:
    error = failure(tmp_path, "@desk.on(orders)\nasync def ship(order: Other) -> None: ...\n")
    expect(error, "P106", "app.py:13", "reads `orders` as Other, it holds Order")


def test_a_handler_that_returns_another_type_than_its_target_holds(tmp_path: Path) -> None:
    body = """
    others = desk.topic("others", Other, key="id")

    @desk.on(orders, to=others)
    async def ship(order: Order) -> Order: ...
    """
    expect(failure(tmp_path, body), "P106", "app.py:16", "returns Order, `others` holds Other")


def test_a_handler_of_something_that_is_no_topic(tmp_path: Path) -> None:
    error = failure(tmp_path, "@desk.on('orders')\nasync def ship(order: Order) -> None: ...\n")
    expect(error, "P106", "app.py:13", "not a topic")


def test_a_path_that_names_no_argument(tmp_path: Path) -> None:
    error = failure(tmp_path, "@desk.get('/orders/{nr}')\nasync def order(id: str) -> str: ...\n")
    expect(error, "P106", "app.py:13", "'nr'")


def test_endpoints_that_call_each_other_in_a_cycle(tmp_path: Path) -> None:
    body = """
    @desk.post("/a")
    async def a(x: int) -> int:
        return await b(x)

    @desk.post("/b")
    async def b(x: int) -> int:
        return await helper(x)

    async def helper(x: int) -> int:
        return await a(x)
    """
    expect(failure(tmp_path, body), "P107", "app.py:14", "a -> b -> a")


def test_two_endpoints_on_one_path(tmp_path: Path) -> None:
    body = """
    @desk.get("/a/{x}")
    async def a(x: int) -> int: ...

    @desk.get("/a/{y}")
    async def b(y: int) -> int: ...
    """
    expect(failure(tmp_path, body), "P104", "app.py:17", "both answer GET")


def test_a_write_tool_without_an_idempotency_key(tmp_path: Path) -> None:
    error = failure(tmp_path, "@desk.tool(effect='write')\nasync def post(order: Order) -> None: ...\n")
    expect(error, "P108", "app.py:13", "names no idempotency key")


def test_a_write_tool_whose_key_is_no_argument(tmp_path: Path) -> None:
    body = "@desk.tool(effect='write', key='order.nr')\nasync def post(order: Order) -> None: ...\n"
    expect(failure(tmp_path, body), "P108", "app.py:13", "'order.nr'")


def test_a_write_tool_that_may_not_be_tried_again(tmp_path: Path) -> None:
    body = "@desk.tool(effect='write', key='order.id', retry=3)\nasync def post(order: Order) -> None: ...\n"
    expect(failure(tmp_path, body), "P105", "app.py:13", "may not be tried again")


def test_a_type_that_cannot_become_json(tmp_path: Path) -> None:
    body = "class Raw: ...\n\n@desk.step()\nasync def f(raw: Raw) -> None: ...\n"
    expect(failure(tmp_path, body), "P109", "app.py:15", "cannot become JSON")


def test_a_model_whose_features_are_no_numbers_or_words(tmp_path: Path) -> None:
    body = """
    class Features(BaseModel):
        when: dict[str, int]

    class Score(BaseModel):
        probability: float

    risk = desk.model("risk", inputs=Features, output=Score)
    """
    error = failure(tmp_path, body)
    assert error.code == "P602" and "when" in error.what


def test_a_handler_may_return_nothing_instead_of_an_event(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(HEAD + "@desk.on(orders, to=orders)\nasync def again(order: Order) -> Order | None: ...\n")
    assert load(file).design.by_name["again"].to == "orders"  # type: ignore[union-attr]


def test_a_good_app_loads(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(HEAD + "@desk.on(orders)\nasync def ship(order: Order) -> None: ...\n")
    assert [part.name for part in load(file).design.parts] == ["orders", "orders.dead", "ship"]


def test_a_step_may_be_declared_without_parentheses(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(HEAD + """
@desk.step
async def add(a: int, b: int = 2) -> int:
    return a + b

@desk.step()
async def double(a: int) -> int:
    return 2 * a

@desk.on(orders)
async def ship(order: Order) -> None:
    await add(1)
    await double(2)
""")  # fmt: skip
    design = load(file).design
    one, other = design.by_name["add"], design.by_name["double"]
    assert (one.timeout, one.retry, str(one.place)) == (other.timeout, other.retry, "app.py:14")  # type: ignore[union-attr]
    assert {arrow.target for arrow in design.arrows if arrow.source == "ship"} == {"orders", "add", "double"}


def test_an_effect_that_is_none_of_the_three_is_no_step_in_disguise(tmp_path: Path) -> None:
    error = failure(
        tmp_path,
        """
        @desk.tool(effect="writes", idempotent=True)
        async def charge(id: str) -> None: ...
    """,
    )
    expect(error, "P105", "app.py:14", "'writes' is no effect")
    assert error.fix == "one of: none, read, write"
