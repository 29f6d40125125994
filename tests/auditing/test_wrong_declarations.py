"""Systems in which one declaration is wrong: the audit says which, by which way, and finds nothing once it is mended."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest
from audit_kit import HonestNote, HonestReceipt, Letter, Note, Receipt, found_in, office
from pydantic import BaseModel, Field

from parti import Label, System
from parti.testing import Audit, audit_labels

Reference = NewType("Reference", str)


LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


def texts_of(audit: Audit, sink: str) -> list[str]:
    """The way of the first finding in a sink."""
    return [stage.text for stage in next(one for one in audit.findings if str(one.sink) == sink).path]


def test_a_receipt_that_repeats_what_a_stranger_wrote_is_found() -> None:
    audit = audit_labels(office(), real=["book"])
    assert found_in(audit) == {("book.title", "declared trusted")}
    assert not audit.clean


def test_the_way_says_which_run_did_what_and_where() -> None:
    audit = audit_labels(office(), real=["book"])
    (finding,) = [one for one in audit.findings if str(one.source) == "letter.text"]
    assert [stage.text for stage in finding.path][:2] == ["a mark is put into `letter.text`", "`letter` gives it"]
    assert texts_of(audit, "book.title")[-2:] == ["`book` is given it", "`book` gives it"]
    assert all(stage.place.line > 0 and stage.place.file for stage in finding.path)
    assert {stage.run.partition(":")[0] for stage in finding.path if stage.run} == {"do"}
    assert finding.fix.startswith('labels={"title": Label.UNTRUSTED} on `book`')


def test_a_receipt_that_says_so_is_clean() -> None:
    audit = audit_labels(office(HonestReceipt), real=["book"])
    assert audit.clean and not audit.findings
    assert "letter.text" in audit.read


def test_answers_that_are_made_up_are_listed_and_never_pass() -> None:
    audit = audit_labels(office())
    assert not audit.findings
    assert "its answers are made up" in next(one.why for one in audit.unseen if one.what == "book")


def test_a_stand_in_says_what_a_tool_gives() -> None:
    def booked(title: str) -> Receipt:
        return Receipt(id="r1", title=f"booked: {title}")

    assert found_in(audit_labels(office(), instead={"book": booked})) == {("book.title", "declared trusted")}


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (lambda title: base64.b64encode(f"about {title}".encode()).decode(), "in base64"),
        (lambda title: title.encode().hex(), "in hexadecimal"),
        (lambda title: title.upper(), "in another case"),
        (lambda title: title[:14], "in part"),
        ("-".join, "split"),
        (lambda title: "".join(f"%{ord(letter):02x}" for letter in title), "URL-encoded"),
        (lambda title: title[::-1], "reversed"),
    ],
)
def test_a_receipt_that_writes_it_in_another_way_is_found(written: Any, form: str) -> None:
    audit = audit_labels(office(), instead={"book": lambda title: Receipt(id="r1", title=written(title))})
    assert ("book.title", "declared trusted") in found_in(audit)
    assert any(form in finding.form for finding in audit.findings)


def test_what_is_kept_outside_and_read_back_as_trusted_is_found() -> None:
    desk, kept = System("desk"), list[str]()

    @desk.tool(effect="write", key="text", idempotent=True)
    async def save(text: Annotated[str, Label.UNTRUSTED]) -> None:
        kept.append(text)

    @desk.tool(effect="read", labels=Label.TRUSTED)
    async def load() -> str:
        return kept[-1]

    @desk.post("/notes")
    async def note(text: str) -> str:
        await save(text)
        return await load()

    audit = audit_labels(desk, real=[save, load])
    assert found_in(audit) == {("load", "declared trusted"), ("note", "not known to the flow")}
    assert {str(finding.source) for finding in audit.findings} == {"note.text"}


def test_a_topic_whose_field_is_declared_trusted_is_found() -> None:
    def news(kind: type[Any]) -> System:
        desk = System("desk")
        letters = desk.topic("letters", Letter, key="id")
        notes = desk.topic("notes", kind, key="id")

        @desk.on(letters, to=notes)
        async def file(letter: Letter) -> kind:  # type: ignore[valid-type]
            return kind(id=letter.id, text=letter.text[:100])

        @desk.on(notes)
        async def read(note: kind) -> None: ...  # type: ignore[valid-type]

        return desk

    audit = audit_labels(news(Note))
    assert found_in(audit) == {("notes.text", "declared trusted")}
    assert texts_of(audit, "notes.text") == [
        "a mark is put into `letters.text`",
        "it comes in by `letters`",
        "it is published to `notes`",
    ]
    assert audit_labels(news(HonestNote)).clean


def test_a_table_is_followed_from_the_run_that_wrote_to_the_run_that_read() -> None:
    desk = System("desk")
    letters = desk.topic("letters", Letter, key="id")
    rows = desk.table("rows", HonestNote, key="id")
    notes = desk.topic("notes", Note, key="id")

    @desk.on(letters)
    async def file(letter: Letter) -> None:
        await rows.put(HonestNote(id=letter.id, text=letter.text))

    @desk.post("/notes", labels=Label.TRUSTED)
    async def publish(id: str) -> None:
        row = await rows.get(id)
        if row is not None:
            await notes.publish(Note(id=id, text=row.text))

    audit = audit_labels(desk)
    assert found_in(audit) == {("notes.text", "declared trusted")}
    way = audit.findings[0].path
    assert [stage.text for stage in way][1:] == [
        "it comes in by `letters`", "`rows` keeps it", "it is read from `rows`", "it is published to `notes`"
    ]  # fmt: skip
    assert len({stage.run for stage in way if stage.run}) == 2
    assert LINES[way[-1].place.line - 1].strip() == "await notes.publish(Note(id=id, text=row.text))"


def test_a_memory_brings_a_stranger_s_words_to_a_later_run() -> None:
    desk = System("desk")
    facts, notes = desk.memory("facts", shared=True), desk.topic("notes", Note, key="id")

    @desk.post("/told")
    async def told(text: str) -> None:
        await facts.remember(text, scope="all")

    @desk.post("/notes", labels=Label.TRUSTED)
    async def publish(id: str) -> None:
        for fact in await facts.recall("anything", scope="all", limit=3):
            await notes.publish(Note(id=id, text=fact.text))

    audit = audit_labels(desk)
    assert ("notes.text", "declared trusted") in found_in(audit)
    assert "it is read from `facts`" in texts_of(audit, "notes.text")


def test_an_agent_whose_output_is_declared_trusted_is_found() -> None:
    class Summary(BaseModel):
        words: Annotated[str, Label.TRUSTED]
        urgent: bool

    desk = System("desk")
    reader = desk.agent("reader", llm=desk.llm("local"), output=Summary)

    @desk.post("/letters")
    async def sum_up(text: str) -> bool:
        return (await reader.run(text)).urgent

    assert found_in(audit_labels(desk)) == {("reader.words", "declared trusted")}


def test_a_guard_that_gives_plain_text_releases_nothing() -> None:
    desk = System("desk")
    llm = desk.llm("local")

    @desk.guard(releases=Label.UNTRUSTED)
    async def clean(text: str) -> str:
        """Has a model take out what is not about business."""
        return await llm.ask(f"Only what is about business: {text}", output=str)

    @desk.post("/letters")
    async def sum_up(text: str) -> str:
        return await clean(text)

    audit = audit_labels(desk)
    assert ("clean", "released as it was") in found_in(audit)
    assert "bounded type" in audit.findings[0].fix


def test_an_extractor_of_bounded_types_is_clean_and_its_ids_are_named() -> None:
    class Facts(BaseModel):
        kind: Literal["bill", "praise"]
        reference: Annotated[Reference, Field(pattern="^[A-Z0-9-]+$", max_length=40)]

    desk = System("desk")
    extract = desk.extractor("extract", llm=desk.llm("local"), output=Facts)

    @desk.post("/letters")
    async def sum_up(text: str) -> Facts:
        return await extract(text)

    audit = audit_labels(desk)
    assert audit.clean
    assert [one.what for one in audit.unmarked] == ["extract.reference"]


def test_what_is_said_of_a_person_is_found_where_the_flow_does_not_expect_it() -> None:
    kept: list[str] = []
    desk = System("desk")

    @desk.tool(effect="none")
    async def remember(name: Annotated[str, Label.PII]) -> None:
        kept.append(name)

    @desk.tool(effect="none", labels=Label.TRUSTED)
    async def latest() -> str:
        return kept[-1]

    @desk.post("/people", labels={"name": Label.PII, "": Label.TRUSTED})
    async def meet(name: str) -> str:
        await remember(name)
        return await latest()

    labels = {str(finding.label) for finding in audit_labels(desk).findings}
    assert labels == {"pii"}
