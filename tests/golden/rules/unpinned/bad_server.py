"""A tool server without a pin."""

from parti import (
    System,
)

desk = System("desk")
files = desk.mcp("files", command=["files-server"], only=["read_file"])
