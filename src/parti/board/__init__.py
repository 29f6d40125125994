"""The board: the running architecture in the browser."""
