"""Reading arrows: however control flow is nested around the use of a part, the arrow is found and reading goes well."""

from __future__ import annotations

import textwrap

from arrows_app import book
from arrows_marks import read
from hypothesis import assume, given, settings
from hypothesis import strategies as st

FRAMES = (
    "if x():\n    HERE",
    "if x():\n    pass\nelse:\n    HERE",
    "while x():\n    HERE",
    "while x():\n    if y():\n        break\n    HERE\nelse:\n    y()",
    "for n in x():\n    HERE",
    "for n in x():\n    if n:\n        continue\n    HERE",
    "async for a, *b in x():\n    HERE",
    "with x() as w:\n    HERE",
    "async with x() as w, y():\n    HERE",
    "try:\n    HERE\nexcept ValueError:\n    y()",
    "try:\n    x()\nexcept (ValueError, KeyError) as e:\n    HERE",
    "try:\n    x()\nexcept* ValueError as e:\n    HERE",
    "try:\n    x()\nexcept ValueError:\n    y()\nelse:\n    HERE",
    "try:\n    x()\nfinally:\n    HERE",
    "try:\n    HERE\nfinally:\n    y()",
    "match x():\n    case {'a': v, **rest} if v:\n        HERE\n    case _:\n        y()",
    "match x():\n    case [1, *rest] | (2, rest):\n        HERE",
    "match x():\n    case str(v):\n        y()\n    case v:\n        HERE",
    "async def inner():\n    HERE\nawait inner()",
    "class Inner:\n    async def method(self):\n        HERE",
)
USES = (
    "await book.put(row)",
    "z = [await book.put(r) for r in x() if r]",
    "z = {k: await book.put(k) for k in x()}",
    "z = x() and await book.put(row)",
    "z = (await book.put(row)) if x() else None",
    "z = f'{await book.put(row)!r:>{n}}'",
    "z = x()[await book.put(row):]",
    "x(*y(), k=await book.put(row), **y())",
    "assert await book.put(row)",
    "z, *w = await book.put(row), 1, 2",
    "(t := book)\nawait t.put(row)",
    "t = book\ndel row\nawait t.put(1)",
    "z = lambda: book.put(row)",
    "return await book.put(row)",
    "raise ValueError(await book.put(row))",
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(FRAMES), max_size=6), st.sampled_from(USES), st.sampled_from(("row", "n=1, /, row=2")))
def test_a_use_is_found_in_every_nesting(frames, use, parameters):
    assume(not ("return" in use and any("except*" in frame for frame in frames)))  # Python forbids it
    body = use
    for frame in frames:
        before = frame[: frame.index("HERE")]
        indent = " " * (len(before) - len(before.rstrip(" ")))
        body = frame.replace("HERE", textwrap.indent(body, indent).lstrip())
    names = {"book": book}
    exec(f"async def f({parameters}):\n    x = y = n = row\n{textwrap.indent(body, '    ')}\n", names)
    reading = read(names["f"])
    assert {(arrow.kind, arrow.target, arrow.may) for arrow in reading.arrows} == {("writes", "book", False)}
    assert [spot for spot in reading.opaque if "could not be read" in spot.why] == []
