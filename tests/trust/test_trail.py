"""Where a value came from: named by the task, looked up by what the task names, chosen by a stranger, or not to be told."""

from __future__ import annotations

from typing import Annotated, Any, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from parti.design.fields import labels_of
from parti.design.labels import Label, Region
from parti.trust.asking import Asked
from parti.trust.entropy import FLOOR_BITS, bits, tells
from parti.trust.leaves import leaves
from parti.trust.taint import Quarantine, Taint
from parti.trust.trail import WAITING_MAX, Trail

FileId = NewType("FileId", str)
EventId = NewType("EventId", str)
BOB = "bob.baker@partners.example"
UNTRUSTED = (("", Label.UNTRUSTED),)


class Contact(BaseModel):
    """One of our contacts, with a note by strangers."""

    address: str
    note: Annotated[str, Label.UNTRUSTED] = ""
    file: FileId = FileId("")


def asked(text: str) -> Trail:
    """A trail in which the task says so."""
    trail = Trail()
    trail.learn("task", str, text, (), named=True, task=True)
    return trail


@pytest.mark.parametrize("text", [f"write to {BOB}", f"{BOB}: say hello", f"({BOB})", f"ask {BOB}."])
def test_what_stands_in_the_task_as_a_word_is_named(text: str) -> None:
    assert asked(text).trace(str, BOB) is not None


@pytest.mark.parametrize("text", [f"write to x{BOB}", f"write to {BOB}.attackers.example", "write to Bob", ""])
def test_what_is_part_of_another_word_is_not(text: str) -> None:
    assert asked(text).trace(str, BOB) is None


@pytest.mark.parametrize("value", [100, True, "2026-11-24", "Bob", "10:30", 7.5])
def test_a_value_that_could_be_equal_by_accident_is_not_traced(value: Any) -> None:
    trail = asked(f"pay {value} today")
    trail.learn("invoice", type(value), value, (), named=True)
    assert trail.trace(type(value), value) is None


def test_a_field_that_strangers_write_names_nothing_beside_a_trusted_one_that_does() -> None:
    trail = Trail()
    found = Contact(address=BOB, note="eve.evil@attackers.example")
    trail.learn("contact", Contact, found, labels_of(Contact), named=True)
    known = trail.trace(str, BOB)
    assert known is not None
    assert known.where == "contact.address"
    assert trail.trace(str, "eve.evil@attackers.example") is None
    assert trail.seen(str, "eve.evil@attackers.example") == "contact.note"


def test_one_of_several_is_a_choice_and_so_is_what_a_call_gave_that_was_not_named() -> None:
    trail = Trail()
    trail.learn("contacts", list[str], [BOB, "carol@partners.example"], (), named=True)
    trail.learn("contact", str, "dave.dent@partners.example", (), named=False)
    assert trail.trace(str, BOB) is None
    assert trail.trace(str, "dave.dent@partners.example") is None
    trail.chosen(str, BOB)
    assert trail.trace(str, BOB) is not None


def test_an_id_of_one_kind_is_not_taken_for_one_of_another() -> None:
    trail = Trail()
    trail.learn("event", EventId, "id-1", (), named=True)
    assert trail.trace(EventId, "id-1") is not None
    assert trail.trace(FileId, "id-1") is None
    assert trail.trace(str, "id-1") is None


def test_an_agent_knows_what_its_run_knows_and_takes_nothing_back() -> None:
    around = asked(f"write to {BOB}")
    inner = Trail(around)
    inner.learn("contact", str, "carol@partners.example", (), named=True)
    assert inner.trace(str, BOB) is not None
    assert around.trace(str, "carol@partners.example") is None


def test_a_value_that_is_changed_after_it_was_read_is_known_as_it_was() -> None:
    """What is kept is looked at later, and must not be what the program, or a stranger's text, made of it meanwhile."""
    trail, found, many = Trail(), Contact(address=BOB), ["carol@partners.example"]
    trail.learn("contact", Contact, found, labels_of(Contact), named=True)
    trail.chosen(list[str], many)
    found.address = many[0] = "eve.evil@attackers.example"
    assert trail.trace(str, "eve.evil@attackers.example") is None
    assert trail.trace(str, BOB) is not None
    assert trail.trace(str, "carol@partners.example") is not None


@pytest.mark.parametrize(
    ("task", "value"),
    [
        ("Send to bob+newsletter@partners.example", "newsletter@partners.example"),
        ("Send to o'brien-mac@partners.example", "brien-mac@partners.example"),
        ("Send to sales%eve.example@relay.example", "eve.example@relay.example"),
        ("Send to <sales!eve@evil-relay.example>", "eve@evil-relay.example"),
        ("See https://api.partners.example/v1/safe", "https://api.partners.example"),
        ("See /srv/share/public/a-report", "/srv/share/public"),
        ("Pay DE02 1203 0000 0000 2020 51", "0000 0000 2020 51"),
        ("Pay DE02 1203 0000 0000 2020 51", "DE02 1203 0000"),
        ("the administrator wants Bob to read", "administrator"),
        ("make it read-only for Bob", "read-only"),
    ],
)
def test_a_piece_of_what_the_task_says_and_a_common_word_are_not_named(task: str, value: str) -> None:
    assert asked(task).trace(str, value) is None


@pytest.mark.parametrize(
    ("task", "value"),
    [
        ("Pay DE02 1203 0000 0000 2020 51.", "DE02 1203 0000 0000 2020 51"),
        ("Share Budget plan 2027 with Bob", "Budget plan 2027"),
        ("Pay Bob Baker-Jones's bill", "Bob Baker-Jones"),
        ('Write to "Carol Cartwright"!', "Carol Cartwright"),
        ("See **https://api.partners.example/v1/safe**", "https://api.partners.example/v1/safe"),
        ("Pay inv-2027-00417, then rest", "inv-2027-00417"),
    ],
)
def test_what_the_task_says_in_whole_words_is_named(task: str, value: str) -> None:
    assert asked(task).trace(str, value) is not None


def test_a_value_that_was_used_early_keeps_the_labels_of_what_the_run_had_read() -> None:
    pii = frozenset({Label.PII})
    trail = asked(f"write to {BOB}")
    trail.chosen(str, "078-05-1120-4711", pii | {Label.UNTRUSTED})
    trail.chosen(str, BOB, pii)
    early, named = trail.trace(str, "078-05-1120-4711"), trail.trace(str, BOB)
    assert early is not None
    assert early.tags == pii
    assert named is not None
    assert named.tags == frozenset()


def test_a_named_value_that_is_personal_elsewhere_is_personal_and_stays_named_where_strangers_write_it() -> None:
    trail = asked(f"write to {BOB}")
    trail.learn("person", str, BOB, (("", Label.PII),), named=False)
    trail.learn("letter", str, BOB, UNTRUSTED, named=False)
    for one in (trail, Trail(trail)):
        known = one.trace(str, BOB)
        assert known is not None
        assert known.tags == {Label.PII}


def test_a_task_may_repeat_what_the_run_has_read_before() -> None:
    trail = Trail(Trail())
    trail.learn_task("the task", "tell 078-05-1120-4711", trusted=True, held=frozenset({Label.PII}))
    known = trail.trace(str, "078-05-1120-4711")
    assert known is not None
    assert known.tags == {Label.PII}


def test_a_call_about_nothing_was_not_named() -> None:
    trail = asked(f"write to {BOB}")
    for kinds, given_ in (([], []), ([str], [None]), ([list[str]], [[]])):
        trail.learn("latest", FileId, "file-9a7c", (), named=trail.naming(kinds, given_))
        assert trail.trace(FileId, "file-9a7c") is None
    trail.learn("one", FileId, "file-9a7c", (), named=trail.naming([str, str], [BOB, None]))
    assert trail.trace(FileId, "file-9a7c") is not None


def test_an_id_in_a_tuple_is_of_its_own_type() -> None:
    trail = Trail()
    ids = (FileId("file-7361ab"), EventId("event-99ab21"))
    trail.learn("pair", tuple[FileId, EventId], ids, (), named=True, task=True)
    assert trail.trace(FileId, "file-7361ab") is not None
    assert trail.trace(EventId, "event-99ab21") is not None
    assert trail.trace(FileId, "event-99ab21") is None
    assert trail.trace(str, "event-99ab21") is not None


def test_what_lies_in_a_dict_has_the_labels_that_its_type_says() -> None:
    trail = Trail()
    kind, written = dict[str, Contact], {"a": Contact(address=BOB, note="eve.evil@attackers.example")}
    trail.learn("contacts", kind, written, labels_of(kind), named=True)
    assert trail.trace(str, BOB) is not None
    assert trail.trace(str, "eve.evil@attackers.example") is None
    trail.learn("contacts", kind, {**written, "b": Contact(address="carol@partners.example")}, (), named=True)
    assert trail.trace(str, "carol@partners.example") is None  # one of several is a choice


KINDS: list[tuple[Any, Any]] = [
    (str, BOB), (str, "carol@partners.example"), (str, f"write to {BOB}"), (FileId, "id-1"), (EventId, "id-1"), (int, 100),
    (Contact, Contact(address=BOB, note="eve.evil@attackers.example", file=FileId("file-9a7c"))),
    (list[str], [BOB, "dave.dent@partners.example"]), (dict, {"to": BOB, "more": ["x", None, 10**9]}), (float | None, 1.0),
]  # fmt: skip
DEEDS = st.tuples(
    st.sampled_from(["learn", "task", "chosen", "call", "inner"]),
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.booleans(),
)


def told(deeds: list[Any], *, at_once: bool) -> list[Any]:
    """All that two trails, one inside the other, can tell after these deeds, looked at after each or at the end."""
    around = Trail()
    trails = [around, Trail(around)]
    for number, (deed, (kind, value), (other_kind, other), yes) in enumerate(deeds):
        trail, labelled = trails[number % 2], UNTRUSTED if yes else ()
        if deed == "learn":
            trail.learn(f"part{number}", kind, value, labelled, named=not yes)
        elif deed == "chosen":
            trail.chosen(kind, value, frozenset({Label.PII}) if yes else frozenset())
        elif deed == "call":
            named = trail.naming([kind], [value])
            trail.learn(f"part{number}", other_kind, other, labelled, named=named)
        elif deed == "task":
            trail.learn(f"part{number}", kind, value, labelled, named=True, task=True)
        else:
            trails[1] = Trail(around)
            trails[1].learn_task("the task", f"write to {BOB}", trusted=yes, held=frozenset({Label.PII}))
        if at_once:
            around.seen(str, "")
    return [(trail.trace(kind, value), trail.seen(kind, value)) for trail in trails for kind, value in KINDS]


@given(st.lists(DEEDS, max_size=12))
def test_what_is_looked_at_late_is_what_would_have_been_known_at_once(deeds: list[Any]) -> None:
    assert told(deeds, at_once=False) == told(deeds, at_once=True)


def test_a_trail_keeps_only_so_much_that_it_has_not_looked_at() -> None:
    trail = Trail()
    for number in range(10 * WAITING_MAX):
        trail.learn("numbers", int, number, (), named=True)
        assert len(trail._waiting) < WAITING_MAX


def test_an_unset_field_is_none_and_a_deep_value_counts_as_text() -> None:
    assert [leaf.path for leaf in leaves(Contact, Contact.model_construct(note="x"))] == ["note", "file"]
    found = leaves(dict, {"a": {"b": [1, 2]}})
    assert [leaf.path for leaf in found if not leaf.is_key] == ["a.b", "a.b"]
    assert [leaf.text for leaf in found if leaf.is_key] == ["a", "b"]


@given(st.text(max_size=40))
def test_the_quick_bound_of_bits_is_one(text: str) -> None:
    assert tells(text) == (bits(text) >= FLOOR_BITS)


def test_what_is_named_carries_the_labels_of_its_field() -> None:
    trail = Trail()
    trail.learn("person", str, "Ann Alder-Ames of Aylesbury", (("", Label.PII),), named=True)
    known = trail.trace(str, "Ann Alder-Ames of Aylesbury")
    assert known is not None
    assert known.tags == {Label.PII}


@given(st.text(max_size=60), st.text(max_size=60))
def test_untrusted_text_never_names_anything(text: str, value: str) -> None:
    trail = Trail()
    trail.learn("letter", str, text, UNTRUSTED, named=True, task=True)
    known = trail.trace(str, value)
    assert known is None or value.strip() == ""
    for word in text.split():
        assert trail.trace(str, word) is None


@given(st.text())
def test_bits_are_never_negative_and_grow_when_a_text_is_said_twice(text: str) -> None:
    assert 0 <= bits(text) <= bits(text + text) or text == text.strip("0123456789-T:Z+. ")  # moments are cut off
    assert tells(text) == (bits(text) >= 24)


TAGS = st.frozensets(st.sampled_from([*Label, Region("eu"), Region("us")]))


@given(st.lists(st.tuples(st.sampled_from("abc"), TAGS)))
def test_a_taint_is_the_union_of_all_that_was_read_also_out_of_its_journal(reads: list[tuple[str, Any]]) -> None:
    taint, journaled = Taint(), dict[str, str]()
    for part, tags in reads:
        for fresh in taint.add(part, tags):
            assert fresh not in journaled
            journaled[fresh] = part
    restored = Taint()
    restored.restore(journaled)
    assert restored.held == taint.held
    assert taint.held.keys() == frozenset[Any]().union(*(tags for _, tags in reads))


@given(TAGS, TAGS, TAGS)
def test_a_quarantine_loses_no_label_it_is_held_inside_or_goes_on(releases: Any, outer: Any, read: Any) -> None:
    quarantine = Quarantine(releases, Quarantine(outer, None))
    out = quarantine.keep("letter", read)
    assert out | quarantine.inside.held.keys() == read
    assert not out & (releases | outer)


def test_people_are_asked_so_often_an_hour() -> None:
    asked_of = Asked()
    assert [asked_of.may("boss", now, 2) for now in (0.0, 1.0, 2.0, 3600.0, 3600.5)] == [True, True, False, True, False]
    assert asked_of.may("clerk", 2.0, 2)
