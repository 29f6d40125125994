"""The documentation page: one HTML file with its style and script inside, which asks nobody but this server."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from parti.serve.answers import Answer


def docs_page() -> Answer:
    """The page at ``/docs``. Its policy lets the browser run this very script and style, and nothing else."""
    folder = files("parti.serve") / "static"
    page, style, script = ((folder / name).read_text("utf-8") for name in ("docs.html", "docs.css", "docs.js"))
    body = page.replace("/*style*/", style).replace("/*script*/", script)
    policy = (
        f"default-src 'none'; connect-src 'self'; script-src '{_source(script)}'; style-src '{_source(style)}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"content-security-policy": policy, "referrer-policy": "no-referrer"}
    return Answer(body, headers=headers, media_type="text/html")


def _source(text: str) -> str:
    """The name by which a policy lets an inline script or style pass (CSP level 2)."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
