"""Errors as HTTP answers: one JSON shape, a permanent code, and nothing of the inside for strangers."""

from __future__ import annotations

from math import ceil
from typing import Any, Final
from urllib.parse import quote

from pydantic import ValidationError

from parti.errors import CODES, Overloaded, PartiError, StepFailed
from parti.serve.answers import Answer, Headers, json_answer
from parti.units import Seconds

Errors = list[dict[str, Any]]
"""One entry a field that does not fit: ``{"field": ["body", "income"], "error": "Field required"}``."""

STATUS: Final = {
    "P206": 503,
    "P303": 504,
    "P306": 504,
    "P308": 404,
    "P309": 409,
    "P310": 422,
    "P311": 409,
    "P401": 422,
    "P402": 422,
    "P403": 422,
    "P404": 413,
    "P405": 422,
    "P501": 403,
    "P502": 401,
    "P503": 503,
    "P504": 400,
    "P507": 404,
    "P511": 403,
    "P601": 503,
    "P602": 422,
    "P603": 422,
}
"""The status of each code that is the caller's doing, or passes; every other code is a 500."""

_RUN_ENDS: Final = frozenset({"P303", "P306", "P311"})
"""Codes that say of a run that it was not finished, rather than that it failed."""

_INSIDE: Final = frozenset({"P306", "P311"})
"""Codes whose text may quote what only those inside should read: questions, reasons."""

_OUR_BUG: Final = "tell the operator; the log has the reason"
_OUR_RUN: Final = "tell the operator the id of the run; its journal has the reason"

STORE_FULL_RETRY: Final[Seconds] = 10.0
"""How long a caller should wait when the disk is full: people clear disks, in no hurry."""


class Refusal(Exception):
    """A request that is not carried out; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def problem(
    status: int,
    code: str,
    what: str,
    *,
    fix: str = "",
    errors: Errors | None = None,
    run: str = "",
    headers: Headers | None = None,
) -> Answer:
    """An answer that refuses. `errors` name each field that does not fit; `run` is the run that ended this way."""
    facts = {"code": code, "error": what, "errors": errors, "run": run, "try": fix}
    extra = {**(headers or {}), **run_header(run)} if run else headers
    return json_answer({name: fact for name, fact in facts.items() if fact}, status, extra)


def run_header(run: str) -> dict[str, str]:
    """The header that names the run behind an answer."""
    return {"parti-run": quote(run, safe=":/@!$&'()*+,;=~")}


def problem_of(error: PartiError, *, operator: bool) -> Answer:
    """The answer for `error`. Only an operator reads the reason of a failure inside, and where it stands in the code."""
    status = status_of(error)
    retry = {"retry-after": str(retry_after(error))} if status == 503 else None
    if operator:
        what = f"{error.place}: {error.what}" if error.place else error.what
        return problem(status, error.code, what, fix=error.fix, run=error.run, headers=retry)
    if status == 500:
        return problem(500, error.code, CODES[error.code], fix=_OUR_RUN if error.run else _OUR_BUG, run=error.run)
    what = CODES[error.code] if error.code in _INSIDE else error.what
    return problem(status, error.code, what, fix=error.fix, run=error.run, headers=retry)


def status_of(error: PartiError) -> int:
    """The HTTP status of an error. What a run ended with is not the caller's doing, whatever its code."""
    status = STATUS.get(error.code, 500)
    of_run = error.run or isinstance(error, StepFailed)
    return 500 if of_run and error.code not in _RUN_ENDS else status


def retry_after(error: PartiError) -> int:
    """Whole seconds after which to try again, at least one."""
    seconds = error.retry_after if isinstance(error, Overloaded) else STORE_FULL_RETRY
    return max(1, ceil(seconds))


def bug() -> Answer:
    """The answer for an exception that nobody expected; the log has the rest."""
    return problem(500, "P307", CODES["P307"], fix=_OUR_BUG)


def stopping() -> Answer:
    """The answer for a request that was under way when the time to drain was over."""
    fix = "try again soon, with the same Idempotency-Key"
    return problem(503, "P503", "the system is stopping", fix=fix, headers={"retry-after": "1", "connection": "close"})


def not_json(why: str) -> Refusal:
    """The refusal of a body that is not JSON: 400 (P504)."""
    return Refusal(problem(400, "P504", f"the body is not JSON: {why}", fix="send one JSON value"))


def misfits(wrong: ValidationError, field: list[Any]) -> Errors:
    """One entry a misfit below `field`, without the values, which may be secret."""
    details = wrong.errors(include_url=False, include_context=False, include_input=False)
    return [{"field": [*field, *detail["loc"]], "error": detail["msg"]} for detail in details]


def body_misfits(wrong: ValidationError) -> Errors:
    """The misfits of a body. Raises Refusal 400 (P504) when it is not JSON at all."""
    found = misfits(wrong, ["body"])
    if wrong.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
        raise not_json(found[0]["error"].removeprefix("Invalid JSON: "))
    return found


def unfit(errors: Errors, *, fix: str) -> Refusal:
    """The refusal of a request whose values do not fit their types: 422 (P402)."""
    first = ".".join(str(part) for part in errors[0]["field"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal(problem(422, "P402", f"{first}: {errors[0]['error']}{more}", errors=errors, fix=fix))
