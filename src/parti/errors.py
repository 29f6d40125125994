"""Errors that state the fact, the place and the next action, each with a permanent code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CODES: Final[Mapping[str, str]] = {
    # P1xx: the declaration
    "P101": "the app file cannot be imported",
    "P102": "the app file declares no system, or more than one",
    "P103": "a type is missing on a function that Parti must read or write",
    "P104": "two parts have one name",
    "P105": "an option of a part is wrong",
    "P106": "a part refers to another that does not exist or does not fit",
    "P107": "endpoints call each other in a cycle",
    "P108": "a write tool names no idempotency key",
    "P109": "a type cannot be turned into a JSON schema",
    "P110": "a package is not installed",
    # P2xx: the store
    "P201": "the store is in use by another process",
    "P202": "the file is not a Parti store, or it is damaged beyond opening",
    "P203": "the store was written by a newer version of Parti",
    "P204": "acknowledged records are missing from the store",
    "P205": "a record of the store does not match its hash",
    "P206": "the disk is full",
    "P207": "the store does not fit the design",
    "P208": "nothing is stored at this path",
    # P3xx: a run
    "P301": "a part was used outside a run",
    "P302": "a step failed",
    "P303": "a step or a run took longer than its timeout",
    "P304": "a write is in doubt",
    "P305": "a run wrote a row that is not of its own key",
    "P306": "a question was not answered in time",
    "P307": "the handler raised",
    "P308": "no such run, question, topic or part",
    "P309": "this cannot be done in the run's present state",
    "P310": "one idempotency key was used with different arguments",
    "P311": "the run was cancelled",
    "P312": "a budget is spent",
    "P313": "a memory is full",
    "P314": "a batch function did not answer item by item",
    # P4xx: payloads
    "P401": "a value cannot be serialised",
    "P402": "a payload does not fit its type",
    "P403": "a payload type changed in a way that stored events cannot be read",
    "P404": "a payload is too large",
    "P405": "a line of input is not valid JSON or CSV",
    "P406": "the partitions of a topic changed",
    # P5xx: HTTP and the command line
    "P501": "an address other than loopback needs a token",
    "P502": "the request lacks the right token",
    "P503": "the system is overloaded",
    "P504": "the request cannot be read",
    "P505": "the address is in use",
    "P506": "the running system did not answer",
    "P507": "nothing answers this path or method",
    "P508": "there is no such other version of the app",
    "P509": "the other version of the app cannot be loaded",
    "P510": "the other version of the app imports modules of the present one",
    "P511": "the request was not made by the board's own page",
    # P6xx: models
    "P601": "a model has no version yet",
    "P602": "a model cannot be turned into ONNX",
    "P603": "the answer of a model does not fit its output type",
    "P604": "training or evaluating a model failed",
    "P605": "a version of a model cannot give reasons",
    # P7xx: language models and agents
    "P701": "a language model did not answer",
    "P702": "a language model cannot be asked as declared",
    "P703": "a request is larger than the context window",
    "P704": "a language model gave no valid output",
    "P705": "an agent stopped before it was done",
    "P706": "the tape has no such request",
    "P707": "a tool server did not do as it should",
    "P708": "a tool cannot be offered to a language model",
    "P709": "a call was not approved",
    "P710": "nobody knows what a language model costs",
    "P720": "a checker of an evaluation failed",
    # P8xx: planning
    "P721": "a prompt cannot be optimised",
    "P722": "the budget of a search is spent",
    "P801": "a network of stations cannot be simulated as described",
    "P802": "a route leads nowhere or never ends",
    "P803": "a load cannot be",
    "P804": "an interval needs more replications",
    "P811": "no plan keeps the promises",
    "P812": "a planning problem cannot be as it is stated",
    "P820": "a profile cannot be read",
    "P821": "a price list cannot be read",
    "P822": "a price is not a number from 0 on",
    "P823": "an entry of a price list lacks a field",
    "P824": "a price list has a field or unit that is not known",
    "P825": "a load is not understood",
    "P826": "a rate is not positive",
    "P827": "the times of a trace run backwards",
    "P828": "nothing arrives",
    "P829": "there is nothing to make a profile from",
    "P830": "a part was not measured",
    "P831": "runs call or cause each other without end",
    "P832": "a choice is not known",
    "P833": "a quality is promised that nobody can reckon",
    "P834": "a plan file cannot be read",
    "P835": "there is no promise to plan for",
    "P836": "the load is more than can be served",
    "P837": "no deployment is there often enough",
    "P838": "it is not understood how often machines fail",
    # P9xx: labels at run time
    "P901": "a call would carry labels that it is not cleared for",
    "P902": "a person did not let labelled data go",
    "P903": "people were asked too often about labels",
}


class PartiError(Exception):
    """A mistake of a user or of the world: `code`, what is true, where, and what to do next.

    Shown as ``app.py:14: P103 what`` and, on a second line, ``try: fix``.
    """

    def __init__(self, code: str, what: str, *, place: object = None, fix: str = "") -> None:
        assert code in CODES, f"unregistered error code {code}"
        super().__init__(what)
        self.code = code
        self.what = what
        self.place = place
        self.fix = fix
        self.run = ""
        """The id of the run that ended this way, set by who knows it."""

    def __str__(self) -> str:
        head = f"{self.place}: {self.code} {self.what}" if self.place else f"{self.code} {self.what}"
        return f"{head}\n  try: {self.fix}" if self.fix else head

    def as_json(self) -> dict[str, Any]:
        """The same facts as a JSON object, for `--json` and HTTP."""
        facts = {"code": self.code, "error": self.what, "place": str(self.place or ""), "try": self.fix}
        return {name: value for name, value in facts.items() if value}

    def __reduce__(self) -> Any:
        return (_rebuild, (type(self), self.code, self.what, self.place, self.fix))


def _rebuild(kind: type[PartiError], code: str, what: str, place: object, fix: str) -> PartiError:
    return kind(code, what, place=place, fix=fix)


class DeclarationError(PartiError):
    """The app file declares something that cannot be (P1xx)."""


class StoreError(PartiError):
    """The store cannot be opened, read or written (P2xx)."""


class StoreFull(StoreError):
    """There is no room left on the disk; nothing of the batch was written (P206)."""


class RunError(PartiError):
    """Something went wrong inside a run (P3xx)."""


class StepFailed(RunError):
    """A step raised. The same error is raised when the run is replayed, so catch it by `kind`.

    `kind` is the qualified name of the original exception class (``httpx.ConnectError``).
    """

    def __init__(self, code: str, what: str, *, place: object = None, fix: str = "", kind: str = "") -> None:
        super().__init__(code, what, place=place, fix=fix)
        self.kind = kind


class QuestionExpired(RunError):
    """Nobody answered a question before its timeout, and it has no default (P306)."""


class BudgetSpent(RunError):
    """A call may cost more than is left of a budget, so it was not made (P312).

    `limit` says of what there is not enough: "usd", "tokens", "steps" or "seconds".
    """

    def __init__(self, code: str, what: str, *, place: object = None, fix: str = "", limit: str = "") -> None:
        super().__init__(code, what, place=place, fix=fix)
        self.limit = limit

    def as_json(self) -> dict[str, Any]:
        """See PartiError; with the limit."""
        return {**super().as_json(), "limit": self.limit}

    def __reduce__(self) -> Any:
        return (_rebuild_spent, (self.code, self.what, self.place, self.fix, self.limit))


def _rebuild_spent(code: str, what: str, place: object, fix: str, limit: str) -> BudgetSpent:
    return BudgetSpent(code, what, place=place, fix=fix, limit=limit)


class PlanError(PartiError):
    """A plan, or what it is made from, cannot be (P8xx)."""


class NotDone(Exception):
    """Raise inside a `write` tool to say that nothing happened outside: it may safely be tried again."""


class ServerUnreached(StepFailed, NotDone):
    """A call did not reach its tool server (P707): nothing happened, and it may safely be made again."""


class PayloadError(PartiError):
    """A value does not fit its type, or cannot be read or written (P4xx)."""


class Overloaded(PartiError):
    """A bounded queue is full; try again after `retry_after` seconds (P503)."""

    def __init__(self, code: str, what: str, *, place: object = None, fix: str = "", retry_after: float = 1.0) -> None:
        super().__init__(code, what, place=place, fix=fix)
        self.retry_after = retry_after


class UsageError(PartiError):
    """A command or request asks for something that cannot be (P5xx)."""


class LlmError(PartiError):
    """A language model cannot be asked, or did not answer as it should (P7xx)."""

    paid = False
    """Whether the last request may have been paid, though nothing came of it."""


class AgentStopped(RunError):
    """An agent stopped before it was done (P705). `outcome` says why, and holds what it said last."""

    outcome: Any = None


class ModelError(PartiError):
    """A model cannot be trained, stored or asked (P6xx)."""
