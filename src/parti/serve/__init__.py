"""HTTP in front of a running system: its endpoints, their documentation, and the routes that administer it."""

from __future__ import annotations

from parti.serve.app import http_app
from parti.serve.server import serve

__all__ = ["http_app", "serve"]
