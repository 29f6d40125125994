"""Who may ask what: the token of the operator, the tenant, and the hosts and origins that are believed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from secrets import compare_digest
from urllib.parse import urlsplit

from starlette.requests import Request

from parti.design.tenants import MAIN_TENANT, TENANT_RULE, is_tenant
from parti.errors import UsageError
from parti.serve.refusals import Refusal, problem
from parti.serve.requests import header


@dataclass(frozen=True, slots=True)
class Gate:
    """`token` opens what only operators may do. `hosts` are the names the server goes by; None believes any.

    A server on loopback must know its names: a page of a stranger's domain that is pointed at 127.0.0.1 (DNS rebinding)
    shows in `Host`, one that sends a request across shows in `Origin`.
    """

    token: bytes
    hosts: frozenset[str] | None

    def check_sender(self, request: Request) -> None:
        """Raise Refusal 403 (P502) for a request that a page of another site made."""
        if self.hosts is None:
            return
        if not self._known(header(request, "host") or ""):
            raise _stranger(f"this server does not go by the name {header(request, 'host')!r}")
        origin = header(request, "origin")
        if origin is not None and not self._known(urlsplit(origin).netloc):
            raise _stranger(f"a page of {origin} may not call this server")

    def _known(self, netloc: str) -> bool:
        host = host_of(netloc)
        return self.hosts is None or host in self.hosts or is_loopback(host)

    def is_operator(self, request: Request) -> bool:
        """Whether the request carries the token; compared in constant time."""
        scheme, _, token = (header(request, "authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode("latin-1"), self.token)

    def check_operator(self, request: Request) -> None:
        """Raise Refusal 401 (P502) for a request without the token."""
        if not self.is_operator(request):
            fix = "send the header `Authorization: Bearer <token>`"
            asks = {"www-authenticate": 'Bearer realm="parti"'}
            raise Refusal(problem(401, "P502", "the request lacks the right token", fix=fix, headers=asks))

    def check_caller(self, request: Request) -> None:
        """Raise Refusal 401 (P502) for a request without the token, where other machines reach this server.

        For what is exposed by protocols: an agent spends money, whoever calls it.
        """
        if self.hosts is None:
            self.check_operator(request)

    def tenant(self, request: Request) -> str:
        """The tenant that a request with the token names; "main" for every other. Raises Refusal 400 for a bad name."""
        name = header(request, "parti-tenant")
        if name is None or not self.is_operator(request):
            return MAIN_TENANT
        if not is_tenant(name):
            raise Refusal(problem(400, "P504", f"{name!r} is not the name of a tenant", fix=f"use {TENANT_RULE}"))
        return name


def gate(token: str, hosts: Collection[str] | None) -> Gate:
    """The gate for that token. Raises P501 for an empty one, which everybody would have."""
    if not token:
        raise UsageError("P501", "the token is empty", fix="pass a long random one")
    return Gate(token.encode(), None if hosts is None else frozenset(host.lower() for host in hosts))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(netloc: str) -> str:
    """The host of ``host:port``, ``[::1]:port`` or ``host``, in lower case."""
    host = netloc[1:].partition("]")[0] if netloc.startswith("[") else netloc.partition(":")[0]
    return host.lower()


def _stranger(what: str) -> Refusal:
    fix = "call it by localhost or the address it is bound to, or name the host in `hosts`"
    return Refusal(problem(403, "P502", what, fix=fix))
