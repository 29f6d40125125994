"""What the SVG of a design holds, and that any design at all can be drawn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from designs import Builder, Order, lending, random_design, retail
from hypothesis import given, settings
from hypothesis import strategies as st

from parti.design.graph import Arrow, Design
from parti.design.places import Place
from parti.drawings import design_json, draw_mermaid, draw_svg, draw_text
from parti.drawings.cards import HEIGHT
from parti.drawings.shapes import inset, outline

SVG = "{http://www.w3.org/2000/svg}"


def read(design: Design) -> ElementTree.Element:
    return ElementTree.fromstring(draw_svg(design))


def groups(root: ElementTree.Element, word: str) -> list[ElementTree.Element]:
    return [group for group in root.iter(f"{SVG}g") if word in group.get("class", "").split()]


def test_each_part_has_an_id_a_tooltip_with_its_place_and_its_name() -> None:
    root = read(lending())
    parts = {group.get("id"): group for group in groups(root, "part")}
    assert list(parts) == [f"part-{part.name}" for part in lending().parts]
    decide = parts["part-decide"]
    assert "app.py:64" in (decide.findtext(f"{SVG}title") or "")
    assert [text.text for text in decide.iter(f"{SVG}text")][:2] == ["HANDLER", "decide"]


def test_arrows_name_their_ends_in_the_direction_of_the_data() -> None:
    found = {
        (group.get("data-source"), group.get("data-target")): group.get("data-kind")
        for group in groups(read(lending()), "arrow")
    }
    assert found["applications", "decide"] == "consumes"
    assert found["decide", "decisions"] == "publishes"
    assert found["book", "standing"] == "reads"
    assert found["decide", "risk"] == "calls"
    assert found["decide", "underwriter"] == "asks"


def test_reading_and_writing_one_table_is_one_line_with_two_heads_and_both_words() -> None:
    arrows = groups(read(lending()), "arrow")
    (both,) = [arrow for arrow in arrows if {"decide", "book"} == {arrow.get("data-source"), arrow.get("data-target")}]
    heads = [path.get("d", "") for path in both.iter(f"{SVG}path") if path.get("class") == "head"]
    assert heads[0].count("M") == 2
    assert both.findtext(f"{SVG}text") == "reads · writes"


def test_what_only_may_happen_is_dotted() -> None:
    may = groups(read(lending()), "may")
    assert [group.get("data-target") for group in may if group.get("data-target")] == [
        "post_letter",
        "credit_file",
        "files",
    ]


def test_the_legend_lists_only_what_is_used() -> None:
    make = Builder("small")
    make.topic("orders", Order)
    make.handler("pack", "orders")
    (legend,) = groups(read(make.design()), "legend")
    words = [text.text or "" for text in legend.iter(f"{SVG}text")]
    assert words == ["topic: stream of events", "handler: runs for each event", "events"]


def test_both_colour_schemes_are_in_the_file() -> None:
    assert "prefers-color-scheme:dark" in draw_svg(lending())


def test_handlers_of_one_group_are_tagged_and_an_opaque_part_is_marked() -> None:
    tags = [text.text for text in read(retail()).iter(f"{SVG}text") if text.get("class") == "tag"]
    assert tags.count("group reserve") == 2
    assert "?" in [text.text for text in read(lending()).iter(f"{SVG}text") if text.get("class") == "tag"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_designs_are_drawn(count: int) -> None:
    design = random_design(7, count, 0)
    assert len(groups(read(design), "part")) == count
    assert draw_text(design)
    assert draw_mermaid(design).startswith("flowchart LR")


def test_a_part_that_calls_itself_gets_a_bow() -> None:
    make = Builder("self")
    make.step("climb", int, int, does="calls climb")
    (arrow,) = groups(read(make.design()), "arrow")
    assert arrow.get("data-source") == arrow.get("data-target") == "climb"


def test_an_arrow_to_a_part_that_is_not_declared_does_not_break_a_drawing() -> None:
    design = replace(lending(), arrows=(Arrow("decide", "calls", "ghost", Place("app.py", 3)),))
    assert not groups(read(design), "arrow")
    assert "ghost  (not declared)" in draw_text(design)


def test_a_dead_letter_topic_that_nothing_touches_is_left_out() -> None:
    make = Builder("quiet")
    make.topic("orders", Order, dead_letters="orders.dead")
    make.topic("orders.dead", Order)
    make.handler("pack", "orders")
    assert [group.get("data-part") for group in groups(read(make.design()), "part")] == ["orders", "pack"]
    assert "orders.dead" not in draw_text(make.design()) + draw_mermaid(make.design())
    make.does("pack", "reads orders.dead")
    assert len(groups(read(make.design()), "part")) == 3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30), st.sampled_from([0.0, 0.8, 2.5]))
def test_any_design_gives_well_formed_drawings_with_all_its_parts(seed: int, count: int, arrows: float) -> None:
    design = random_design(seed, count, arrows) if count else random_design(seed, 0, 0)
    root = read(design)
    names = [group.get("data-part") for group in groups(root, "part")]
    assert names == [part.name for part in design.parts]
    text = draw_text(design)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert draw_mermaid(design).count(":::") == count


@pytest.mark.parametrize("shape", ["hexagon", "arrow", "flag", "cut", "sheet"])
@pytest.mark.parametrize("away", [0.0, 7.5, -15.0])
def test_lines_meet_the_outline_of_a_shape(shape: str, away: float) -> None:
    corners = [tuple(map(float, pair.split())) for pair in outline(shape, 0, 0, 200, HEIGHT)[1:-1].split("L")]
    y = HEIGHT / 2 + away
    met = []
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y1 != y2 and min(y1, y2) <= y <= max(y1, y2):
            met.append(x1 + (x2 - x1) * (y - y1) / (y2 - y1))
    assert min(met) == pytest.approx(inset(shape, "left", away, HEIGHT))
    assert max(met) == pytest.approx(200 - inset(shape, "right", away, HEIGHT))


def test_drawings_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib, json, designs; from parti.drawings import *; d = designs.random_design(4, 60);"
        "all = draw_svg(d) + draw_text(d) + draw_mermaid(d) + json.dumps(design_json(d));"
        "print(hashlib.sha256(all.encode()).hexdigest())"
    )
    here = str(Path(__file__).parent)
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=here,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{here}{os.pathsep}{Path(here).parents[1] / 'src'}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "4242")
    }
    assert len(digests) == 1
    assert re.fullmatch(r"[0-9a-f]{64}\n", digests.pop())


def test_drawing_leaves_the_design_alone_and_gives_the_same_bytes_again() -> None:
    design = retail()
    first = draw_svg(design), draw_text(design), draw_mermaid(design), design_json(design)
    assert first == (draw_svg(design), draw_text(design), draw_mermaid(design), design_json(design))
    assert draw_svg(retail()) == first[0]
