"""All that the server has."""

from parti import (
    System,
)

desk = System("desk")
files = desk.mcp("files", command=["files-server"], pin="0123456789abcdef")
clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[files])
