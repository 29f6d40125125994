"""Designs made by hand for the drawing tests: a lending desk, a retail order system, random ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter

from parti.design.agent import Agent
from parti.design.budget import Budget
from parti.design.endpoint import Endpoint
from parti.design.function import Function, Parameter
from parti.design.goals import NO_RETRY, Retry, Slo
from parti.design.graph import Arrow, Design, Opaque, Part
from parti.design.handler import Handler
from parti.design.llm import Llm, Price
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.monitor import Monitor
from parti.design.payload import Payload, schema_digest
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic


class Application(BaseModel):
    id: str
    income: float


class Decision(BaseModel):
    application_id: str
    approved: bool


class Standing(BaseModel):
    application_id: str
    state: str


class RiskFeatures(BaseModel):
    income: float


class RiskScore(BaseModel):
    default: float


class CreditFile(BaseModel):
    lines: list[str]


class Letter(BaseModel):
    application_id: str
    text: str


class Receipt(BaseModel):
    number: str


class Order(BaseModel):
    id: str
    lines: list[str]


class Payment(BaseModel):
    order_id: str
    cents: int


class Stock(BaseModel):
    sku: str
    count: int


class Parcel(BaseModel):
    order_id: str
    carrier: str


class Customer(BaseModel):
    id: str
    name: str


class Builder:
    """Collects parts and arrows; every call stands on a line of its own in an imagined file."""

    def __init__(self, name: str, file: str = "app.py") -> None:
        self.name, self.file, self.line = name, file, 1
        self.parts: list[Part] = []
        self.arrows: list[Arrow] = []
        self.opaque: list[Opaque] = []

    def place(self) -> Place:
        self.line += 7
        return Place(self.file, self.line)

    def topic(self, name: str, kind: Any, key: str = "id", **options: Any) -> None:
        options = {"partitions": 8, "retain": None, "backlog": 10_000, "dead_letters": None} | options
        self.parts.append(Topic(name=name, place=self.place(), payload=payload(kind), key=key, **options))

    def table(self, name: str, kind: Any, key: str = "id") -> None:
        self.parts.append(Table(name=name, place=self.place(), payload=payload(kind), key=key))

    def source(self, name: str, topic: str, per_second: float | None = None) -> None:
        place = self.place()
        self.parts.append(Source(name=name, place=place, topic=topic, per_second=per_second, read=_nothing))
        self.arrows.append(Arrow(name, "publishes", topic, place))

    def handler(self, name: str, topic: str, to: str | None = None, *, does: str = "") -> None:
        place = self.place()
        types = {part.name: part.payload.adapter.core_schema["cls"] for part in self.parts if isinstance(part, Topic)}  # type: ignore[typeddict-item]
        made = function(name, place, [("event", types.get(topic, Order))], types.get(to or ""))
        self.parts.append(
            Handler(
                name=name, place=place, topic=topic, to=to, function=made, retry=Retry(), timeout=30.0, concurrency=64
            )
        )
        self.arrows.append(Arrow(name, "consumes", topic, place))
        if to:
            self.arrows.append(Arrow(name, "publishes", to, place))
        self.does(name, does)

    def endpoint(
        self, name: str, method: Any, path: str, returns: Any, *, durable: bool = False, does: str = ""
    ) -> None:
        place = self.place()
        made = function(name, place, [("id", str)], returns)
        self.parts.append(
            Endpoint(
                name=name,
                place=place,
                method=method,
                path=path,
                function=made,
                durable=durable,
                key="id" if durable else None,
                body=None,
                timeout=5.0,
                concurrency=64,
            )
        )
        self.does(name, does)

    def schedule(self, name: str, every: float, *, does: str = "") -> None:
        place = self.place()
        made = function(name, place, [], None)
        self.parts.append(Schedule(name=name, place=place, every=every, function=made, retry=NO_RETRY, timeout=600.0))
        self.does(name, does)

    def tool(self, name: str, effect: Any, takes: Any, returns: Any, key: str | None = None) -> None:
        place = self.place()
        made = function(name, place, [("value", takes)], returns)
        self.parts.append(
            Tool(
                name=name,
                place=place,
                function=made,
                effect=effect,
                key=key,
                timeout=5.0,
                retry=Retry(3),
                idempotent=effect == "write",
            )
        )

    def step(self, name: str, takes: Any, returns: Any, *, does: str = "") -> None:
        place = self.place()
        made = function(name, place, [("value", takes)], returns)
        self.parts.append(Step(name=name, place=place, function=made, timeout=5.0, retry=NO_RETRY))
        self.does(name, does)

    def model(self, name: str, takes: Any, returns: Any) -> None:
        self.parts.append(
            Model(name=name, place=self.place(), inputs=payload(takes), output=payload(returns), timeout=1.0)
        )

    def llm(self, name: str, target: str, fallbacks: tuple[str, ...] = ()) -> None:
        place = self.place()
        self.parts.append(
            Llm(
                name=name, place=place, target=target, model="", fallbacks=fallbacks, timeout=60.0, attempts=3,
                per_minute=60.0, concurrency=8, price=Price(0.15, 0.6), context=None, max_tokens=512,
                settings={"temperature": 0.2}, region="eu", processor="acme",
            )
        )  # fmt: skip
        self.arrows += [Arrow(name, "calls", other, place, may=True) for other in fallbacks]

    def agent(self, name: str, llm: str, output: Any, *tools: str) -> None:
        place = self.place()
        self.parts.append(
            Agent(
                name=name, place=place, llm=llm, tools=tools, output=payload(output), instructions="Write well.",
                version="0" * 8, budget=Budget(usd=0.05, steps=6), turns=10, repairs=2, about="Write well.",
            )
        )  # fmt: skip
        self.arrows.append(Arrow(name, "calls", llm, place))
        self.arrows += [Arrow(name, "calls", tool, place, may=True) for tool in tools]

    def memory(self, name: str, retain: float | None = None, *, shared: bool = False) -> None:
        self.parts.append(
            Memory(
                name=name, place=self.place(), retain=retain, facts=1000, characters=4000, when_full="oldest goes",
                shared=shared,
            )
        )  # fmt: skip

    def server(self, name: str, url: str) -> None:
        self.parts.append(
            ToolServer(
                name=name, place=self.place(), protocol="mcp", url=url, only=("read_*",), timeout=30.0, concurrency=8,
                reaches={"read_all": "read"}, headers={"Authorization": "Bearer secret"},
            )
        )  # fmt: skip

    def monitor(self, name: str, title: str, *, does: str = "") -> None:
        place = self.place()
        made = function(name, place, [], dict[str, float])
        self.parts.append(Monitor(name=name, place=place, title=title, function=made))
        self.does(name, does)

    def person(self, name: str) -> None:
        self.parts.append(Person(name=name, place=self.place()))

    def does(self, name: str, arrows: str) -> None:
        """Arrows in words: ``"reads book, may calls post"``."""
        for words in filter(None, arrows.split(", ")):
            kind, target = words.removeprefix("may ").split()
            self.arrows.append(Arrow(name, kind, target, self.place(), words.startswith("may ")))  # type: ignore[arg-type]

    def hidden(self, part: str, why: str) -> None:
        self.opaque.append(Opaque(part, self.place(), why))

    def design(self, slo: Slo | None = None) -> Design:
        return Design(
            self.name, tuple(self.parts), tuple(sorted(self.arrows)), tuple(self.opaque), slo, Place(self.file, 1)
        )


def payload(kind: Any) -> Payload:
    """A payload of a Python type, as a declaration makes it."""
    adapter = TypeAdapter(kind)
    schema = adapter.json_schema()
    name = getattr(kind, "__name__", str(kind)) if isinstance(kind, type) else str(kind).replace("typing.", "")
    return Payload(name, adapter, schema, schema_digest(schema))


def function(name: str, place: Place, takes: Iterable[tuple[str, Any]], returns: Any) -> Function:
    """A function value that is never called."""
    parameters = tuple(Parameter(word, payload(kind), True) for word, kind in takes)
    return Function(name, _nothing, parameters, payload(list[Any]), payload(returns), True, place, "0" * 16)


def _nothing(*_: Any) -> Any:
    return None


def lending() -> Design:
    """The lending desk of the design document."""
    make = Builder("lending-desk")
    make.topic("applications", Application)
    make.topic("decisions", Decision, "application_id", retain=7 * 31557600.0)
    make.table("book", Standing, "application_id")
    make.source("bank", "applications", per_second=50)
    make.model("risk", RiskFeatures, RiskScore)
    make.tool("credit_file", "read", str, CreditFile)
    make.tool("post_letter", "write", Letter, Receipt, "letter.application_id")
    make.person("underwriter")
    make.handler(
        "decide",
        "applications",
        "decisions",
        does="calls risk, calls credit_file, asks underwriter, may calls post_letter, reads book, writes book",
    )
    make.endpoint("standing", "GET", "/applications/{id}", Standing, does="reads book")
    make.schedule("retrain", 3600.0, does="calls risk, reads decisions")
    make.monitor("approval_rate", "Approvals by group", does="reads decisions, reads book")
    make.hidden("decide", "getattr with a name made at run time")
    make.llm("local", "local")
    make.server("files", "http://localhost:8000/mcp")
    make.agent("writer", "local", Letter, "credit_file", "files")
    make.does("decide", "calls writer")
    make.memory("notes", 90 * 86400.0)
    make.does("writer", "reads notes, may writes notes")
    return make.design(Slo(p99="2s", availability=0.999))


def retail() -> Design:
    """A shop: two groups, one cycle of topics, thirty parts."""
    make = Builder("retail-orders", "shop/app.py")
    make.source("web_shop", "orders", per_second=200)
    make.source("marketplace", "orders")
    make.topic("orders", Order)
    make.topic("reserved", Order)
    make.topic("backorders", Order)
    make.topic("payments", Payment, "order_id")
    make.topic("parcels", Parcel, "order_id")
    make.topic("returns", Parcel, "order_id")
    make.table("stock", Stock, "sku")
    make.table("ledger", Payment, "order_id")
    make.table("customers", Customer)
    make.model("fraud", Payment, RiskScore)
    make.model("demand", Stock, RiskScore)
    make.tool("charge_card", "write", Payment, Receipt, "payment.order_id")
    make.tool("refund_card", "write", Payment, Receipt, "payment.order_id")
    make.tool("book_carrier", "write", Parcel, Receipt, "parcel.order_id")
    make.tool("send_mail", "write", Letter, Receipt, "letter.id")
    make.tool("look_up_address", "read", str, str)
    make.step("price", Order, Payment)
    make.person("fraud_desk")
    make.handler("reserve", "orders", "reserved", does="reads stock, writes stock, publishes backorders")
    make.handler("restock", "backorders", "orders", does="reads stock, writes stock, calls demand")
    make.handler(
        "charge",
        "reserved",
        "payments",
        does="calls price, calls fraud, asks fraud_desk, calls charge_card, writes ledger, reads customers",
    )
    make.handler("ship", "payments", "parcels", does="calls look_up_address, calls book_carrier")
    make.handler("refund", "returns", does="calls refund_card, writes ledger, reads ledger")
    make.handler("tell_customer", "parcels", does="may calls send_mail, reads customers")
    make.endpoint("send_back", "POST", "/orders/{id}/return", Parcel, durable=True, does="publishes returns")
    make.endpoint("order_state", "GET", "/orders/{id}", Payment, does="reads ledger")
    make.endpoint("sign_up", "POST", "/customers", Customer, durable=True, does="writes customers, reads customers")
    make.schedule("forecast", 86400.0, does="calls demand")
    make.monitor("revenue", "Revenue by day", does="reads ledger")
    make.step("convert_currency", Payment, Payment)
    return make.design(Slo(p99="500ms", availability=0.9995))


def random_design(seed: int, count: int, arrows: float = 1.6) -> Design:
    """`count` parts of all kinds with about `arrows` arrows each, the same for the same seed."""
    chance = random.Random(seed)
    make = Builder(f"random-{seed}", "a/b.py")
    makers: list[Callable[[str], None]] = [
        lambda name: make.topic(name, chance.choice([Order, Payment])),
        lambda name: make.table(name, chance.choice([Stock, Customer])),
        lambda name: make.handler(name, "t", None),
        lambda name: make.endpoint(name, "GET", f"/{name}", Order),
        lambda name: make.schedule(name, 60.0),
        lambda name: make.tool(name, chance.choice(["read", "write", "none"]), str, str, "value"),
        lambda name: make.step(name, str, str),
        lambda name: make.model(name, RiskFeatures, RiskScore),
        lambda name: make.source(name, "t"),
        lambda name: make.monitor(name, name.title()),
        make.person,
        lambda name: make.llm(name, "openai:gpt"),
        lambda name: make.agent(name, "t", Letter),
        lambda name: make.memory(name, chance.choice([None, 3600.0])),
        lambda name: make.server(name, "http://a/mcp"),
    ]
    for index in range(count):
        length = chance.choice([4, 6, 8, 10, 60]) if chance.random() < 0.1 else chance.randint(3, 12)
        name = "abcdefghij"[index % 10] + '_<&>"x'[index % 6] + "o" * (length - 4) + str(index)
        makers[chance.choice([0, 0, 1, 2, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 12, 13, 14])](name)
    names = [part.name for part in make.parts]
    found = set()
    for _ in range(int(count * arrows)):
        near = chance.randrange(count)
        far = min(max(int(chance.gauss(near, 12)), 0), count - 1) if chance.random() < 0.9 else chance.randrange(count)
        kind = chance.choice(["consumes", "publishes", "reads", "writes", "calls", "asks"])
        found.add(Arrow(names[near], kind, names[far], Place("a/b.py", near + 1), chance.random() < 0.2))  # type: ignore[arg-type]
    return Design(make.name, tuple(make.parts), tuple(sorted(found)), (), None, Place("a/b.py", 1))
