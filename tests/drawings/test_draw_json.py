"""The JSON of a design fits its published schema and holds what the parts declare."""

from __future__ import annotations

import json
from typing import Any

import pytest
from designs import lending, random_design, retail
from jsonschema import Draft202012Validator

from parti import Summarise, System, Truncate
from parti.design.payload import schema_digest
from parti.drawings import design_json, schema
from parti.drawings.palette import LOOKS


def part(facts: dict[str, Any], name: str) -> dict[str, Any]:
    return next(part for part in facts["parts"] if part["name"] == name)


def test_the_published_schema_is_a_valid_one_and_knows_every_kind() -> None:
    Draft202012Validator.check_schema(schema())
    assert {entry["$ref"].rsplit("/")[-1] for entry in schema()["$defs"]["part"]["oneOf"]} == set(LOOKS)


@pytest.mark.parametrize("design", [lending(), retail(), random_design(1, 150), random_design(0, 0, 0)])
def test_the_json_of_a_design_fits_the_schema(design: Any) -> None:
    facts = json.loads(json.dumps(design_json(design), allow_nan=False))
    Draft202012Validator(schema()).validate(facts)


def test_the_schema_refuses_a_part_with_an_unknown_option() -> None:
    facts = design_json(lending())
    part(facts, "book")["options"]["colour"] = "red"
    assert not Draft202012Validator(schema()).is_valid(facts)


def test_parts_carry_their_options_types_and_places() -> None:
    facts = design_json(lending())
    assert part(facts, "decisions")["options"]["retain"] == 7 * 31557600.0
    assert part(facts, "post_letter")["options"]["key"] == "letter.application_id"
    assert part(facts, "decide")["place"] == {"file": "app.py", "line": 64}
    assert part(facts, "decide")["options"]["function"]["returns"]["type"] == "Decision"
    assert facts["slo"] == {"p99": 2.0, "availability": 0.999}


def test_every_type_is_found_by_its_digest() -> None:
    facts = design_json(retail())
    wanted = part(facts, "orders")["options"]["payload"]
    assert wanted["type"] == "Order"
    assert facts["schemas"][wanted["digest"]]["title"] == "Order"
    assert all(schema_digest(found) == digest for digest, found in facts["schemas"].items())


def test_groups_and_opaque_spots_are_told() -> None:
    assert design_json(retail())["groups"]["restock"] == "reserve"
    assert design_json(lending())["opaque"][0]["part"] == "decide"


@pytest.mark.parametrize("overflow", [Truncate(), Truncate(results=None), Summarise(), Summarise(otherwise=Truncate())])
def test_what_gives_way_to_the_window_is_told(overflow: Any) -> None:
    desk = System("desk")
    desk.agent("clerk", llm=desk.llm("local", context=4_000), overflow=overflow)
    facts = json.loads(json.dumps(design_json(desk.design), allow_nan=False))
    Draft202012Validator(schema()).validate(facts)
    told = part(facts, "clerk")["options"]["overflow"]
    assert (told["kind"], told["keep"]) == (type(overflow).__name__.lower(), overflow.keep)
    assert told.get("by", "local") == "local"
