"""Reading what a function does with the declared parts, from its bytecode and without running it."""
