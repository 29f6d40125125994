"""`parti publish` without a running system: events are checked and stored, and nobody works on them."""

from __future__ import annotations

from pathlib import Path

from cli_apps import lines, parti, work


def stored(topic: str = "orders") -> int:
    return int(next(facts["events"] for facts in parti("topics", "--json").json if facts["topic"] == topic))


def test_an_event_is_stored_and_not_worked_on(desk: Path) -> None:
    said = parti("publish", "orders", '{"id": "a"}')
    assert (said.code, said.out) == (0, "stored 1 event in orders\n")
    orders = parti("topics", "--json").json[0]
    assert (orders["events"], orders["lag"]) == (1, {"decide": 1})
    assert parti("runs", "--json").json == []


def test_json_over_several_lines_is_one_event(desk: Path) -> None:
    assert parti("publish", "orders", '{\n "id": "a"\n}', "--json").json["published"] == 1
    (desk / "one.json").write_text('{\n "id": "b"\n}\n', encoding="utf-8")
    assert parti("publish", "orders", "one.json", "--json").json["published"] == 1


def test_a_file_of_json_lines_is_published_in_order(desk: Path) -> None:
    lines(desk / "events.jsonl", {"id": "a"}, "", {"id": "b", "amount": 2}, {"id": "a", "amount": 3})
    assert parti("publish", "orders", "events.jsonl", "--json").json["published"] == 3
    work()
    runs = parti("runs", "--part", "decide", "--json").json
    assert sorted(run["key"] for run in runs) == ["a", "a", "b"]


def test_a_bad_line_is_named_and_those_before_it_are_stored(desk: Path) -> None:
    lines(desk / "events.jsonl", {"id": "a"}, {"id": "b"}, {"name": "c"}, {"id": "d"})
    said = parti("publish", "orders", "events.jsonl")
    assert said.code == 2
    assert said.err.splitlines()[0].startswith(
        "events.jsonl:3: P402 id of Order: Field required (2 before it are stored)"
    )
    assert "--from 3" in said.err
    assert stored() == 2
    lines(desk / "events.jsonl", {"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"})
    assert parti("publish", "orders", "events.jsonl", "--from", "3", "--json").json["published"] == 2
    assert stored() == 4


def test_a_line_that_is_not_json_is_p405(desk: Path) -> None:
    lines(desk / "events.jsonl", {"id": "a"}, "{oops", '{"id": "x", "amount": NaN}')
    assert parti("publish", "orders", "events.jsonl", "--json").error == "P405"
    assert parti("publish", "orders", "events.jsonl", "--from", "3", "--json").error == "P405"


def test_bad_lines_are_left_out_when_asked(desk: Path) -> None:
    lines(desk / "events.jsonl", "oops", {"id": "a"}, {"x": 1}, {"id": "b"})
    said = parti("publish", "orders", "events.jsonl", "--skip-bad", "--json")
    assert said.code == 1
    assert said.json["published"] == 2
    assert [wrong["place"] for wrong in said.json["refused"]] == ["events.jsonl:1", "events.jsonl:3"]


def test_once_leaves_out_lines_that_were_published_before(desk: Path) -> None:
    file = lines(desk / "events.jsonl", {"id": "a"}, {"bad": 1}, {"id": "c"})
    first = parti("publish", "orders", "events.jsonl", "--once", "--skip-bad", "--json").json
    assert (first["published"], first["repeated"]) == (2, 0)
    lines(file, {"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"})
    again = parti("publish", "orders", "events.jsonl", "--once", "--json").json
    assert (again["published"], again["repeated"]) == (2, 2)
    assert stored() == 4


def test_a_large_file_is_stored_in_chunks(desk: Path) -> None:
    lines(desk / "events.jsonl", *({"id": str(number)} for number in range(1234)))
    assert parti("publish", "orders", "events.jsonl", "--once", "--json").json["published"] == 1234
    assert parti("publish", "orders", "events.jsonl", "--once", "--json").json["repeated"] == 1234
    assert stored() == 1234


def once() -> tuple[int, int]:
    said = parti("publish", "orders", "events.jsonl", "--once", "--json").json
    return said["published"], said["repeated"]


def test_once_publishes_what_replaced_a_file(desk: Path) -> None:
    lines(desk / "events.jsonl", *({"id": f"monday {number}"} for number in range(700)))
    assert once() == (700, 0)
    lines(desk / "events.jsonl", *({"id": f"tuesday {number}"} for number in range(600)))
    assert once() == (600, 0)
    assert once() == (0, 600)
    lines(desk / "events.jsonl", *({"id": f"monday {number}"} for number in range(700)))
    assert once() == (0, 700)
    assert stored() == 1300


def test_once_publishes_a_changed_chunk_whole_and_leaves_the_others_out(desk: Path) -> None:
    events = [{"id": str(number)} for number in range(1200)]
    lines(desk / "events.jsonl", *events)
    assert once() == (1200, 0)
    events[700] = {"id": "mended"}
    lines(desk / "events.jsonl", *events, {"id": "appended"})
    assert once() == (501, 700)


def test_once_knows_chunks_whose_borders_lie_elsewhere_today(desk: Path) -> None:
    events = [{"id": str(number)} for number in range(1100)]
    lines(desk / "events.jsonl", *events)
    first = parti("publish", "orders", "events.jsonl", "--once", "--from", "300", "--json").json
    assert (first["published"], first["repeated"]) == (801, 0)
    assert once() == (299, 801)
    last = parti("publish", "orders", "events.jsonl", "--once", "--from", "900", "--json").json
    assert last["published"] == 0
    assert stored() == 1100


def test_once_publishes_a_file_that_became_shorter(desk: Path) -> None:
    lines(desk / "events.jsonl", {"id": "a"}, {"id": "b"}, {"id": "c"})
    assert once() == (3, 0)
    lines(desk / "events.jsonl", {"id": "a"}, {"id": "b"})
    assert once() == (2, 0), "another chunk than the one that was published"


def test_csv_headers_are_fields(desk: Path) -> None:
    (desk / "events.csv").write_text('\ufeffid,amount,note\na,2.5,\n"b",,"two\nlines"\n', encoding="utf-8")
    assert parti("publish", "orders", "events.csv", "--json").json["published"] == 2
    work()
    runs = {run["key"]: run for run in parti("runs", "--part", "decide", "--json").json}
    events = {key: parti("why", run["id"], "--json").json["origin"]["payload"] for key, run in runs.items()}
    assert events == {
        "a": {"id": "a", "amount": 2.5, "note": ""},
        "b": {"id": "b", "amount": 0.0, "note": "two\nlines"},
    }


def test_a_bad_line_of_csv_is_named(desk: Path) -> None:
    (desk / "events.csv").write_bytes(b"id,amount\na,1\nb\nc,many\n\xff,1\nd,2\n")
    said = parti("publish", "orders", "events.csv", "--skip-bad", "--json")
    assert said.json["published"] == 2
    assert [(wrong["code"], wrong["place"]) for wrong in said.json["refused"]] == [
        ("P405", "events.csv:3"),
        ("P402", "events.csv:4"),
        ("P405", "events.csv:5"),
    ]


def test_events_come_from_a_pipe(desk: Path) -> None:
    assert parti("publish", "orders", input='{"id": "a"}\n{"id": "b"}\n').out == "stored 2 events in orders\n"
    assert parti("publish", "orders", "-", input='{"id": "c"}\n').code == 0
    assert stored() == 3


def test_a_pipe_cannot_be_published_once(desk: Path) -> None:
    assert parti("publish", "orders", "-", "--once", "--json", input="{}").error == "P504"


def test_what_cannot_be_published_is_refused(desk: Path) -> None:
    assert parti("publish", "nothing", '{"id": "a"}', "--json").error == "P308"
    assert parti("publish", "orders", "missing.jsonl", "--json").error == "P504"
    assert parti("publish", "orders", '{"amount": 1}', "--json").error == "P402"
    assert parti("publish", "orders", '{"id": ', "--json").error == "P405"
