"""Kinds of edit of the orders app, each as lines that are replaced."""

from __future__ import annotations

from typing import Final

from against_kit import BASE

RATE: Final = "    rated = await rate(order)\n"
GATHER: Final = "    left, total = await asyncio.gather(stock(order.id), price(order.id, order.amount))\n"
BEFORE_THE_END: Final = "    if level.level > 2 or"

EDITS: Final[dict[str, list[tuple[str, str]]]] = {
    "nothing but a comment": [('desk = System("orders")', '# The desk.\ndesk = System("orders")')],
    "rename a step": [("def rate(", "def grade("), (RATE, RATE.replace("rate(", "grade("))],
    "add a step before": [(RATE, '    await log("begun")\n' + RATE)],
    "add a step after": [(BEFORE_THE_END, '    await log("nearly over")\n' + BEFORE_THE_END)],
    "remove a step": [(RATE, "    rated = 0\n")],
    "change a step's argument": [("price(order.id, order.amount)", "price(order.id, order.amount + 1)")],
    "reorder": [(RATE, ""), (GATHER, RATE + GATHER)],
    "gather to sequence": [
        (GATHER, "    left = await stock(order.id)\n    total = await price(order.id, order.amount)\n")
    ],
    "add a field with a default": [("    channel: str", '    note: str = ""\n    channel: str')],
    "add a field without a default": [("    channel: str", "    note: str\n    channel: str")],
    "remove a field": [('    channel: str = "web"\n', "")],
    "change a type": [
        ("    spent: int = 0", "    spent: list[int] = []"),
        ("account.spent + total", "[*account.spent, total]"),
    ],
    "change a topic's key": [('Order, key="customer")', 'Order, key="id")')],
    "remove a handler with open runs": [
        (BASE[BASE.index("@desk.on(orders)\n") : BASE.index('@desk.post("/refunds"')], "")
    ],
    "change a tool's key": [('key="order.id"', 'key="order.customer"')],
    "change an effect": [('effect="write", key="order.id", ', 'effect="read", ')],
    "remove a tool with a write in doubt": [
        (BASE[BASE.index('@desk.tool(effect="write"') : BASE.index("clerk = desk.agent")], ""),
        ("    await charge(order, total)\n", ""),
    ],
    "change a question's text": [("Is {order.id} right?", "Is {order.id} in order?")],
    "change an agent's instructions": [("Say what to do.", "Say briefly what to do.")],
    "remove an agent's tool": [("tools=[look, dig]", "tools=[dig]")],
    "change a model's inputs": [
        ("class Features(BaseModel):\n", 'class Features(BaseModel):\n    channel: str = "web"\n')
    ],
    "change a timeout only": [('to=bills, timeout="10m"', 'to=bills, timeout="20m"')],
    "rename a topic": [('topic("orders"', 'topic("requests"')],
    "change a helper class": [("class Bill(BaseModel):\n", 'class Bill(BaseModel):\n    """What is owed."""\n\n')],
}
"""By name. The first and the last are controls; 22 between them change what runs."""


def edited(name: str) -> str:
    """The app's text after an edit."""
    text = BASE
    for old, new in EDITS[name]:
        assert text.count(old) == 1, f"{name}: {old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text
