"""An audit says what it did not reach; one that reached nothing, or planted nothing, is not clean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from audit_kit import Letter, Note, Receipt, found_in, office
from pydantic import BaseModel, Field, field_validator

from parti import DeadLetter, Label, System, ask, sleep
from parti.auditing.marks import Marks
from parti.design.dataflow import Slot
from parti.errors import PartiError
from parti.testing import Script, audit_labels, calls, said
from parti.verbs.audit import Options, audit_design

UNTRUSTED = Label.UNTRUSTED
SLOT = Slot("letter", "out", "text")


class Order(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    code: Annotated[str, UNTRUSTED, Field(pattern=r"^[A-Z]{2}\d{16}$")]
    short: Annotated[str, UNTRUSTED, Field(max_length=12)]
    tiny: Annotated[str, UNTRUSTED, Field(max_length=5)]
    colour: Annotated[Literal["red", "blue"], UNTRUSTED]
    count: Annotated[int, UNTRUSTED]


def orders(kind: type[BaseModel] = Order) -> System:
    desk = System("desk")
    topic = desk.topic("orders", kind, key="id")

    @desk.on(topic)
    async def take(order: kind) -> None: ...  # type: ignore[valid-type]

    return desk


def test_an_audit_without_marks_is_not_clean_though_it_finds_nothing() -> None:
    """The canary of the canary: take the marks away, and the very system with a wrong declaration shows nothing."""
    desk = office()
    without = audit_design(desk.design, desk.root, Options(real=frozenset({"book"}), plants=False))
    assert not without.findings and without.runs
    assert without.empty and not without.clean
    assert audit_labels(desk, real=["book"]).findings


def test_a_system_in_which_nothing_is_untrusted_shows_nothing() -> None:
    desk = System("desk")

    @desk.post("/do", labels=Label.TRUSTED)
    async def do(task: str) -> str:
        return task

    audit = audit_labels(desk)
    assert audit.runs and audit.empty and not audit.clean


def test_a_mark_fits_the_type_and_what_holds_none_is_listed() -> None:
    audit = audit_labels(orders())
    assert audit.read == ["orders.code", "orders.short"]
    assert {one.what: one.why for one in audit.unmarked} == {
        "orders.tiny": "its type leaves no room for a mark",
        "orders.colour": "its type leaves no room for a mark",
        "orders.count": "a number stands there, which holds no mark",
    }


def test_a_topic_that_no_handler_reads_is_not_read() -> None:
    desk = System("desk")
    desk.topic("letters", Letter, key="id")
    assert [(one.what, one.why) for one in audit_labels(desk).unread] == [
        ("letters.text", "no handler reads the topic")
    ]


def test_a_tool_that_no_run_calls_is_not_read_and_its_fields_are_not_seen() -> None:
    audit = audit_labels(office(), script=Script(lambda request: said("done")), real=["book"])
    assert [(one.what, one.why) for one in audit.unread] == [("letter.text", "no run called it")]
    assert ("book", "no run gave or stored a text there") in [(one.what, one.why) for one in audit.unseen]
    assert not audit.clean


class Picky(BaseModel):
    id: str
    text: Annotated[str, UNTRUSTED]

    @field_validator("id")
    @classmethod
    def known(cls, value: str) -> str:
        if not value.startswith("order-"):
            raise ValueError("no order")
        return value


def test_inputs_that_cannot_be_made_are_asked_for_and_given() -> None:
    audit = audit_labels(orders(Picky))
    assert audit.empty
    assert "give --inputs orders=FILE" in audit.unread[0].why
    given = audit_labels(orders(Picky), inputs={"orders": [Picky(id="order-1", text="hello")]})
    assert given.read == ["orders.text"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"inputs": {"order": [1]}}, "P308"),
        ({"real": ["letter", "send"]}, "P308"),
        ({"answers": {"do": [1]}}, "P308"),
        ({"answers": {"letter": [{"id": 1}]}}, "P402"),
        ({"inputs": {"do": [{"task": 1}]}}, "P402"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], code: str) -> None:
    with pytest.raises(PartiError) as refused:
        audit_labels(office(), **options)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_people_timers_and_failures_do_not_stop_it() -> None:
    desk = System("desk")
    letters, notes = desk.topic("letters", Letter, key="id"), desk.topic("notes", Note, key="id")

    @desk.on(letters, to=notes)
    async def file(letter: Letter) -> Note | None:
        await sleep("1d")
        return Note(id=letter.id, text=letter.text) if await ask("boss", "May it?", answer=bool) else None

    @desk.post("/fail")
    async def fail(text: str) -> None:
        raise ValueError("no")

    audit = audit_labels(desk)
    assert found_in(audit) == {("notes.text", "declared trusted")}
    assert [one.what for one in audit.failed] == ["fail"]
    assert audit.failed[0].why.startswith("P307")


def test_a_system_that_goes_round_in_circles_ends() -> None:
    desk = System("desk")
    letters = desk.topic("letters", Letter, key="id")

    @desk.on(letters, to=letters)
    async def again(letter: Letter) -> Letter:
        return letter

    audit = audit_labels(desk)
    assert "more than 500 times" in audit.failed[0].why


def test_a_schedule_runs_and_a_plain_endpoint_is_asked_for_rows_there_are() -> None:
    desk = System("desk")
    letters, rows = desk.topic("letters", Letter, key="id"), desk.table("rows", Letter, key="id")
    seen: list[str] = []

    @desk.on(letters)
    async def file(letter: Letter) -> None:
        await rows.put(letter)

    @desk.get("/rows/{id}")
    async def row(id: str) -> Annotated[str, Label.TRUSTED]:
        found = await rows.get(id)
        return found.text if found else ""

    @desk.every("1h")
    async def tick() -> None:
        seen.append("tick")

    audit = audit_labels(desk)
    assert ("row", "declared trusted") in found_in(audit)
    assert seen == ["tick", "tick"]


def test_what_fails_is_expected_in_dead_letters() -> None:
    desk = System("desk")
    letters = desk.topic("letters", Letter, key="text")

    @desk.on(letters)
    async def file(letter: Letter) -> None:
        raise ValueError(letter.text)

    @desk.on(letters.dead)
    async def look(dead: DeadLetter) -> None: ...

    audit = audit_labels(desk)
    assert audit.clean and [one.what for one in audit.failed] == ["file"]


def test_no_tool_is_called_and_no_model_asked_from_a_plain_endpoint_either() -> None:
    desk = System("desk")

    @desk.tool(effect="read")
    async def look(url: str) -> str:
        raise AssertionError("called")

    @desk.get("/look")
    async def page(url: str) -> str:
        return await look(url)

    assert audit_labels(desk).read == ["look", "page.url"]


def mailbox(labels: Label | None) -> System:
    """An assistant with the tools of a server, which nobody connects to."""
    desk = System("desk")
    server = desk.mcp("mail", url="http://127.0.0.1:9/none", only=["read", "send"], labels=labels)
    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[server])

    @desk.post("/do", labels=Label.TRUSTED)
    async def do(task: str) -> str:
        return await clerk.run(task)

    return desk


def test_a_tool_server_is_not_connected_to_and_its_answers_are_marked() -> None:
    audit = audit_labels(mailbox(None))
    assert audit.clean and audit.read == ["mail"]


def test_a_tool_server_that_is_declared_trusted_is_listed_and_never_passes() -> None:
    audit = audit_labels(mailbox(Label.TRUSTED))
    assert audit.empty
    assert [(one.what, one.why) for one in audit.unseen] == [
        ("mail", "its answers are made up: no tool server is called")
    ]


def test_an_exposed_agent_is_called_with_what_strangers_say() -> None:
    desk = System("desk")
    desk.agent("clerk", llm=desk.llm("local"), expose=["openai"])
    assert audit_labels(desk).clean


def test_the_same_seed_says_the_same_and_another_marks_otherwise() -> None:
    assert audit_labels(office(), real=["book"]) == audit_labels(office(), real=["book"])
    marks = [
        audit_labels(office(), instead={"book": lambda title: Receipt(id="r1", title=title)}, seed=seed)
        for seed in (1, 2)
    ]
    assert found_in(marks[0]) == found_in(marks[1])
    assert Marks(1).text(SLOT) != Marks(2).text(SLOT)


def test_a_script_of_ones_own_obeys_in_the_place_of_the_worst_model() -> None:
    def obedient(request: object) -> object:
        returned = [one.text for one in request.messages if hasattr(one, "tool")]  # type: ignore[attr-defined]
        if not returned:
            return calls(("letter", {"id": "1"}))
        return calls(("book", {"title": returned[0][-60:]})) if len(returned) == 1 else said("done")

    assert found_in(audit_labels(office(), real=["book"], script=Script(obedient))) == {
        ("book.title", "declared trusted")
    }


def test_the_corpus_of_check_is_clean_but_for_the_guard_that_releases_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The flow knows every way that the audit finds in them, also those that once were hidden from it."""
    from parti.verbs.audit import audit_labels as audited  # noqa: PLC0415
    from parti.verbs.target import Target  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)  # some write files beside them
    corpus = Path(__file__).parents[1] / "corpus"
    files = [*corpus.glob("inbox_*.py"), *corpus.glob("hidden_*.py")]
    found = {}
    for file in sorted(files):
        audit = audited(Target(file, tmp_path / "none.parti"), Options())
        if audit.findings:
            found[file.stem] = sorted(found_in(audit))
    assert found == {"inbox_free_guard": [("cleaned", "released as it was"), ("send.to", "not known to the flow")]}
