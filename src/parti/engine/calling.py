"""Calling a user's function: at once where it answers at once, else under a timeout; sync ones beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol

from parti.design.function import Function
from parti.units import Seconds


class OutOfTime(TimeoutError):
    """The function took longer than its timeout; one that raises TimeoutError itself is not meant."""


class Offload(Protocol):
    """Runs a blocking function without blocking the event loop."""

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Awaitable[Any]: ...


async def call(function: Function, arguments: tuple[Any, ...], timeout: Seconds, offload: Offload) -> Any:
    """The function's answer. Raises OutOfTime after `timeout` seconds.

    A coroutine that never waits costs no timer: it is driven up to its first wait before a timeout is set up.
    """
    if not function.is_async:
        return await _bounded(offload(function.call, *arguments), timeout)
    coroutine: Coroutine[Any, Any, Any] = function.call(*arguments)
    try:
        awaited = coroutine.send(None)
    except StopIteration as done:
        return done.value
    return await _bounded(_Rest(coroutine, awaited), timeout)


async def _bounded(work: Awaitable[Any], timeout: Seconds) -> Any:
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            return await work
    except TimeoutError as late:
        if limit.expired():
            raise OutOfTime from late
        raise


class _Rest:
    """The rest of a coroutine that has been driven up to its first wait."""

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, awaited = self._coroutine, self._awaited
        while True:
            try:
                sent = yield awaited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as thrown:
                step = _throw(coroutine, thrown)
            else:
                step = _send(coroutine, sent)
            if step[0]:
                return step[1]
            awaited = step[1]


def _send(coroutine: Coroutine[Any, Any, Any], value: Any) -> tuple[bool, Any]:
    try:
        return False, coroutine.send(value)
    except StopIteration as done:
        return True, done.value


def _throw(coroutine: Coroutine[Any, Any, Any], thrown: BaseException) -> tuple[bool, Any]:
    try:
        return False, coroutine.throw(thrown)
    except StopIteration as done:
        return True, done.value
