"""An answer may cost four cents."""

from parti import (
    Budget,
    Price,
    System,
)

desk = System("desk")
llm = desk.llm("openai:gpt-5-2025-08-07", price=Price(input=1, output=10), max_tokens=4000)
clerk = desk.agent("clerk", llm=llm, budget=Budget(usd=0.01))
