"""The peers: the same five durable steps, written as each of them wants it."""

from __future__ import annotations
