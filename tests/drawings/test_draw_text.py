"""The tree for the terminal and the Mermaid chart say what starts work and what it touches."""

from __future__ import annotations

from designs import Builder, Order, lending, retail

from parti.drawings import draw_mermaid, draw_text


def test_the_tree_leads_from_a_source_over_a_topic_to_what_a_handler_does() -> None:
    lines = draw_text(lending()).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("  bank  source"))
    assert lines[start + 1].strip().startswith("└─ publishes applications")
    assert lines[start + 2].strip().startswith("└─ starts decide")
    assert any("may calls post_letter" in line and line.endswith("app.py:92") for line in lines)


def test_every_line_fits_the_width_asked_for() -> None:
    for width in (40, 72, 100, 160):
        assert all(len(line) <= width for line in draw_text(retail(), width=width).splitlines())


def test_every_part_stands_in_the_tree() -> None:
    text = draw_text(retail())
    assert all(f"{part.name}  " in text for part in retail().parts)


def test_a_part_that_came_before_is_not_told_again() -> None:
    text = draw_text(retail())
    assert text.count("starts reserve") == 1
    assert "publishes orders  topic  Order by id  ↑ above" in text


def test_a_loop_of_topics_without_a_source_is_told_once() -> None:
    make = Builder("loop")
    make.topic("ping", Order)
    make.topic("pong", Order)
    make.handler("there", "ping", "pong")
    make.handler("back", "pong", "ping")
    text = draw_text(make.design())
    assert "Topics that feed themselves\n  ping  topic" in text
    assert text.count("starts there") == text.count("starts back") == 1


def test_a_chain_of_a_thousand_topics_is_no_reason_to_fail() -> None:
    make = Builder("chain")
    for index in range(1001):
        make.topic(f"t{index}", Order)
    for index in range(1000):
        make.handler(f"h{index}", f"t{index}", f"t{index + 1}")
    assert draw_text(make.design()).count("starts") == 1000


def test_groups_and_opaque_spots_stand_at_the_end() -> None:
    assert draw_text(retail()).endswith(
        "Groups: one writer per key\n  reserve: reserve, restock\n  charge: charge, refund\n"
    )
    assert draw_text(lending()).splitlines()[-2] == "Could not be read"


def test_mermaid_text_holds_no_letter_of_a_name_that_mermaid_could_read() -> None:
    make = Builder("odd")
    make.person('a"b]<i>;')
    node = draw_mermaid(make.design()).splitlines()[1]
    assert '"b' not in node
    assert "a#34;b#93;#60;i#62;#59;" in node
