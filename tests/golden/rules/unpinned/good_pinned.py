"""A dated model, a local one, one of our own, and a pinned server."""

from parti import (
    System,
)

desk = System("desk")
dated = desk.llm("openai:gpt-5-2025-08-07")
other = desk.llm("anthropic:claude-sonnet-4-20250514")
here = desk.llm("local")
ours = desk.llm("http://models.internal:8000/v1", model="qwen3")
files = desk.mcp("files", command=["files-server"], only=["read_file"], pin="0123456789abcdef")
