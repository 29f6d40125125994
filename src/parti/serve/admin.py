"""The operator's routes under ``/-/``: what runs, what is stored, and what a person may set right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from parti.design.handler import Handler as HandlerPart
from parti.design.topic import Topic
from parti.errors import RunError
from parti.ports.operations import Operations
from parti.ports.store import State
from parti.serve.admin_changes import Changes
from parti.serve.answers import Answer, Handler, json_answer
from parti.serve.records import journal_json, question_json, run_json
from parti.serve.refusals import unfit
from parti.serve.routes import routes
from parti.serve.security import Gate

PREFIX: Final = "/-/"
HEALTH: Final = "/-/health"
LIMIT: Final = 1000


def admin_routes(
    operations: Operations, gate: Gate, design_json: Callable[[], dict[str, Any]], healthy: Callable[[], str]
) -> Mount:
    """All routes under ``/-/``. Whoever calls them has been let in; only ``/-/health`` is open to everybody."""
    views, changes = Views(operations, healthy), Changes(operations, gate)

    async def design(_: Request) -> Answer:
        return json_answer(design_json())

    table: list[tuple[str, str, Handler]] = [
        ("GET", "health", views.health),
        ("GET", "design", design),
        ("GET", "runs", views.runs),
        ("GET", "runs/{id}", views.run),
        ("GET", "runs/{id}/journal", views.journal),
        ("POST", "runs/{id}/retry", changes.retry),
        ("POST", "runs/{id}/cancel", changes.cancel),
        ("GET", "topics", views.topics),
        ("POST", "topics/{name}", changes.publish),
        ("GET", "questions", views.questions),
        ("POST", "questions/{id}", changes.answer),
        ("POST", "models/{name}", changes.add_version),
        ("POST", "evaluations", changes.add_evaluation),
        ("GET", "monitors", views.monitors),
    ]
    answering = Router(routes((method, f"/{path}", handler) for method, path, handler in table), redirect_slashes=False)
    return Mount(PREFIX, answering, middleware=[Middleware(OperatorsOnly, gate=gate)])


class OperatorsOnly:
    """Raises Refusal 401 (P502) before the path is looked up: strangers do not learn which routes there are."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request."""
        if scope["path"] != HEALTH:
            self._gate.check_operator(Request(scope))
        await self._app(scope, receive, send)


class Views:
    """What an operator may look at. Nothing changes by looking."""

    def __init__(self, operations: Operations, healthy: Callable[[], str]) -> None:
        self._operations = operations
        self._healthy = healthy

    async def health(self, _: Request) -> Answer:
        """200 while the system can work, else 503 with the reason."""
        why = self._healthy()
        facts = {"status": "failing" if why else "ok", "system": self._operations.design.name, "error": why}
        return json_answer({k: v for k, v in facts.items() if v}, 503 if why else 200)

    async def runs(self, request: Request) -> Answer:
        """The latest runs first; `part`, `state` and `limit` narrow them down."""
        asked = _asked(request)
        state = asked.get("state")
        if state and state not in set(State):
            raise unfit(
                [{"field": ["query", "state"], "error": f"{state!r} is not a state"}], fix=f"one of: {', '.join(State)}"
            )
        found = await self._operations.store.runs(
            part=asked.get("part", ""), state=State(state) if state else None, limit=_limit(asked, 50)
        )
        return json_answer({"runs": [run_json(run) for run in found]})

    async def run(self, request: Request) -> Answer:
        """One run."""
        return json_answer(run_json(await self._run(request)))

    async def journal(self, request: Request) -> Answer:
        """What one run did, row by row."""
        run = await self._run(request)
        rows = await self._operations.store.journal(run.id)
        return json_answer({"run": run.id, "rows": [journal_json(row) for row in rows]})

    async def topics(self, _: Request) -> Answer:
        """Each topic with the ends of its partitions, its events, and how many of them each handler has not begun."""
        store, design = self._operations.store, self._operations.design
        ends, cursors = await store.ends(), await store.cursors()
        behind: dict[str, dict[str, int]] = defaultdict(dict)
        for handler in design.all(HandlerPart):
            behind[handler.topic][handler.name] = sum(
                end - max(first, cursors.get((handler.name, topic, partition), 0))
                for (topic, partition), (first, end) in ends.items()
                if topic == handler.topic
            )
        return json_answer({"topics": [_topic_json(topic, ends, behind[topic.name]) for topic in design.all(Topic)]})

    async def questions(self, request: Request) -> Answer:
        """Questions, oldest first: the open ones unless `state` says otherwise; `who` and `limit` narrow them down."""
        asked = _asked(request)
        found = await self._operations.store.questions(
            who=asked.get("who", ""), state=asked.get("state", "open"), limit=_limit(asked, 100)
        )
        return json_answer({"questions": [question_json(question) for question in found]})

    async def monitors(self, _: Request) -> Answer:
        """The figures of every monitor."""
        return json_answer({"monitors": await self._operations.figures()})

    async def _run(self, request: Request) -> Any:
        run = await self._operations.store.run(request.path_params["id"])
        if run is None:
            raise RunError("P308", f"there is no run {request.path_params['id']!r}", fix="GET /-/runs lists the latest")
        return run


def _topic_json(topic: Topic, ends: dict[tuple[str, int], tuple[int, int]], behind: dict[str, int]) -> dict[str, Any]:
    partitions = [
        {"partition": partition, "first": first, "end": end}
        for (name, partition), (first, end) in sorted(ends.items())
        if name == topic.name
    ]
    kept = sum(part["end"] - part["first"] for part in partitions)
    return {"topic": topic.name, "key": topic.key, "events": kept, "partitions": partitions, "behind": behind}


def _asked(request: Request) -> dict[str, str]:
    """The query, without the fields that are left empty."""
    return {name: value for name, value in request.query_params.multi_items() if value}


def _limit(asked: dict[str, str], default: int) -> int:
    text = asked.get("limit", str(default))
    if not text.isdecimal() or not 1 <= int(text[:10]) <= LIMIT:
        raise unfit(
            [{"field": ["query", "limit"], "error": f"{text!r} is no limit"}], fix=f"a whole number from 1 to {LIMIT}"
        )
    return int(text)
