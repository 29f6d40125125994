"""What it needs."""

from parti import (
    System,
)

desk = System("desk")
files = desk.mcp("files", command=["files-server"], pin="0123456789abcdef", only=["read_file", "list_files"])
clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[files])
