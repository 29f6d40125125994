"""Evaluation: how a part is tried on cases, and what can honestly be said of the scores."""
