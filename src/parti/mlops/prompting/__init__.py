"""Prompting: the search for a better wording and better examples of a prompt, and what it may honestly look at."""
