"""A report as SARIF 2.1.0, the format in which code hosts and editors show findings (OASIS, 2020)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from parti.design.places import Place
from parti.rules.base import Finding, Rule, Severity
from parti.rules.checking import Accepted, Report
from parti.rules.listing import all_rules

Json = dict[str, Any]

LEVELS: Final[dict[Severity, str]] = {"critical": "error", "high": "error", "medium": "warning"}


def as_sarif(report: Report, *, version: str) -> Json:
    """The report as one SARIF run of the tool `parti` in `version`; accepted findings are suppressed ones."""
    rules = all_rules()
    index = {rule.code: at for at, rule in enumerate(rules)}
    driver = {
        "name": "parti",
        "version": version,
        "rules": [_rule(rule) for rule in rules],
    }
    results = [_result(finding, index) for finding in report.findings]
    results += [{**_result(one.finding, index), "suppressions": [_suppression(one)]} for one in report.accepted]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.says},
        "fullDescription": {"text": f"{rule.why} {rule.standard}."},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"severity": rule.severity},
    }


def _result(finding: Finding, index: dict[str, int]) -> Json:
    result: Json = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.what}. Try: {finding.fix}."},
        "locations": [_location(finding.place)],
        "partialFingerprints": {"parti/v1": f"{finding.code}:{finding.on}:{finding.what}"},
    }
    if finding.path:
        result["codeFlows"] = [{"threadFlows": [{"locations": list(_stages(finding))}]}]
    return result


def _stages(finding: Finding) -> Iterable[Json]:
    for stage in finding.path:
        yield {"location": {**_location(stage.place), "message": {"text": stage.text}}}


def _location(place: Place) -> Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": place.file, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": max(place.line, 1)},
        }
    }


def _suppression(one: Accepted) -> Json:
    reason = f"{one.acceptance.reason} (until {one.acceptance.until})"
    return {"kind": "inSource", "justification": reason, "location": _location(one.acceptance.place)}
