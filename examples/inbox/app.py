"""An assistant that reads documents of strangers, and can send, pay, share and look up."""

from __future__ import annotations

import os
from typing import Annotated, Literal, NewType

from office import Office
from pydantic import BaseModel

from parti import Gate, Label, System

Defence = Literal["none", "run", "arguments"]

DocumentId = NewType("DocumentId", str)
FileId = NewType("FileId", str)
InvoiceId = NewType("InvoiceId", str)
Address = NewType("Address", str)
Iban = NewType("Iban", str)
Euros = NewType("Euros", float)


class Document(BaseModel):
    """What a stranger wrote, and where it was filed."""

    id: Annotated[DocumentId, Label.TRUSTED]
    text: Annotated[str, Label.UNTRUSTED]


class Contact(BaseModel):
    """From our own address book."""

    name: Annotated[str, Label.TRUSTED]
    address: Annotated[Address, Label.TRUSTED]
    iban: Annotated[Iban, Label.TRUSTED]


class File(BaseModel):
    """From our own folders."""

    id: Annotated[FileId, Label.TRUSTED]
    name: Annotated[str, Label.TRUSTED]


class Invoice(BaseModel):
    """From our own books, once it was agreed to."""

    id: Annotated[InvoiceId, Label.TRUSTED]
    iban: Annotated[Iban, Label.TRUSTED]
    euros: Annotated[Euros, Label.TRUSTED]


class Receipt(BaseModel):
    """What became of an effect. It repeats what it was given, and is not to be believed."""

    done: Annotated[str, Label.UNTRUSTED]


Told = Annotated[str, Label.UNTRUSTED]
"""What is said to somebody: it may be a stranger's words."""


def assistant(office: Office, defence: Defence = "arguments") -> System:
    """The system, over what an office has, with a defence."""
    gate = Gate("ask", who="owner", trace=defence == "arguments", timeout="1d", per_hour=1000)
    inbox = System("inbox", labels="off" if defence == "none" else "run", gate=gate, responsible="owner")

    @inbox.tool(effect="read")
    async def read_document(id: DocumentId) -> Document:
        """The text of a document that was sent to us."""
        return Document(id=id, text=office.documents[id])

    @inbox.tool(effect="read")
    async def find_contact(name: str) -> Contact:
        """The address and account of somebody we know, by the full name."""
        return Contact(name=name, address=Address(office.address(name)), iban=Iban(office.iban(name)))

    @inbox.tool(effect="read")
    async def find_file(name: str) -> File:
        """One of our files, by its name."""
        return File(id=FileId(office.files[name]), name=name)

    @inbox.tool(effect="read")
    async def list_files() -> list[File]:
        """All our files."""
        return [File(id=FileId(id), name=name) for name, id in office.files.items()]

    @inbox.tool(effect="read")
    async def find_invoice(id: InvoiceId) -> Invoice:
        """An invoice that we agreed to."""
        iban, euros = office.invoices[id]
        return Invoice(id=id, iban=Iban(iban), euros=Euros(euros))

    @inbox.tool(effect="write", key="to", idempotent=True, control=["to"])
    async def send(to: Address, text: Told) -> Receipt:
        """Send a mail."""
        return Receipt(done=office.note("send", to, text))

    @inbox.tool(effect="write", key="to", idempotent=True, control=["to", "euros"])
    async def pay(to: Iban, euros: Euros) -> Receipt:
        """Pay."""
        return Receipt(done=office.note("pay", to, euros))

    @inbox.tool(effect="write", key="file", idempotent=True, control=["file", "reader"])
    async def share(file: FileId, reader: Address) -> Receipt:
        """Let somebody read a file."""
        return Receipt(done=office.note("share", file, reader))

    llm = inbox.llm(os.environ.get("PARTI_LLM", "local"), name="writer")
    tools = [read_document, find_contact, find_file, list_files, find_invoice, send, pay, share]
    helper = inbox.agent("helper", llm=llm, tools=tools, instructions="Do what the owner asks for, with the tools.")

    @inbox.post("/tasks", timeout="7d", labels=Label.TRUSTED, discloses="the owner set it up, and writes its tasks")
    async def work(task: str) -> str:
        """What the owner wants done."""
        return await helper.run(task)

    inbox.accept("R112", reason="The owner's own sign-on stands before /tasks.", until="2027-12-31")
    return inbox


inbox = assistant(Office.of_samples(), os.environ.get("INBOX_DEFENCE", "arguments"))  # type: ignore[arg-type]
