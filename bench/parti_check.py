"""How long `parti check` thinks about a system of some 200 parts, from a declared system to its findings."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import date
from pathlib import Path

from bench.subject import report
from parti.declare.dataflow.reader import read_dataflow
from parti.declare.loading import load
from parti.rules.checking import check

SETTINGS = "a made-up chain of topics, handlers, tables, tools, steps and endpoints; the fastest of some; one process"
DAY = date(2026, 12, 1)
HEAD = """
from typing import Annotated

from pydantic import BaseModel

from parti import Label, System

desk = System("big")
llm = desk.llm("local")


class Row(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    text: Annotated[str, Label.UNTRUSTED]
    amount: float

"""
LINK = """
t{n} = desk.topic("t{n}", Row, key="id", retain="30d")
b{n} = desk.table("b{n}", Row, key="id")


@desk.tool(effect="write", key="id", idempotent=True, control=["id"])
async def pay{n}(id: str, amount: float) -> str:
    return id


@desk.step
def tidy{n}(text: str) -> str:
    return " ".join(word for word in text.split() if len(word) > 3)


@desk.on(t{n})
async def handle{n}(row: Row) -> None:
    text = await tidy{n}(row.text)
    answer = await llm.ask(f"Sort: {{text}}")
    await b{n}.put(row.model_copy(update={{"text": answer}}))
    await pay{n}(row.id, row.amount)
    if row.amount:
        await t{before}.publish(row)


@desk.get("/b{n}/{{id}}")
async def look{n}(id: str) -> Row | None:
    return await b{n}.get(id)
"""


def app_of(links: int) -> str:
    """A program with so many links of seven parts each, every one of which publishes to the one before."""
    return HEAD + "\n".join(LINK.format(n=n, before=max(n - 1, 0)) for n in range(links))


def main() -> None:
    """Measure and report."""
    parser = ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--attempts", type=int, default=5)
    parser.add_argument("--links", type=int, default=28)
    asked = parser.parse_args()
    file = asked.directory / "big.py"
    file.write_text(app_of(asked.links), encoding="utf-8")
    system = load(file)
    started = time.perf_counter()
    design = system.design
    reading = time.perf_counter() - started
    flows, rules = [], []
    for _ in range(asked.attempts):
        started = time.perf_counter()
        dataflow = read_dataflow(design, system.root)
        flows.append(time.perf_counter() - started)
        started = time.perf_counter()
        found = check(design, dataflow, DAY)
        rules.append(time.perf_counter() - started)
    figures = {
        "parts": len(design.parts),
        "check_ms": 1000 * (reading + min(flows) + min(rules)),
        "design_ms": 1000 * reading,
        "flow_ms": 1000 * min(flows),
        "rules_ms": 1000 * min(rules),
        "findings": len(found.findings),
    }
    report(figures, settings=SETTINGS, packages=("parti",))


if __name__ == "__main__":
    main()
