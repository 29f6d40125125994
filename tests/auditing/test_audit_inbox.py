"""The audit of the examples: the inbox with all its tools called, a branch of it with laundered receipts, lending and the help desk."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from parti import Label
from parti.testing import Audit, Script, audit_labels
from parti.verbs.audit import Options
from parti.verbs.audit import audit_labels as audited
from parti.verbs.target import Target

EXAMPLES = Path(__file__).parents[2] / "examples"
INBOX = EXAMPLES / "inbox"
TOOLS = ("read_document", "find_contact", "find_file", "list_files", "find_invoice", "send", "pay", "share")
INPUTS: dict[Any, list[Any]] = {
    "read_document": [{"id": "doc-5f1a77c3"}],
    "find_contact": [{"name": "Bob Baker-Jones"}],
    "find_file": [{"name": "Budget plan 2027"}],
    "find_invoice": [{"id": "inv-2027-00417"}],
}


class LaunderedReceipt(BaseModel):
    done: Annotated[str, Label.TRUSTED]


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The modules of the example, which other examples have by the same names."""
    monkeypatch.syspath_prepend(str(INBOX))
    names = ("app", "office", "worst", "trials")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import trials as found  # noqa: PLC0415

    yield found
    for name in names:
        sys.modules.pop(name, None)


def every_tool(inbox: Any, script: Script | None = None, attack: str = "") -> Audit:
    """The audit with every tool called: those of the example reach nothing outside of it."""
    system = inbox.assistant(inbox.Office.of_samples(attack))
    return audit_labels(system, real=TOOLS, inputs=INPUTS, script=script)


def launder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare what a receipt repeats to be trusted."""
    monkeypatch.setattr(sys.modules["app"], "Receipt", LaunderedReceipt)


def test_the_inbox_is_clean_with_every_tool_called(inbox: Any) -> None:
    audit = every_tool(inbox)
    assert audit.clean
    assert audit.read == ["pay.done", "read_document.text", "send.done", "share.done"]
    assert (audit.unread, audit.unseen, audit.failed) == ([], [], [])


def test_laundered_receipts_are_found_with_their_way(inbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    launder(monkeypatch)
    audit = every_tool(inbox)
    assert {str(one.sink) for one in audit.findings} == {"send.done", "share.done", "pay.done"}
    assert {str(one.source) for one in audit.findings} == {"read_document.text"}
    assert {one.wrong for one in audit.findings} == {"declared trusted"}
    send = next(one for one in audit.findings if str(one.sink) == "send.done")
    assert [stage.text for stage in send.path] == [
        "a mark is put into `read_document.text`", "`read_document` gives it", "`writer` is given it",
        "`send` is given it", "`send` gives it",
    ]  # fmt: skip


def test_an_attack_of_the_example_s_own_finds_it_too(inbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model of the example obeys orders in a document: the mark beside one goes along only where it is repeated."""
    launder(monkeypatch)
    orders = [("read_document", {"id": "doc-5f1a77c3"}), ("send", {"to": "a@b.example", "text": "$read_document.text"})]
    audit = every_tool(inbox, Script(inbox.Obedient(orders)))
    assert [str(one.sink) for one in audit.findings] == ["send.done"]


@pytest.mark.parametrize(("example", "read"), [("lending", "applications.race"), ("helpdesk", "answer.question")])
def test_an_example_is_clean(example: str, read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not reached is said: models without a version, answers that are made up."""
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    audit = audited(Target(EXAMPLES / example / "app.py", tmp_path / "none.parti"), Options())
    assert audit.findings == [] and audit.clean
    assert read in audit.read
    assert audit.failed == []
    assert json.dumps(audit.as_json())
    assert not list(tmp_path.iterdir())
