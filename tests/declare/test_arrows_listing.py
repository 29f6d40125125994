"""Reading arrows: instructions are decoded as Python's own disassembler does it."""

from __future__ import annotations

import argparse
import asyncio.base_events
import dis
import inspect
import logging
import typing
from types import CodeType

import pytest

from parti.declare.reading.listing import instructions, listing
from parti.declare.reading.operations import OPERATIONS


def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def module_codes(module):
    return codes(compile(inspect.getsource(module), module.__file__, "exec"))


@pytest.mark.parametrize("module", [argparse, asyncio.base_events, logging, typing], ids=lambda module: module.__name__)
def test_instructions_are_those_of_dis(module):
    for code in module_codes(module):
        ours = list(instructions(code))
        theirs = [item for item in dis.get_instructions(code) if item.opname != "CACHE"]
        assert [(offset, step.op) for offset, step, _ in ours] == [(item.offset, item.opname) for item in theirs]
        for (_, step, target), item in zip(ours, theirs, strict=True):
            assert item.arg in (None, step.arg)
            if item.opcode in (*dis.hasjrel, *dis.hasjabs):
                assert target == item.argval
            elif item.opcode in (*dis.hasname, *dis.haslocal, *dis.hasfree):
                assert step.value == item.argval


def test_equal_code_in_two_files_has_two_listings():
    first, second = (compile("x()", file, "exec") for file in ("a.py", "b.py"))
    assert first == second
    assert listing(first, OPERATIONS).code.co_filename == "a.py"
    assert listing(second, OPERATIONS).code.co_filename == "b.py"
