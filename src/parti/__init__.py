"""Parti: the architecture of an AI system is the program."""
