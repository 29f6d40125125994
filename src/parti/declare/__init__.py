"""Declaring a system: the words of the public API, and reading the arrows from the program."""
