"""Drawings of a design: SVG, Mermaid, text for the terminal, and JSON with its schema."""

from __future__ import annotations

from parti.drawings.as_json import design_json, schema
from parti.drawings.mermaid import draw_mermaid
from parti.drawings.stylesheet import page_stylesheet
from parti.drawings.svg import draw_svg
from parti.drawings.text import draw_text

__all__ = ["design_json", "draw_mermaid", "draw_svg", "draw_text", "page_stylesheet", "schema"]
