"""What a system declares of HTTP: the endpoints that answer GET, POST, PUT, PATCH and DELETE."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ParamSpec

from parti.declare.declaring import Declaring, at_once, body_of, caller, placed, text_of
from parti.declare.exposing import TOOL_ONLY, exposures_of
from parti.declare.handles import FunctionHandle
from parti.declare.labelling import Given, Labels, labels_given, tags_of
from parti.declare.options import refuse_unless
from parti.design.budget import Budget
from parti.design.endpoint import Endpoint, Method
from parti.design.exposure import Exposure
from parti.errors import DeclarationError
from parti.units import seconds

P = ParamSpec("P")
Decorator = Callable[[Callable[P, Any]], FunctionHandle[P, Any]]


class Doors(Declaring):
    """Endpoints."""

    @placed
    def get(
        self,
        path: str,
        *,
        timeout: str | float = "30s",
        concurrency: int = 256,
        expose: Collection[Exposure] = (),
        labels: Labels | None = None,
        clearance: Given = (),
        discloses: str = "",
    ) -> Decorator[P]:
        """Answer GET requests at `path` from committed data; nothing is journaled. See `post` for `expose`."""
        facts = _facts(labels, clearance, discloses)
        return self._endpoint("GET", path, False, None, timeout, concurrency, None, expose, facts)

    @placed
    def post(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
        budget: Budget | None = None,
        expose: Collection[Exposure] = (),
        labels: Labels | None = None,
        clearance: Given = (),
        discloses: str = "",
    ) -> Decorator[P]:
        """Answer POST requests at `path`. A durable call is a run; the same `Idempotency-Key` gets the first answer.

        `key` names the argument (``"order.id"`` reaches into one) that is the run's key, for order and for writing rows.
        With ``expose=("mcp",)`` it is a tool for programs that speak MCP, too. What callers send is UNTRUSTED unless `labels` or
        the types say otherwise; the answer may carry the labels of `clearance`. `discloses` is where people are told that a
        machine answers: a field of the answer, or a place in words.
        """
        facts = _facts(labels, clearance, discloses)
        return self._endpoint("POST", path, durable, key, timeout, concurrency, budget, expose, facts)

    @placed
    def put(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
        budget: Budget | None = None,
        expose: Collection[Exposure] = (),
        labels: Labels | None = None,
        clearance: Given = (),
        discloses: str = "",
    ) -> Decorator[P]:
        """Answer PUT requests at `path`; see `post`."""
        facts = _facts(labels, clearance, discloses)
        return self._endpoint("PUT", path, durable, key, timeout, concurrency, budget, expose, facts)

    @placed
    def patch(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
        budget: Budget | None = None,
        expose: Collection[Exposure] = (),
        labels: Labels | None = None,
        clearance: Given = (),
        discloses: str = "",
    ) -> Decorator[P]:
        """Answer PATCH requests at `path`; see `post`."""
        facts = _facts(labels, clearance, discloses)
        return self._endpoint("PATCH", path, durable, key, timeout, concurrency, budget, expose, facts)

    @placed
    def delete(
        self,
        path: str,
        *,
        durable: bool = True,
        key: str | None = None,
        timeout: str | float = "30s",
        concurrency: int = 256,
        budget: Budget | None = None,
        expose: Collection[Exposure] = (),
        labels: Labels | None = None,
        clearance: Given = (),
        discloses: str = "",
    ) -> Decorator[P]:
        """Answer DELETE requests at `path`; see `post`."""
        facts = _facts(labels, clearance, discloses)
        return self._endpoint("DELETE", path, durable, key, timeout, concurrency, budget, expose, facts)

    def _endpoint(
        self,
        method: Method,
        path: str,
        durable: bool,
        key: str | None,
        timeout: str | float,
        concurrency: int,
        budget: Budget | None,
        expose: Collection[Exposure],
        facts: dict[str, Any],
    ) -> Decorator[P]:
        names = dict(caller().f_locals)
        text_of(path, method.lower())
        limit, most = seconds(timeout), at_once(concurrency)
        offered = exposures_of(expose, TOOL_ONLY, f"{method} {path}")
        if budget is not None and not durable:
            raise DeclarationError("P105", f"{method} {path} is no run, and spends nothing", place=self._at(caller()),
                fix="let it be durable, or leave out budget=")  # fmt: skip

        def declare(function: Callable[P, Any]) -> FunctionHandle[P, Any]:
            described = self._function(function, names)
            part = Endpoint(
                name=described.name, place=described.place, method=method, path=path, function=described,
                durable=durable, key=key, body=body_of(described, method, path), timeout=limit,
                concurrency=most, budget=budget, expose=offered, about=described.about, **facts,
            )  # fmt: skip
            return self._runner(part, function)

        return declare


def _facts(labels: Labels | None, clearance: Given, discloses: str) -> dict[str, Any]:
    """What `parti check` is told of an endpoint."""
    refuse_unless(str, "name a field of the answer, or say where", discloses=discloses)
    return {"labels": labels_given(labels), "clearance": tags_of(clearance, "clearance"), "discloses": discloses}
