"""Reading events: JSON lines, CSV, single values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel

from parti.declare.types import payload_of
from parti.design.places import NOWHERE
from parti.errors import PartiError
from parti.verbs.lines import Line, read_input


class Address(BaseModel):
    street: str
    zip: int = 0


class Person(BaseModel):
    name: str
    age: int | None = None
    home: Address | None = None


PERSON = payload_of(Person, place=NOWHERE, what="a person")


def read(what: str | Path, stream: tuple[bytes, ...] = ()) -> list[Line]:
    return list(read_input(str(what), stream, PERSON).lines)


def values(lines: list[Line]) -> list[Any]:
    return [json.loads(line.body) for line in lines]


def test_blank_lines_are_passed_over_and_still_counted() -> None:
    found = read("-", (b"1\n", b"\n", b"  \n", b"2"))
    assert [(line.number, line.body) for line in found] == [(1, b"1"), (4, b"2")]


@given(some.lists(some.recursive(some.none() | some.integers() | some.text(), some.lists, max_leaves=5)))
def test_json_lines_come_back_as_they_were(events: list[Any]) -> None:
    stream = tuple(json.dumps(event).encode() + b"\r\n" for event in events)
    assert values(read("-", stream)) == events


def test_json_is_told_from_a_file_name(tmp_path: Path) -> None:
    assert values(read('{"name": "x"}')) == [{"name": "x"}]
    assert values(read("17")) == [17]
    assert read('{"name": ')[0].body == b'{"name":'
    with pytest.raises(PartiError, match="P504"):
        read(tmp_path / "missing.jsonl")


def test_dotted_headers_reach_into_fields(tmp_path: Path) -> None:
    file = tmp_path / "people.CSV"
    file.write_text("name,home.street,home.zip\nann,Elm,7\nbob,,\n", encoding="utf-8")
    assert values(read(file)) == [{"name": "ann", "home": {"street": "Elm", "zip": "7"}}, {"name": "bob"}]


def test_an_empty_cell_is_a_text_only_where_the_field_is_one(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,age\n,\n", encoding="utf-8")
    assert values(read(file)) == [{"name": ""}]


def test_rows_over_several_lines_are_numbered_by_their_first(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text('name\n"a\nb"\n\nc\n', encoding="utf-8")
    assert [(line.number, json.loads(line.body)["name"]) for line in read(file)] == [(2, "a\nb"), (5, "c")]


def test_a_broken_quote_is_an_error_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text('name\n"a"b\nc\n', encoding="utf-8")
    bad, good = read(file)
    assert bad.wrong is not None
    assert (bad.wrong.code, bad.wrong.place, good.number) == ("P405", "people.csv:2", 3)
