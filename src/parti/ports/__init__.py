"""Ports: what the outside promises to the engine, and what the engine promises to those before it."""
