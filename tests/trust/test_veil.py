"""A veil knows labelled values wherever they stand, and no others; a token stands for one value in one run alone."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from parti.design.fields import labels_of
from parti.design.labels import Label
from parti.ports.llm import Answer, Answered, Request, Returned, Said, ToolCall
from parti.trust.forms import LOOSE, is_findable, key_of
from parti.trust.masking import Cover, Uncovering, Unmaskable, uncovered
from parti.trust.tokens import TOKEN, TOKEN_MAX, code_of, token
from parti.trust.veil import VALUES_MAX, Veil, tokens_in

PII = frozenset({Label.PII})
SECRET = frozenset({Label.SECRET})


def veil(*values: str, run: str = "run-1", tenant: str = "main", secret: bytes = b"s") -> Veil:
    """A veil that knows values of persons' names."""
    made = Veil(partial(code_of, secret, tenant, run), {})
    for value in values:
        made.know("person.name", value, PII)
    return made


def covered(text: str, *values: str) -> str:
    """A text with values covered, and each token shown as #."""
    return TOKEN.sub("#", veil(*values).cover(text, PII, Counter()))


@pytest.mark.parametrize(
    ("text", "values", "left"),
    [
        ("Dear Ann, Ann Alder is you.", ["Ann", "Ann Alder"], "Dear #, # is you."),
        ("Annexes of Hannah", ["Ann"], "Annexes of Hannah"),
        ("ANN ALDER and ann alder", ["Ann Alder"], "# and #"),
        ("May I in May? Not in may.", ["May"], "# I in #? Not in may."),
        ("Ann\n  Alder", ["Ann Alder"], "#"),
        ("Müllers Haus", ["Müller"], "#s Haus"),
        (unicodedata.normalize("NFD", "José Peña"), ["José Peña"], "#"),
        ("STRASSE 5", ["Straße 5"], "#"),
        ("田中さん", ["田中"], "#さん"),
        ("김철수는", ["김철수"], "#는"),
        (json.dumps({"said": 'Ann "The Ax" Alder\nBob'}), ['Ann "The Ax" Alder', "Bob"], '{"said": "#\\n#"}'),
        (json.dumps("Zoë"), ["Zoë"], '"#"'),
        ("41 of 2041, 4,500.00 or 4500", ["41", "4500"], "# of 2041, # or #"),
        ("at 2024-05-01T10:00:00Z", ["2024-05-01 10:00:00+00:00"], "at #"),
        ("a, M, true and yes", ["M", "true", ""], "a, M, true and yes"),
        ("ann@example.com", ["Ann"], "ann@example.com"),
        ("Ann@example.com", ["Ann"], "#@example.com"),
        ("Bell Labs, Anna Bell Labs", ["Anna Bell", "Bell Labs"], "#, # #"),
        ("Dear Ann, dear Mr Alder, or alder or annex?", ["Ann Alder"], "Dear #, dear Mr #, or alder or annex?"),
        ("The Mill is a mill, is it?", ["The Old Mill"], "The # is a mill, is it?"),
        ("", ["Ann"], ""),
        ("M", ["M"], "#"),
    ],
)
def test_a_value_is_found_where_it_stands_as_itself(text: str, values: list[str], left: str) -> None:
    """Words end where they do in their script; case counts for the shortest; a whole field may be as short as it likes."""
    assert covered(text, *values) == left


def test_a_free_text_is_covered_as_a_whole_and_by_its_sentences() -> None:
    letter = "Dear all, I was ill for two long weeks. My doctor is Dr. Who in Bonn.\nAnn"
    assert covered(f"Sum up: {letter}!", letter) == "Sum up: #!"
    assert "ill" not in covered(f"He wrote: {letter[:39]}", letter)
    times = Counter[str]()
    assert veil(letter).cover(letter, PII, times, but_free=True) == letter
    assert not times


def test_a_token_in_a_text_stays_and_one_of_nobody_hides_nothing() -> None:
    known = veil("Ann Alder", "name")
    once = known.cover("Ann Alder", PII, Counter())
    assert known.cover(f"To {once}", PII, Counter()) == f"To {once}"
    assert "Ann" not in known.cover("[PII:x:aaaaaaaaaa] Ann Alder", PII, Counter())


def test_tokens_differ_by_run_tenant_and_store_and_say_nothing_of_the_value() -> None:
    one = veil("Ann Alder").cover("Ann Alder", PII, Counter())
    assert TOKEN.fullmatch(one)
    assert one.startswith("[PII:name:")
    others = [veil("Ann Alder", run="run-2"), veil("Ann Alder", tenant="b"), veil("Ann Alder", secret=b"t")]
    assert len({one, *(other.cover("Ann Alder", PII, Counter()) for other in others)}) == 4
    assert one == veil("x y", "Ann Alder").cover("ann alder", PII, Counter())


def test_a_token_that_was_journaled_stays_what_it_was() -> None:
    first = veil("Ann Alder")
    times = Counter[str]()
    said = first.cover("Ann Alder", PII, times)
    journaled = tokens_in([{"masked": [one.as_json() for one in first.covered(times)]}, {"then": "allow"}])
    later = Veil(partial(code_of, b"s", "main", "run-1"), journaled)
    later.know("other.field", "Ann Alder", PII | SECRET)
    assert later.cover("Ann Alder", PII, Counter()) == said


def test_no_token_is_longer_than_a_stream_holds_back() -> None:
    assert len(token(Label.SECRET, "a name of some field that is very long indeed", "abcdefghij")) <= TOKEN_MAX


class Person(BaseModel):
    """With values of many types."""

    name: Annotated[str, Label.PII]
    born: Annotated[date, Label.PII]
    seen: Annotated[datetime, Label.PII]
    income: Annotated[float, Label.PII]
    tags: list[Annotated[str, Label.PII]]
    town: str = "Bonn"


def test_values_of_every_type_are_known_from_nested_models_lists_and_dicts() -> None:
    seen = datetime(2024, 5, 1, 10, tzinfo=UTC)
    ann = Person(name="Ann Alder", born=date(1980, 5, 12), seen=seen, income=4500.5, tags=["tall", "kind"])
    known = Veil(partial(code_of, b"s", "main", "r"), {})
    known.learn(
        "person", dict[str, list[Person]], {"a": [ann]}, tuple((f"a.{path}", tag) for path, tag in labels_of(Person))
    )
    shown = known.cover(f"{ann!r} {ann.model_dump_json()} {ann.seen} {ann.income:,.2f}", PII, Counter())
    for text in (
        "Ann Alder",
        "1980-05-12",
        "(1980, 5, 12",
        "2024-05-01",
        "(2024, 5, 1",
        "4500.5",
        "4,500.50",
        "tall",
        "kind",
    ):
        assert text not in shown
    assert "Bonn" in shown


def test_a_number_that_is_labelled_has_no_token() -> None:
    with pytest.raises(Unmaskable, match=r"`about\.age` has a labelled value that is no text"):
        Cover(veil("41"), PII).value({"age": 41}, "about")
    assert Cover(veil("41"), PII).value({"age": 42}, "about") == {"age": 42}
    assert Cover(veil("41"), PII, cleared=(("about.age", Label.PII),)).value({"age": 41}, "about") == {"age": 41}


def test_names_in_objects_are_covered_too() -> None:
    (name,) = Cover(veil("Ann Alder"), PII).value({"Ann Alder": ["Ann Alder"]})
    assert TOKEN.fullmatch(name)


def test_every_part_of_a_request_is_covered() -> None:
    known = veil("Ann Alder", 'Bob "Ax"')
    cover = Cover(known, PII)
    request = Request(
        (
            Said("system", "Ann Alder asks"),
            Said("user", "for Ann Alder"),
            Answered(
                "Ann Alder?", (ToolCall("c", "post", json.dumps({"to": 'Bob "Ax"'})),), '{"thought": "Ann Alder"}'
            ),
            Returned("c", "post", '{"to": "Ann Alder"}'),
        ),
        size=400,
    )
    sent = cover.request(request)
    assert "Ann Alder" not in str(sent)
    assert "Ax" not in str(sent)
    assert isinstance(sent.messages[2], Answered)
    assert sent.messages[2].raw == ""  # it may be signed: it goes whole, or not at all
    assert TOKEN.fullmatch(json.loads(sent.messages[2].calls[0].arguments)["to"])
    assert sent.size is None
    assert cover.times.total() == 5


def test_values_come_back_into_json_as_json() -> None:
    known = veil('Bob "Ax"')
    code = known.cover('Bob "Ax"', PII, Counter())
    answer = uncovered(
        Answer(json.dumps({"to": f"Dear {code}"}), (ToolCall("c", "post", f'{{"to":"{code}"}}'),)),
        known,
        (),
        lambda _: (),
    )
    assert json.loads(answer.text) == {"to": 'Dear Bob "Ax"'}
    assert json.loads(answer.calls[0].arguments) == {"to": 'Bob "Ax"'}


def test_a_secret_comes_back_only_where_a_type_says_secret() -> None:
    known = Veil(partial(code_of, b"s", "main", "r"), {})
    known.know("login.password", "hunter-2", SECRET)
    said = known.cover("hunter-2", SECRET, Counter())
    text = json.dumps({"key": said, "note": said})
    answer = uncovered(Answer(text), known, (("key", Label.SECRET),), lambda _: ())
    assert json.loads(answer.text) == {"key": "hunter-2", "note": said}


@given(st.lists(st.integers(1, 60)), st.sampled_from(["Dear %s, [%s] [x", "%s%s", "[[%s]", "no [ token ] at all"]))
def test_a_stream_in_any_pieces_says_the_same_as_the_whole(cuts: list[int], shape: str) -> None:
    known = veil("Ann Alder")
    text = shape.replace("%s", known.cover("Ann Alder", PII, Counter()))
    told = list[str]()
    stream = Uncovering(told.append, known)
    for size in [*cuts, len(text)]:
        stream(text[:size])
        text = text[size:]
    stream.end()
    assert "".join(told) == shape.replace("%s", "Ann Alder")


def test_a_veil_that_met_too_much_says_so() -> None:
    known = veil(*(f"value {n}" for n in range(VALUES_MAX + 1)))
    assert known.is_full


VALUES = st.lists(
    st.text(max_size=20) | st.sampled_from(["Ann", "Ann Alder", "41", "M", "Al", "İ", "ß", "田中", "a\\nb"]), max_size=6
)


@given(VALUES, st.data())
def test_no_value_above_the_floor_is_in_what_left(values: list[str], data: Any) -> None:
    """Whatever stands around the values: not as they are if they are long, and not as words of their own if they are short."""
    around = st.text(max_size=8) | st.sampled_from([" ", "\n", '"', "x", "[", "Ann", "\\n"])
    between = data.draw(st.lists(around, min_size=len(values) + 1, max_size=len(values) + 1))
    text = between[0] + "".join(f"{value}{more}" for value, more in zip(values, between[1:], strict=True))
    left = TOKEN.sub("\0", veil(*values).cover(text, PII, Counter()))
    for value in values:
        plain = value.strip()
        if is_findable(value) and key_of(value):
            if len(plain) >= LOOSE:
                assert plain not in left
            else:
                assert not re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", left)
