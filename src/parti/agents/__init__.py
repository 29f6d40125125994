"""Agents: the loop of turns as durable steps, and how models are asked."""
