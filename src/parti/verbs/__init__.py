"""Verbs: what the command line can do, one function each; they return values and never print."""
