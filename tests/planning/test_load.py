"""Load: what people write on the command line, traces out of files, and the journal's own arrivals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Order, World, orders, play
from pydantic import BaseModel

from parti import PartiError, System
from parti.planning.asked_load import asked_load, needs_journal
from parti.planning.load import Workload, mean_rate, scaled
from parti.planning.traces import read_trace
from parti.planning.traffic import arrivals_in
from parti.sim.load import Arrivals, GammaArrivals, Mmpp, Poisson, Ticks, Trace


class Letter(BaseModel):
    id: str


def a_desk() -> System:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    letters = desk.topic("letters", Letter, key="id")
    desk.topic("unread", Letter, key="id")

    @desk.on(topic, to=letters)
    async def decide(order: Order) -> Letter:
        return Letter(id=order.id)

    @desk.on(topic)
    async def count(order: Order) -> None: ...

    @desk.on(letters)
    async def post(letter: Letter) -> None: ...

    @desk.post("/score")
    async def score(id: str) -> str:
        return id

    return desk


def asked(*texts: str, folder: Path = Path(), **options: Any) -> Workload:
    options = {"shares": {}, "seen": {}, **options}
    return asked_load(texts, a_desk().design, folder=folder, **options)


def code_of(*texts: str, **options: Any) -> tuple[str, str]:
    with pytest.raises(PartiError) as wrong:
        asked(*texts, **options)
    assert wrong.value.fix
    return wrong.value.code, str(wrong.value)


@pytest.mark.parametrize(
    ("text", "arrivals", "rate"),
    [
        ("120/s", Poisson(120.0), 120.0),
        ("120/s cv=4", GammaArrivals(120.0, 4.0), 120.0),
        ("120/s cv=1", Poisson(120.0), 120.0),
        ("90/m", Poisson(1.5), 1.5),
        ("3600/h cv=0.5", GammaArrivals(1.0, 0.5), 1.0),
        ("mmpp 20/s:30s 400/s:10s", Mmpp((20.0, 400.0), (30.0, 10.0)), 115.0),
        ("mmpp 0/s:1m 60/m:500ms", Mmpp((0.0, 1.0), (60.0, 0.5)), 0.5 / 60.5),
    ],
)
def test_a_load_says_its_process_and_its_rate(text: str, arrivals: Arrivals, rate: float) -> None:
    (stream,) = asked(f"/score={text}").streams
    assert (stream.arrivals, stream.entries) == (arrivals, (("score", 1.0),))
    assert stream.per_second == pytest.approx(rate)


def test_a_load_for_the_whole_is_shared_out_as_the_profile_has_seen_it() -> None:
    found = asked("120/s", shares={"score": 0.25, "decide": 0.75})
    assert found.streams[0].entries == (("score", 0.25), ("orders", 0.75))
    assert found.rates == pytest.approx({"score": 30.0, "orders": 90.0})


def test_an_event_of_a_topic_is_one_request_for_all_of_its_handlers() -> None:
    assert asked("orders=30/s").rates == {"orders": 30.0}
    assert asked("letters=30/s").rates == {"post": 30.0}
    assert asked("count=30/s").rates == {"count": 30.0}
    shared = asked("100/s", shares={"decide": 0.4, "count": 0.4, "score": 0.2})
    assert shared.rates == pytest.approx({"orders": 200 / 3, "score": 100 / 3})


def test_several_loads_add_up() -> None:
    found = asked("/score=30/s", "POST /score=5/s cv=4", "decide=2/s")
    assert found.rates == {"score": 35.0, "decide": 2.0}
    assert found.per_second == 37.0
    assert found.scaled(2).rates == {"score": 70.0, "decide": 4.0}


def test_the_only_entry_needs_no_shares() -> None:
    desk = System("one")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic)
    async def decide(order: Order) -> None: ...

    found = asked_load(["7/s"], desk.design, shares={}, seen={}, folder=Path())
    assert found.rates == {"decide": 7.0}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "P825", "'' is no load"),
        ("much", "P825", "'much' is no load"),
        ("120 per second", "P825", "is no load"),
        ("120/fortnight", "P825", "'120/fortnight' is no rate"),
        ("120/s cv=x", "P825", "'cv=x' in '120/s cv=x' is not understood"),
        ("120/s cv=4 cv=5", "P825", "is not understood"),
        ("120/s burst=4", "P825", "is not understood"),
        ("mmpp 20/s:30s", "P825", "needs two states or more"),
        ("mmpp 20/s 30/s", "P825", "needs two states or more"),
        ("mmpp 20/s:x 30/s:1s", "P105", "'x' is not a duration"),
        ("1.2.3/s", "P825", "'1.2.3/s' is no rate"),
        ("0/s", "P826", "the rate 0/s is not positive"),
        ("-5/s", "P826", "the rate -5/s is not positive"),
        ("120/s cv=0", "P826", "cv=0 is not positive"),
        ("120/s cv=-1", "P826", "cv=-1 is not positive"),
        ("mmpp 0/s:1s 0/s:2s", "P826", "all rates of the mmpp are 0"),
        ("mmpp -1/s:1s 2/s:2s", "P826", "the rate -1/s is not positive"),
        ("journal*0", "P826", "cannot be scaled by 0"),
        ("journal*-1", "P826", "cannot be scaled by -1"),
        ("journal", "P828", "the journal holds no two arrivals at /score"),
        ("none.csv", "P825", "none.csv cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_load_is_refused_with_a_code_and_a_way_out(text: str, code: str, said: str) -> None:
    found = code_of(f"/score={text}")
    assert found[0] == code
    assert said in found[1]


def test_unknown_entries_and_unknown_shares_are_refused() -> None:
    assert "desk has no entry '/nowhere'" in code_of("/nowhere=1/s")[1]
    assert "one of: /score, orders, letters" in code_of("/nowhere=1/s")[1]
    assert "no handler reads the topic 'unread'" in code_of("unread=1/s")[1]
    code, said = code_of("5/s")
    assert code == "P825"
    assert "nobody knows how the load is shared out among orders, score" in said
    assert code_of()[0] == "P825"


CSV = "Timestamp,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.4799600,3180,8\n\n2023-11-16 18:17:06.0,110,27\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", CSV),
        ("t.csv", "1700158623.97996\n1700158624.47996\n1700158626\n"),
        ("t.csv", "id,time\na,10\nb,10.5\nc,12.02004\n"),
        ("t.jsonl", "1700158623.97996\n\n1700158624.47996\n1700158626\n"),
        (
            "t.jsonl",
            "\n".join(json.dumps({"Arrived_At": f"2023-11-16T18:17:{s}Z"}) for s in ("03.97996", "04.47996", "06")),
        ),
        ("t.json", "[1.0, 1.5, 3.02004]"),
    ],
)
def test_a_trace_is_read_from_csv_and_json_lines_in_iso_dates_or_seconds(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (stream,) = asked(f"/score={name}", folder=tmp_path).streams
    assert isinstance(stream.arrivals, Trace)
    assert stream.arrivals.times == pytest.approx((0.0, 0.5, 2.02004), abs=1e-5)
    (faster,) = asked(f"/score={name}*3", folder=tmp_path).streams
    assert faster.per_second == pytest.approx(3 * stream.per_second)


def test_tokens_of_a_trace_come_along(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")
    found = read_trace(tmp_path / "t.csv")
    assert found.prompt is not None and found.output is not None
    assert found.prompt.quantiles == (110.0, 3180.0, 4808.0)
    assert found.output.quantiles == (8.0, 10.0, 27.0)


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("t.csv", "1\n2\n1.5\n", "P827", "t.csv:3: P827 the time 1.500000 comes before the one above it, 2.000000"),
        ("t.csv", CSV.replace("18:17:06.0", "18:16:06.0"), "P827", "t.csv:5: P827"),
        ("t.jsonl", '{"at": 5}\n{"at": 4}\n', "P827", "t.jsonl:2: P827"),
        ("t.csv", "", "P828", "t.csv holds no two arrivals"),
        ("t.csv", "time\n", "P828", "t.csv holds no two arrivals"),
        ("t.csv", "5\n", "P828", "t.csv holds no two arrivals"),
        ("t.csv", "5\n5\n", "P828", "t.csv holds no two arrivals"),
        ("t.csv", "1\nsoon\n", "P825", "t.csv:2: P825 'soon' is no time"),
        ("t.csv", "1\ninf\n", "P825", "t.csv:2: P825 'inf' is no time"),
        ("t.jsonl", "1\n{\n", "P825", "t.jsonl:2: P825 this is not JSON"),
        ("t.jsonl", "1\ntrue\n", "P825", "t.jsonl:2: P825 True is no time"),
        ("t.csv", "time,tokens_in\n1,many\n2,3\n", "P825", "t.csv:2: P825 'many' is no number of tokens"),
        ("t.csv", "\xff\xfe", "P825", "it is no text in UTF-8"),
    ],
)
def test_a_bad_trace_is_refused_at_its_line(tmp_path: Path, name: str, text: str, code: str, said: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    found = code_of(f"/score={name}", folder=tmp_path)
    assert (found[0], said in found[1]) == (code, True), found[1]


def test_the_journals_own_arrivals_are_played_again_scaled(tmp_path: Path) -> None:
    desk = a_desk()

    async def main(world: World) -> dict[str, list[float]]:
        async with world.running(desk) as live:
            for id, wait in (("a", 2.0), ("b", 4.0), ("c", 0.0)):
                await live.publish("orders", orders(id))
                await world.clock.wait(wait)
            await live.call("score", ["x"])
            await world.clock.wait(1.0)
            await live.call("score", ["y"])
            await live.idle()
            return await arrivals_in(desk.design, live.store)

    seen = play(main)
    assert sorted(seen) == ["count", "decide", "score"]
    found = asked("journal*2", seen=seen)
    trace = {stream.entries[0][0]: stream.arrivals for stream in found.streams}
    assert isinstance(trace["orders"], Trace)
    assert trace["orders"].times == pytest.approx((0.0, 2.0, 6.0), abs=0.05)
    assert trace["orders"].faster == 2.0
    assert isinstance(trace["score"], Trace)
    assert trace["score"].times[0] == pytest.approx(6.0, abs=0.05)
    assert set(asked("orders=journal", seen=seen).rates) == {"orders"}
    assert set(asked("decide=journal", seen=seen).rates) == {"decide"}
    assert needs_journal(["/score=journal*2"])
    assert not needs_journal(["120/s"])


def test_all_traces_of_the_journal_last_as_long_as_the_journal() -> None:
    """11 arrivals within 2 s at one entry, and 2 that are 100 s apart at another: 13 within some 100 s, and so are the rates."""
    seen = {"score": [1000.0 + at / 5 for at in range(11)], "post": [1000.0, 1100.0]}
    found = asked("journal", seen=seen)
    assert found.per_second == pytest.approx(12 / 100)
    assert found.rates == pytest.approx({"score": 12 / 100 * 11 / 13, "post": 12 / 100 * 2 / 13})
    cycles = {stream.arrivals.cycle for stream in found.streams if isinstance(stream.arrivals, Trace)}
    assert len(cycles) == 1


def test_a_journal_in_which_all_arrived_at_once_is_no_load() -> None:
    assert code_of("journal", seen={"score": [5.0, 5.0], "post": [5.0]})[0] == "P828"


def test_what_is_scaled_comes_as_much_faster() -> None:
    trace = Trace((0.0, 1.0, 4.0), span=10.0)
    assert mean_rate(trace) == 0.3
    assert mean_rate(scaled(trace, 2.0)) == 0.6
    assert mean_rate(scaled(Ticks(60.0), 2.0)) == pytest.approx(1 / 30)
    assert scaled(Mmpp((1.0, 2.0), (3.0, 4.0)), 2.0) == Mmpp((2.0, 4.0), (3.0, 4.0))
