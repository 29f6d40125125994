"""Endpoints over HTTP: requests become arguments, ends become answers, failures keep their inside to themselves."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import pytest
from serve_desk import Address, Application, Level
from serve_fakes import OPERATOR, TOKEN, Ask, FakeOperations

from parti.errors import Overloaded, RunError, StoreFull

APPLICATION: dict[str, Any] = {"id": "a1", "income": 2000, "address": {"street": "Elm", "zip": 1}}


def fields(body: dict[str, Any]) -> list[list[Any]]:
    return [error["field"] for error in body["errors"]]


def test_a_path_parameter_reaches_the_function(ask: Ask, operations: FakeOperations) -> None:
    answer = ask("GET", "/applications/a1")
    assert (answer.status_code, answer.json()) == (200, {"application_id": "a1", "approved": True})
    assert operations.calls[0]["arguments"] == ["a1"]


def test_a_value_in_the_path_may_hold_an_encoded_slash_colon_and_percent_sign(
    ask: Ask, operations: FakeOperations
) -> None:
    ask("GET", "/applications/a%2Fb%3Ac%2525")
    assert operations.calls[0]["arguments"] == ["a/b:c%25"]


def test_a_literal_path_goes_before_a_placeholder_declared_earlier(ask: Ask) -> None:
    assert ask("GET", "/applications/latest").json() == "latest"


def test_a_path_placeholder_takes_all_that_is_left(ask: Ask) -> None:
    assert ask("GET", "/files/a/b/c.txt").json() == "a/b/c.txt"


def test_query_parameters_are_read_by_their_types(ask: Ask, operations: FakeOperations) -> None:
    answer = ask("GET", "/applications?limit=5&since=2024-02-03&level=2&tag=x&tag=y&ratio=0.25")
    assert answer.json() == ["5", "2024-02-03", "HIGH", "x,y", "0.25"]
    assert operations.calls[0]["arguments"] == [5, date(2024, 2, 3), Level.HIGH, ["x", "y"], 0.25]


def test_missing_query_parameters_take_their_defaults(ask: Ask) -> None:
    assert ask("GET", "/applications?limit=5").json() == ["5", "2020-01-01", "LOW", "", "0.5"]


def test_every_query_parameter_that_does_not_fit_is_named(ask: Ask) -> None:
    answer = ask("GET", "/applications?since=soon&level=7&ratio=nan")
    assert answer.status_code == 422
    assert answer.json()["code"] == "P402"
    assert fields(answer.json()) == [["query", "limit"], ["query", "since"], ["query", "level"], ["query", "ratio"]]
    assert "search" in answer.json()["try"]


def test_a_parameter_that_is_given_twice_is_refused(ask: Ask) -> None:
    answer = ask("GET", "/applications?limit=5&limit=6")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": ["query", "limit"], "error": "Given 2 times"}]


def test_a_json_body_fills_the_body_parameter(ask: Ask, operations: FakeOperations) -> None:
    answer = ask("POST", "/applications", json=APPLICATION)
    assert answer.json() == {"application_id": "a1", "approved": True}
    assert operations.calls[0]["arguments"] == [
        Application(id="a1", income=2000, address=Address(street="Elm", zip=1), note=None)
    ]


def test_every_field_of_a_body_that_does_not_fit_is_named_without_its_value(ask: Ask) -> None:
    answer = ask("POST", "/applications", json={"income": -77123, "address": {"street": "Elm", "zip": "x-secret"}})
    assert answer.status_code == 422
    assert fields(answer.json()) == [["body", "id"], ["body", "income"], ["body", "address", "zip"]]
    assert "secret" not in answer.text
    assert "77123" not in answer.text


def test_a_missing_body_is_a_missing_field(ask: Ask) -> None:
    answer = ask("POST", "/applications")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": ["body"], "error": "Field required"}]


@pytest.mark.parametrize("body", [b"{", b"income=1", b'{"id": "a1", "income": NaN, "address": {}}', b"\xff\xfe"])
def test_a_body_that_is_not_json_cannot_be_read(ask: Ask, body: bytes) -> None:
    answer = ask("POST", "/applications", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "P504")


def test_the_word_nan_inside_a_text_is_no_trouble(ask: Ask) -> None:
    assert ask("POST", "/applications", json={**APPLICATION, "note": "NaN Infinity"}).status_code == 200


def test_a_declared_length_over_the_limit_is_refused_before_the_body_is_read(
    ask: Ask, operations: FakeOperations
) -> None:
    answer = ask("POST", "/applications", content=b"{}", headers={"Content-Length": str(17 * 1024 * 1024)})
    assert (answer.status_code, answer.json()["code"]) == (413, "P404")
    assert operations.calls == []


@pytest.mark.parametrize("declared", [{}, {"Content-Length": "2"}, {"Content-Length": "many"}])
def test_a_body_over_the_limit_is_refused_whatever_its_declared_length(ask: Ask, declared: dict[str, str]) -> None:
    async def parts() -> Any:
        for _ in range(17):
            yield b" " * 1024 * 1024

    answer = ask("POST", "/applications", content=parts(), headers=declared)
    assert (answer.status_code, answer.json()["code"]) == (413, "P404")
    assert answer.headers["connection"] == "close"


def test_a_plain_endpoint_that_finds_nothing_answers_404(ask: Ask) -> None:
    answer = ask("GET", "/applications/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "P308")


def test_an_endpoint_that_returns_nothing_answers_null(ask: Ask) -> None:
    answer = ask("PUT", "/applications/a1/note?text=hello&mark=2")
    assert (answer.status_code, answer.text) == (200, "null")


def test_an_unknown_path_is_a_coded_404(ask: Ask) -> None:
    answer = ask("GET", "/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "P507")


def test_a_wrong_method_is_a_coded_405_that_names_the_right_ones(ask: Ask) -> None:
    answer = ask("DELETE", "/applications")
    assert (answer.status_code, answer.json()["code"]) == (405, "P507")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/applications/a1", "/nowhere", "/docs", "/openapi.json", "/-/health"])
def test_browsers_are_told_not_to_guess_at_the_type(ask: Ask, path: str) -> None:
    assert ask("GET", path).headers["x-content-type-options"] == "nosniff"


def test_a_durable_call_names_its_run(ask: Ask) -> None:
    answer = ask("POST", "/applications", json=APPLICATION, headers={"Idempotency-Key": "k1"})
    assert answer.headers["parti-run"] == "apply:main:k1"
    assert "idempotency-replayed" not in answer.headers


@pytest.mark.parametrize("again", ["k1", '"k1"'])
def test_a_repeated_key_gets_the_first_answer_and_says_so(ask: Ask, again: str) -> None:
    answers = [ask("PUT", "/applications/a1/note?text=x", headers={"Idempotency-Key": key}) for key in ("k1", again)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["parti-run"] == answers[1].headers["parti-run"]
    assert answers[1].headers["idempotency-replayed"] == "true"


def test_a_key_used_with_other_arguments_is_refused(ask: Ask) -> None:
    ask("PUT", "/applications/a1/note?text=x", headers={"Idempotency-Key": "k1"})
    answer = ask("PUT", "/applications/a1/note?text=y", headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "P310")


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "tab\tkey", b"\xe9t\xe9"])
def test_an_idempotency_key_that_cannot_be_one_is_refused(ask: Ask, key: str | bytes) -> None:
    answer = ask("PUT", "/applications/a1/note?text=x", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "P504")


def test_an_overloaded_system_says_when_to_come_back_in_whole_seconds(ask: Ask, operations: FakeOperations) -> None:
    operations.trouble = Overloaded("P503", "too many calls", retry_after=2.1)
    answer = ask("POST", "/applications", json=APPLICATION)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "P503", "3")


def test_a_full_disk_says_when_to_come_back(ask: Ask, operations: FakeOperations) -> None:
    operations.trouble = StoreFull("P206", "no room")
    answer = ask("POST", "/applications", json=APPLICATION)
    assert (answer.status_code, answer.json()["code"]) == (503, "P206")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("how", "code"), [("step", "P302"), ("misfit", "P402")])
def test_a_failed_run_answers_its_code_and_id_and_nothing_of_the_inside(ask: Ask, how: str, code: str) -> None:
    answer = ask("POST", f"/broken/{how}", headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (500, code)
    assert answer.json()["run"] == answer.headers["parti-run"] == "broken:main:k"
    assert "secret" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_timeout_is_a_504(ask: Ask, method: str) -> None:
    answer = ask(method, "/broken/late")
    assert (answer.status_code, answer.json()["code"]) == (504, "P303")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bug_is_logged_once_and_not_shown(ask: Ask, method: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "parti"):
        answer = ask(method, "/broken/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "P307")
    assert "secret" not in answer.text
    assert "Error" not in answer.text
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is not None


def test_a_plain_endpoint_that_meets_a_bad_value_inside_does_not_blame_the_caller(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask("GET", "/broken/misfit")
    assert answer.status_code == 500
    assert len(caplog.records) == 1


def test_a_waiting_person_is_not_quoted_to_the_caller(ask: Ask, operations: FakeOperations) -> None:
    operations.trouble = RunError("P306", "underwriter did not answer 'is Ann Secret solvent?'")
    answer = ask("POST", "/applications", json=APPLICATION)
    assert answer.status_code == 504
    assert "Secret" not in answer.text


def test_the_tenant_is_honoured_only_with_the_token(ask: Ask, operations: FakeOperations) -> None:
    ask("GET", "/applications/a1", headers={"Parti-Tenant": "acme"})
    ask("GET", "/applications/a1", headers={"Parti-Tenant": "acme", "Authorization": f"Bearer {TOKEN}x"})
    ask("GET", "/applications/a1", headers={"Parti-Tenant": "acme", **OPERATOR})
    ask("PUT", "/applications/a1/note?text=x", headers={"Parti-Tenant": "acme", **OPERATOR})
    assert [call["tenant"] for call in operations.calls] == ["main", "main", "acme", "acme"]


def test_a_tenant_with_a_bad_name_is_refused(ask: Ask) -> None:
    answer = ask("GET", "/applications/a1", headers={"Parti-Tenant": "a/b", **OPERATOR})
    assert (answer.status_code, answer.json()["code"]) == (400, "P504")
