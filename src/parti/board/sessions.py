"""Who is signed in: a cookie that the token signs, and that does not give the token away."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest, digest
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from parti.errors import UsageError
from parti.ports.clock import Clock
from parti.units import Seconds

LASTS: Final[Seconds] = 7 * 86_400.0
"""How long somebody stays signed in."""

COOKIE: Final = "parti-board"
FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers by which a proxy says that a request is somebody else's (RFC 7239, RFC 9110)."""


class Sessions:
    """Lets in whoever signed in with the token. With `everybody`, as on loopback, only those need to whose requests come through a proxy.

    A cookie holds the second it ends at, and an HMAC of it (RFC 2104) under a key made of the token: nothing is kept
    here, so a restart signs nobody out, and another token everybody.
    """

    def __init__(self, token: str, clock: Clock, *, everybody: bool) -> None:
        self._everybody = everybody
        self._token = token.encode()
        self._key = sha256(b"parti board session:" + self._token).digest()
        self._clock = clock

    def asks(self, request: Request) -> bool:
        """Whether whoever sends the request must sign in: also on loopback, where a proxy sends it for somebody else."""
        return not self._everybody or any(name in request.headers for name in FORWARDED)

    def knows(self, request: Request) -> bool:
        """Whether the request may see the board: by its cookie, or by the token itself, as programs send it."""
        return not self.asks(request) or self._by_cookie(request) or self._by_token(request)

    def check(self, request: Request) -> None:
        """Raise P502 for a request that nobody signed in for."""
        if not self.knows(request):
            raise UsageError("P502", "nobody is signed in", fix="open the board, and sign in with the operator's token")

    def sign_in(self, token: str, answer: Response, *, path: str, secure: bool) -> None:
        """Put the cookie on `answer`. Raises P502 for a wrong token."""
        if not compare_digest(token.encode(), self._token):
            raise UsageError("P502", "this is not the token", fix="copy it from where the system was started")
        ends = str(int(self._clock.now() + LASTS))
        value = f"{ends}.{self._signature(ends)}"
        answer.set_cookie(
            COOKIE, value, max_age=int(LASTS), path=path, secure=secure, httponly=True, samesite="strict"
        )  # fmt: skip

    def _by_cookie(self, request: Request) -> bool:
        try:
            morsel = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        ends, _, signature = (morsel.value if morsel else "").partition(".")
        signed = compare_digest(signature.encode(), self._signature(ends).encode())
        return signed and ends.isdecimal() and float(ends) > self._clock.now()

    def _by_token(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), self._token)

    def _signature(self, ends: str) -> str:
        return digest(self._key, ends.encode(), "sha256").hex()
