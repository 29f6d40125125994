"""The operator's routes: what they show, and what they change."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from serve_fakes import Ask, FakeOperations, run_record

from parti.ports.store import State

APPLICATION = {"id": "a1", "income": 2000, "address": {"street": "Elm", "zip": 1}}
NDJSON = {"Content-Type": "application/x-ndjson; charset=utf-8"}


def test_the_design_is_what_the_drawing_says(ask: Ask) -> None:
    assert ask("GET", "/-/design", token=True).json() == {"parts": 9}


def test_runs_are_listed_with_their_values(ask: Ask, operations: FakeOperations) -> None:
    operations.store.kept["r:1"] = run_record("r:1")
    (run,) = ask("GET", "/-/runs?part=apply&state=done&limit=7", token=True).json()["runs"]
    assert operations.store.asked == {"part": "apply", "state": State.DONE, "limit": 7}
    assert (run["id"], run["state"], run["arguments"], run["result"], run["error"]) == ("r:1", "done", ["x"], 1, None)


@pytest.mark.parametrize("query", ["state=asleep", "limit=0", "limit=x", "limit=1001", "limit=-1"])
def test_a_list_that_cannot_be_is_refused(ask: Ask, query: str) -> None:
    answer = ask("GET", f"/-/runs?{query}", token=True)
    assert (answer.status_code, answer.json()["code"]) == (422, "P402")
    assert answer.json()["errors"][0]["field"] == ["query", query.partition("=")[0]]


@pytest.mark.parametrize("id", ["on:topic:3:17", "call:apply:main:a/b", "ü 1"])
def test_a_run_is_found_by_any_id(ask: Ask, operations: FakeOperations, id: str) -> None:
    operations.store.kept[id] = run_record(id)
    path = "".join(f"%{byte:02X}" for byte in id.encode())
    assert ask("GET", f"/-/runs/{path}", token=True).json()["id"] == id


def test_a_run_is_found_by_an_id_that_is_not_encoded(ask: Ask, operations: FakeOperations) -> None:
    operations.store.kept["on:topic:3:17"] = run_record("on:topic:3:17")
    assert ask("GET", "/-/runs/on:topic:3:17", token=True).status_code == 200


def test_the_journal_of_a_run_is_readable(ask: Ask, operations: FakeOperations) -> None:
    operations.store.kept["r:1"] = run_record("r:1")
    journal = ask("GET", "/-/runs/r:1/journal", token=True).json()
    assert journal == {"run": "r:1", "rows": [{"seq": 7, "entries": [["begin", {"n": 1}]]}]}


@pytest.mark.parametrize("path", ["/-/runs/r:9", "/-/runs/r:9/journal"])
def test_an_unknown_run_is_a_404(ask: Ask, path: str) -> None:
    answer = ask("GET", path, token=True)
    assert (answer.status_code, answer.json()["code"]) == (404, "P308")


def test_runs_are_retried_and_cancelled(ask: Ask) -> None:
    assert ask("POST", "/-/runs/r:dead/retry", token=True).json()["state"] == "queued"
    assert ask("POST", "/-/runs/r:1/cancel", token=True).json()["state"] == "cancelled"


def test_what_the_state_of_a_run_forbids_is_a_conflict(ask: Ask) -> None:
    answer = ask("POST", "/-/runs/r:1/retry", token=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "P309")


def test_topics_show_their_ends_and_who_is_behind(ask: Ask) -> None:
    applications, plain = ask("GET", "/-/topics", token=True).json()["topics"]
    assert applications == {
        "topic": "applications",
        "key": "id",
        "events": 11,
        "partitions": [{"partition": 0, "first": 2, "end": 10}, {"partition": 1, "first": 0, "end": 3}],
        "behind": {"decide": 3},
    }
    assert (plain["events"], plain["behind"]) == (0, {})


def test_one_event_is_published(ask: Ask, operations: FakeOperations) -> None:
    headers = {"Idempotency-Key": "k", "Parti-Tenant": "acme"}
    answer = ask("POST", "/-/topics/applications", token=True, json=APPLICATION, headers=headers)
    assert answer.json() == {"topic": "applications", "published": 1, "positions": [[0, 0]]}
    assert operations.calls == [{"topic": "applications", "tenant": "acme", "key": "k"}]
    assert [json.loads(body) for body in operations.published] == [APPLICATION]


def test_many_events_are_published_a_line_each(ask: Ask, operations: FakeOperations) -> None:
    body = "\n".join(["1", "", "2\r", " 3", ""])
    answer = ask("POST", "/-/topics/plain", token=True, content=body, headers=NDJSON)
    assert answer.json()["published"] == 3
    assert [json.loads(body) for body in operations.published] == [1, 2, 3]


@pytest.mark.parametrize(("line", "code"), [('"x"', "P402"), ("{", "P405"), ("NaN", "P405")])
def test_a_bad_line_is_named_and_nothing_is_published(
    ask: Ask, operations: FakeOperations, line: str, code: str
) -> None:
    answer = ask("POST", "/-/topics/plain", token=True, content=f"1\n\n{line}\n4", headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["error"].startswith("line 3: ")
    assert operations.published == []


@pytest.mark.parametrize(("body", "status", "code"), [(b"", 400, "P504"), (b"{", 400, "P504"), (b'"x"', 422, "P402")])
def test_one_bad_event_is_refused(ask: Ask, body: bytes, status: int, code: str) -> None:
    answer = ask("POST", "/-/topics/plain", token=True, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "line 1:" not in answer.json()["error"]


def test_an_unknown_topic_is_a_404_that_names_those_there_are(ask: Ask) -> None:
    answer = ask("POST", "/-/topics/orders", token=True, content=b"1")
    assert (answer.status_code, answer.json()["code"]) == (404, "P308")
    assert "applications" in answer.json()["try"]


def test_questions_are_listed(ask: Ask, operations: FakeOperations) -> None:
    (question,) = ask("GET", "/-/questions?who=underwriter", token=True).json()["questions"]
    assert operations.store.asked == {"who": "underwriter", "state": "open", "limit": 100}
    assert (question["id"], question["schema"], question["answer"]) == ("q:1", {"type": "boolean"}, None)


def test_a_question_is_answered(ask: Ask) -> None:
    answer = ask("POST", "/-/questions/q:1", token=True, json={"answer": {"yes": True}, "by": "ann"})
    assert (answer.json()["answer"], answer.json()["by"], answer.json()["state"]) == ({"yes": True}, "ann", "answered")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"by": "ann"}, "answer"),
        ({"answer": 1}, "by"),
        ({"answer": 1, "by": ""}, "by"),
        ({"answer": 1, "by": "a", "x": 1}, "x"),
    ],
)
def test_an_answer_says_what_and_by_whom(ask: Ask, body: dict[str, Any], field: str) -> None:
    answer = ask("POST", "/-/questions/q:1", token=True, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == ["body", field]


def test_a_version_of_a_model_is_stored_under_the_digest_of_its_bytes(ask: Ask, operations: FakeOperations) -> None:
    onnx = bytes(range(256)) * 10
    body = {
        "onnx": b64encode(onnx).decode(),
        "metrics": {"auc": 0.9},
        "about": {"rows": 5},
        "code": "c0",
        "created": 5.5,
    }
    answer = ask("POST", "/-/models/risk", token=True, json=body)
    assert answer.json() == {"model": "risk", "version": 1, "blob": sha256(onnx).hexdigest()}
    version, stored = operations.versions[0]
    assert stored == onnx
    assert (json.loads(version.metrics), json.loads(version.about)) == ({"auc": 0.9}, {"rows": 5})
    assert (version.code, version.created) == ("c0", 5.5)


@pytest.mark.parametrize("onnx", ["not base64!", "", 5])
def test_a_version_without_bytes_is_refused(ask: Ask, operations: FakeOperations, onnx: Any) -> None:
    answer = ask("POST", "/-/models/risk", token=True, json={"onnx": onnx, "created": 1})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == ["body", "onnx"]
    assert operations.versions == []


def test_the_figures_of_monitors_are_json_even_where_there_is_no_number(ask: Ask) -> None:
    answer = ask("GET", "/-/monitors", token=True)
    assert json.loads(answer.text, parse_constant=pytest.fail) == {"monitors": {"drift": {"psi": 0.1, "empty": None}}}
