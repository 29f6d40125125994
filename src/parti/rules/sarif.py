"""A report as SARIF 2.1.0, the format in which code hosts and editors show findings (OASIS, 2020)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from posixpath import normpath
from typing import Any, Final
from urllib.parse import quote

from parti.design.places import Place
from parti.rules.base import Finding, Rule, Severity
from parti.rules.checking import Accepted, Report
from parti.rules.listing import all_rules

Json = dict[str, Any]

_ROOT: Final = "%SRCROOT%"

LEVELS: Final[dict[Severity, str]] = {"critical": "error", "high": "error", "medium": "warning"}


def as_sarif(report: Report, *, version: str, folder: str = "") -> Json:
    """The report as one SARIF run of the tool `parti` in `version`; accepted findings are suppressed ones.

    `folder` is where the app lies in its repository, such as ``"services/desk"``; files are named from the root of that.
    """
    rules = all_rules()
    index = {rule.code: at for at, rule in enumerate(rules)}
    driver = {
        "name": "parti",
        "version": version,
        "rules": [_rule(rule) for rule in rules],
    }
    marks = _fingerprints([*report.findings, *(one.finding for one in report.accepted)])
    results = [_result(finding, index, marks[finding], folder) for finding in report.findings]
    results += [
        {**_result(one.finding, index, marks[one.finding], folder), "suppressions": [_suppression(one, folder)]}
        for one in report.accepted
    ]
    root = {_ROOT: {"description": {"text": "The root of the repository; without one, the folder of the app."}}}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": root,
        "results": results,
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _fingerprints(findings: Iterable[Finding]) -> dict[Finding, str]:
    """What stays the same of a finding while its way changes, or its acceptance ends: the rule, the part, and what of it."""
    found: dict[Finding, str] = {}
    counts: Counter[str] = Counter()
    for finding in sorted(findings, key=lambda one: (one.place, one.about, sorted(one.begins))):
        mark = ":".join(name for name in (finding.code, finding.on, finding.about) if name)
        counts[mark] += 1
        found[finding] = f"{mark}:{counts[mark]}"
    return found


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


def _result(finding: Finding, index: dict[str, int], mark: str, folder: str) -> Json:
    result: Json = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.what}. Try: {finding.fix}."},
        "locations": [_location(finding.place, folder)],
        "partialFingerprints": {"parti/v2": mark},
    }
    if finding.path:
        result["codeFlows"] = [{"threadFlows": [{"locations": list(_stages(finding, folder))}]}]
    return result


def _stages(finding: Finding, folder: str) -> Iterable[Json]:
    for stage in finding.path:
        yield {"location": {**_location(stage.place, folder), "message": {"text": stage.text}}}


def _location(place: Place, folder: str) -> Json:
    return {
        "physicalLocation": {"artifactLocation": _file(place.file, folder), "region": {"startLine": max(place.line, 1)}}
    }


def _file(file: str, folder: str) -> Json:
    """A file as a URI (RFC 3986): from the root, where it lies below that."""
    if PurePath(file).is_absolute():
        return {"uri": PurePath(file).as_uri()}
    path = normpath(f"{folder}/{PurePath(file).as_posix()}" if folder else PurePath(file).as_posix())
    return {"uri": quote(path.replace("\\", "/")), "uriBaseId": _ROOT}


def _suppression(one: Accepted, folder: str) -> Json:
    reason = f"{one.acceptance.reason} (until {one.acceptance.until})"
    return {"kind": "inSource", "justification": reason, "location": _location(one.acceptance.place, folder)}
