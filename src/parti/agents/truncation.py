"""Truncation: which messages of a conversation may be left out, and long texts cut in the middle; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from parti.agents.conversation import size_of
from parti.design.overflow import tokens_of
from parti.ports.llm import Answered, Message, Returned, Said

MARK: Final = "\n… {:,} characters left out …\n"
"""Stands where the middle of a text was."""


def exchanges(messages: Sequence[Message], start: int, task: int) -> list[range]:
    """What may go, oldest first: the messages from `start` to the `task`, and the turns after it but the newest.

    Each range is an exchange that goes whole: what was asked and its answer; or a turn of the model with what came of its
    calls, so that no call is without its result, and no result without its call.
    """
    before = _split(messages, start, task, lambda message: isinstance(message, Said))
    return [*before, *turns(messages, task)[:-1]]


def turns(messages: Sequence[Message], task: int) -> list[range]:
    """The turns after the `task`: each answer of the model, and what followed from it."""
    return list(_split(messages, task + 1, len(messages), lambda message: isinstance(message, Answered)))


def _split(messages: Sequence[Message], start: int, end: int, begins: Callable[[Message], bool]) -> Iterator[range]:
    first = start
    for place in range(start + 1, end):
        if begins(messages[place]):
            yield range(first, place)
            first = place
    if first < end:
        yield range(first, end)


def oldest(messages: Sequence[Message], going: Sequence[range], excess: int) -> int:
    """How many of the exchanges, oldest first, must go to be rid of `excess` tokens; all of them where that is not enough."""
    size = count = 0
    for number, exchange in enumerate(going):
        if tokens_of(size, count) >= excess:
            return number
        size += sum(size_of(messages[place]) for place in exchange)
        count += len(exchange)
    return len(going)


def shorter_results(
    messages: Sequence[Message], exchange: range, size: int, full: Mapping[Returned, str]
) -> Iterator[tuple[int, Returned, Returned]]:
    """The results of an exchange that must be cut to have at most `size` bytes together: place, as it was, as it is now.

    The longest are cut, all to the same size. `full` has the whole text of each that was cut before.
    """
    results = [(place, one) for place in exchange if isinstance(one := messages[place], Returned)]
    sizes = [len(one.text.encode()) for _, one in results]
    if sum(sizes) <= size:
        return
    most = _level(sizes, size)
    for (place, one), length in zip(results, sizes, strict=True):
        if length > most:
            text = cut_middle(full.get(one, one.text), most)
            if text != one.text:
                yield place, one, Returned(one.call, one.tool, text, one.failed)


def _level(sizes: Sequence[int], total: int) -> int:
    """The most that each may have, where the smaller ones leave to the larger ones what they do not need."""
    left = total
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)


def cut_middle(text: str, size: int) -> str:
    """At most `size` bytes of a text, or the mark alone: its beginning, a mark that says how much is gone, and its end."""
    whole = text.encode()
    if len(whole) <= size:
        return text
    room = max(0, size - len(MARK.format(len(text)).encode()))
    head = whole[: (room + 1) // 2].decode(errors="ignore")
    tail = whole[len(whole) - room // 2 :].decode(errors="ignore")
    return head + MARK.format(len(text) - len(head) - len(tail)) + tail
