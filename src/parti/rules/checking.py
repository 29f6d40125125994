"""Checking a design: all rules look, accepted findings are set aside, and what could not be analysed is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Final

from parti.design.acceptance import Acceptance
from parti.design.dataflow import Dataflow
from parti.design.diff import Diff
from parti.design.graph import Design, Opaque
from parti.design.labels import Label
from parti.design.tool import Tool
from parti.rules.base import SEVERITIES, Case, Finding, Hit, Rule, found_by, is_any
from parti.rules.flow.barriers import own_gate
from parti.rules.flow.clearing import holds_labels
from parti.rules.listing import all_rules
from parti.rules.stale_acceptance import RULE as STALE

_STARTS_MAX: Final = 5
"""So many places where accepted ways begin are looked at in every combination."""


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
    counted, accepted = _sorted_out(case, rules or all_rules(), sorted(every, key=_order), today)
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
    case: Case, rules: Sequence[Rule], findings: Sequence[Finding], today: date
) -> tuple[list[Finding], list[Accepted]]:
    """What counts, and what is accepted. A way that begins where nothing was accepted counts, if it is hidden by a shorter one too."""
    alive = [one for one in case.design.acceptances if today <= one.until]
    begins = {one: _begins(one, findings) for one in alive}
    counted, accepted = [], []
    for finding in findings:
        fitting = [one for one in case.design.acceptances if _fits(one, finding)]
        known = [one for one in fitting if one in begins]
        if known and _is_covered(finding, known, begins):
            accepted.append(Accepted(finding, known[0]))
        elif known:
            where = ", ".join(f"`{one}`" for one in sorted(frozenset().union(*(begins[one] for one in known))))
            counted.append(replace(finding, what=f"{finding.what} (accepted only where it begins in {where})"))
        elif fitting:
            over = f"{finding.what} (accepted until {fitting[0].until}, which is over)"
            counted.append(replace(finding, what=over))
        else:
            counted.append(finding)
    return [*counted, *_hidden(case, rules, findings, begins)], accepted


def _begins(acceptance: Acceptance, findings: Iterable[Finding]) -> frozenset[str]:
    if acceptance.begins:
        return frozenset(acceptance.begins)
    return next((one.begins for one in findings if _fits(acceptance, one) and one.begins), frozenset())


def _is_covered(finding: Finding, known: Iterable[Acceptance], begins: Mapping[Acceptance, frozenset[str]]) -> bool:
    accepted = frozenset[str]().union(*(begins[one] for one in known))
    return all(is_any(one, accepted) for one in finding.begins)


def _hidden(
    case: Case, rules: Sequence[Rule], findings: Sequence[Finding], begins: Mapping[Acceptance, frozenset[str]]
) -> Iterator[Finding]:
    """What would be found if nothing came from where it is accepted that something comes from."""
    known = {(one.code, one.on, one.begins) for one in findings}
    for code in sorted({one.code for one in begins if begins[one]}):
        fitting = [one for one in begins if one.code == code]
        starts = sorted(frozenset[str]().union(*(begins[one] for one in fitting)))
        for without in _subsets(starts):
            reduced = replace(case, without=without)
            for finding in (one for rule in rules if rule.code == code for one in found_by(rule, reduced)):
                known_by = [one for one in fitting if _fits(one, finding)]
                key = finding.code, finding.on, finding.begins
                if known_by and key not in known and not _is_covered(finding, known_by, begins):
                    known.add(key)
                    yield finding


def _subsets(starts: Sequence[str]) -> Iterator[frozenset[str]]:
    """All of them where they are few; else each by itself, and all at once."""
    sizes = range(1, len(starts) + 1) if len(starts) <= _STARTS_MAX else (1, len(starts))
    for size in sizes:
        yield from map(frozenset, combinations(starts, size))


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
