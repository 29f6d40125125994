"""A model without a version."""

from parti import (
    System,
)

desk = System("desk")
llm = desk.llm("openai:gpt-5")
