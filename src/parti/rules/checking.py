"""Checking a design: all rules look, accepted findings are set aside, and what could not be analysed is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from parti.design.acceptance import Acceptance
from parti.design.dataflow import Dataflow
from parti.design.diff import Diff
from parti.design.graph import Design, Opaque
from parti.design.labels import Label
from parti.design.tool import Tool
from parti.rules.base import SEVERITIES, Case, Finding, Hit, Rule, found_by
from parti.rules.flow.barriers import own_gate
from parti.rules.flow.clearing import holds_labels
from parti.rules.listing import all_rules
from parti.rules.stale_acceptance import RULE as STALE


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that does not count, and why."""

    finding: Finding
    acceptance: Acceptance


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, the worst first; what is accepted; what was not analysed; and which tools should say more.

    `guarded` is what would be wrong, were there no gates. `void` are the parts whose gates are declared and do nothing,
    because no labels are held while the system runs.
    `unsaid` are the tools that write, may be given what strangers wrote, and name no control arguments: what of it decides
    anything is not guessed.
    """

    name: str
    findings: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    opaque: tuple[Opaque, ...]
    unsaid: tuple[str, ...]
    guarded: tuple[Finding, ...] = ()
    void: tuple[str, ...] = ()


def check(
    design: Design,
    dataflow: Dataflow,
    today: date,
    rules: Sequence[Rule] | None = None,
    before: Diff | None = None,
) -> Report:
    """Judge a design on the day `today`, and what changed since the version `before`. The same gives the same report."""
    case = Case(design, dataflow, before)
    every = [finding for rule in rules or all_rules() for finding in found_by(rule, case)]
    counted, accepted = _sorted_out(sorted(every, key=_order), design.acceptances, today)
    if rules is None or any(rule.code == STALE.code for rule in rules):
        counted += _stale(design, every)
    return Report(
        design.name,
        tuple(sorted(counted, key=_order)),
        tuple(accepted),
        dataflow.opaque,
        tuple(_unsaid(case)),
        tuple(sorted(_guarded(case, rules or all_rules(), every), key=_order)),
        () if holds_labels(design) else tuple(_gated(design)),
    )


def _order(finding: Finding) -> tuple[object, ...]:
    return SEVERITIES.index(finding.severity), finding.code, finding.place, finding.on, finding.what


def _sorted_out(
    findings: Iterable[Finding], acceptances: Sequence[Acceptance], today: date
) -> tuple[list[Finding], list[Accepted]]:
    counted, accepted = [], []
    for finding in findings:
        fitting = [one for one in acceptances if _fits(one, finding)]
        alive = next((one for one in fitting if today <= one.until), None)
        if alive is not None:
            accepted.append(Accepted(finding, alive))
        elif fitting:
            over = f"{finding.what} (accepted until {fitting[0].until}, which is over)"
            counted.append(replace(finding, what=over))
        else:
            counted.append(finding)
    return counted, accepted


def _fits(acceptance: Acceptance, finding: Finding) -> bool:
    return acceptance.code == finding.code and acceptance.on in ("", finding.on)


def _stale(design: Design, findings: Sequence[Finding]) -> list[Finding]:
    stale = [one for one in design.acceptances if not any(_fits(one, finding) for finding in findings)]
    hits = [Hit(one.on or design.name, one.place, f"{one.code} is accepted{_on(one)}, and not found") for one in stale]
    return list(found_by(replace(STALE, look=lambda case: iter(hits)), Case(design, Dataflow())))


def _on(acceptance: Acceptance) -> str:
    return f" on `{acceptance.on}`" if acceptance.on else ""


def _guarded(case: Case, rules: Sequence[Rule], found: Sequence[Finding]) -> Iterator[Finding]:
    """What a gate keeps from being found. A way that is shut where another is open is not told."""
    if not case.barriers:
        return
    known = {(one.code, one.on, one.what) for one in found}
    ungated = replace(case, gated=False)
    for rule in rules:
        yield from (
            one for one in found_by(rule, ungated) if one.guarded_by and (one.code, one.on, one.what) not in known
        )


def _gated(design: Design) -> Iterator[str]:
    """What has a gate that does something: the system, and parts that have their own."""
    if design.gate is not None and design.gate.then != "allow":
        yield design.name
    for part in design.parts:
        gate = own_gate(part)
        if gate is not None and gate.then != "allow":
            yield part.name


def _unsaid(case: Case) -> Iterable[str]:
    for tool in case.design.all(Tool):
        if tool.effect == "write" and not tool.control and case.way(tool.name, "in", Label.UNTRUSTED):
            yield tool.name
