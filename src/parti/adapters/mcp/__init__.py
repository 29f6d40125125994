"""MCP servers, over stdio and streamable HTTP: imported only once one is used."""
