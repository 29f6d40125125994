"""Addresses of servers, as they may be shown: without what lets somebody in."""

from __future__ import annotations


def shown_address(url: str) -> str:
    """`url` without user, password, query and fragment, where secrets may stand. What is no URL stays as it is."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    host, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
