"""Cases of reading arrows that carry their answers as comments.

`# -> writes book` is an arrow at this line, `# ~> writes book` one that may be; `# => ...` and `# ~=> ...` say the same
of an arrow that lies somewhere else, in a helper.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from parti.declare.arrows import read_arrows

ROOT = Path(__file__).parent
MARK = re.compile(r"# (->|~>|=>|~=>) (.*)")


def read(function):
    """The reading of a function as part `it`."""
    return read_arrows("it", function, root=ROOT)


def promised(function):
    """The arrows that the comments name, as (kind, target, line or None, may)."""
    lines, first = inspect.getsourcelines(function)
    arrows = set()
    for number, text in enumerate(lines, first):
        mark = MARK.search(text)
        for words in mark[2].split(", ") if mark else ():
            kind, target = words.split()
            arrows.add((kind, target, number if "=" not in mark[1] else None, "~" in mark[1]))
    return arrows


def drawn(function):
    """The arrows that are read, in the same form."""
    lines, first = inspect.getsourcelines(function)
    here = range(first, first + len(lines))
    file = Path(inspect.getsourcefile(inspect.unwrap(function))).name
    return {
        (a.kind, a.target, a.place.line if a.place.file == file and a.place.line in here else None, a.may)
        for a in read(function).arrows
    }


class Cases(list):
    """A decorator that gathers the functions to read."""

    def __call__(self, function):
        self.append(function)
        return function
